package dev.berth.alerts;

import dev.berth.model.AlertsConfig.Timing;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Notices as a book makes them. */
final class Notices {
    static final Instant T0 = Instant.parse("2026-01-05T10:00:00Z");

    private Notices() {}

    /** Open, acknowledged and resolved, of one alert. */
    static List<Notice> life(String title) {
        var book = new AlertBook(Timing.DEFAULT, List.of(), 16);
        var alarm =
                new Alarm(
                        "instance/9f",
                        Alarm.Kind.OWN,
                        2,
                        title,
                        "The cloud says the VM is gone. It will be repaired.",
                        "shop",
                        "db",
                        "z1",
                        null);
        var changes = new ArrayList<>(book.raised(alarm, T0));
        changes.addAll(book.acknowledge(17, "ann", T0.plusSeconds(5)));
        changes.addAll(book.resolved("instance/9f", "it is well again", T0.plusSeconds(9)));
        return changes.stream().map(Notices::of).toList();
    }

    static Notice of(Change change) {
        return of(change, "berth-e1-" + change.incident().number());
    }

    static Notice of(Change change, String key) {
        Notice.Kind kind = java.util.Objects.requireNonNull(change.told());
        return new Notice(
                key + "-" + kind.text(),
                kind,
                change.incident(),
                "prod",
                key,
                change.incident().changedAt());
    }

    static Notice test() {
        var alarm =
                new Alarm("test", Alarm.Kind.OWN, 4, "a test", "nothing", null, null, null, null);
        return new Notice(
                "berth-e1-0-test-1",
                Notice.Kind.TEST,
                Incident.single(alarm, T0),
                "prod",
                "berth-e1-0-test-1",
                T0);
    }
}
