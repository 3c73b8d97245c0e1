package dev.berth.simulation;

import dev.berth.alerts.Incident;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What people are told: each alert opened once and resolved once, and none left open when nothing
 * is wrong any more.
 */
final class AlertRules {
    private static final int MOST = 100_000;

    private final World world;
    private final Ledgers.Check check;

    AlertRules(World world, Ledgers.Check check) {
        this.world = world;
        this.check = check;
    }

    /** That a stranger is gone is known when it was quiet for a while. */
    boolean strangersAreOver() {
        return world.database.read(this::open).stream().noneMatch(i -> isAbout(i, "agent/"));
    }

    private List<Incident> open(StoreSession s) {
        return s.alerts(List.of("open", "acknowledged"), MOST).stream()
                .map(row -> Incident.fromTree(row.content()))
                .toList();
    }

    private static boolean isAbout(Incident incident, String what) {
        return incident.members().stream().anyMatch(m -> m.alarm().key().startsWith(what));
    }

    void atRest(StoreSession s) {
        Map<String, Integer> opened = new HashMap<>();
        Map<String, Integer> resolved = new HashMap<>();
        for (Rows.Event event : s.events(null, null, MOST)) {
            if (event.objectType().equals("alert")) {
                Map<String, Integer> counts =
                        switch (event.action()) {
                            case "create" -> opened;
                            case "resolve" -> resolved;
                            default -> new HashMap<>();
                        };
                counts.merge(String.valueOf(event.objectName()), 1, Integer::sum);
            }
        }
        opened.forEach((number, times) ->
                check.that(
                        "alerts", times == 1, "alert " + number + " opened " + times + " times"));
        resolved.forEach((number, times) ->
                check.that(
                        "alerts",
                        times == 1 && opened.containsKey(number),
                        "alert " + number + " resolved " + times + " times"));
        for (Incident incident : open(s)) {
            // One that comes and goes is left alone until it has been quiet for five minutes; and
            // pools that this cloud cannot serve are empty for good.
            boolean right =
                    incident.quietAt() != null
                            || isAbout(incident, "vm-pool/") && !world.cloud.givesAddresses();
            check.that(
                    "alerts",
                    right,
                    "all is well, and alert "
                            + incident.number()
                            + " is open: "
                            + incident.title());
        }
    }
}
