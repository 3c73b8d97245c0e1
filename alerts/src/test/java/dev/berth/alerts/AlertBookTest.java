package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AlertsConfig.Timing;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The life of alerts: told once, ended once, together when they have one cause. */
class AlertBookTest {
    private static final Instant T0 = Instant.parse("2026-01-05T10:00:00Z");
    private final AlertBook book = new AlertBook(Timing.DEFAULT, List.of(), 0);
    private Instant now = T0;

    static Alarm down(String instance, String deployment, @Nullable String az) {
        return new Alarm(
                "instance/" + instance,
                Alarm.Kind.DOWN,
                2,
                "db/" + instance + " is gone",
                "It will be repaired.",
                deployment,
                "db",
                az,
                null);
    }

    private static Alarm own(String key, int severity, String title) {
        return new Alarm(key, Alarm.Kind.OWN, severity, title, "so it is", null, null, null, null);
    }

    private List<Change> after(long millis) {
        now = now.plusMillis(millis);
        return book.tick(now);
    }

    private static String told(List<Change> changes) {
        var text = new ArrayList<String>();
        for (Change c : changes) {
            if (c.told() != null) {
                text.add(c.told() + " " + c.incident().number() + " " + c.incident().title());
            }
        }
        return String.join("; ", text);
    }

    @Test
    void anInstanceThatGoesDownIsToldOnceItStaysDownAndOnceWhenItIsBack() {
        assertThat(book.raised(down("a", "shop", "z1"), now)).isEmpty();
        assertThat(book.nextWake()).isEqualTo(T0.plusSeconds(2));
        assertThat(after(1_999)).isEmpty();
        assertThat(told(after(1))).isEqualTo("OPEN 1 db/a is gone");
        assertThat(book.raised(down("a", "shop", "z1"), now)).isEmpty();
        assertThat(told(after(600_000))).isEmpty();
        assertThat(told(book.resolved("instance/a", "it is well", now)))
                .isEqualTo("RESOLVE 1 db/a is gone");
        assertThat(book.resolved("instance/a", "it is well", now)).isEmpty();
        assertThat(book.open()).isEmpty();
        assertThat(book.nextWake()).isNull();
    }

    @Test
    void whatIsOverBeforeItIsToldIsNotTold() {
        assertThat(book.raised(down("a", "shop", null), now)).isEmpty();
        assertThat(book.resolved("instance/a", "it is well", now.plusMillis(500))).isEmpty();
        assertThat(after(10_000)).isEmpty();
    }

    @Test
    void aZoneThatGoesIsOneAlertWithAListAndOneEnd() {
        for (int i = 0; i < 40; i++) {
            assertThat(book.raised(down("i" + i, "d" + i % 7, "z1"), now)).isEmpty();
        }
        List<Change> changes = after(2_000);
        assertThat(told(changes))
                .isEqualTo("OPEN 1 40 instances went down in zone z1 of 7 deployments");
        assertThat(changes.getFirst().incident().summary()).contains("40 of 40 still", "d3: db/i3");
        // One that is heard of later is of the same cause, and is told with the next update.
        assertThat(book.raised(down("late", "d1", "z1"), now.plusSeconds(5))).isEmpty();
        now = now.plusSeconds(5);
        assertThat(told(after(2_000))).isEmpty();
        assertThat(told(after(60_000)))
                .isEqualTo("UPDATE 1 41 instances went down in zone z1 of 7 deployments");
        for (int i = 0; i < 40; i++) {
            assertThat(told(book.resolved("instance/i" + i, "it is well", now))).isEmpty();
        }
        assertThat(told(book.resolved("instance/late", "it is well", now)))
                .isEqualTo("RESOLVE 1 41 instances went down in zone z1 of 7 deployments");
    }

    @Test
    void fewAreAlertsOfTheirOwnUntilTheyAreMany() {
        assertThat(book.raised(down("a", "shop", null), now)).isEmpty();
        assertThat(book.raised(down("b", "shop", null), now)).isEmpty();
        assertThat(told(after(2_000))).isEqualTo("OPEN 1 db/a is gone; OPEN 2 db/b is gone");
        assertThat(book.raised(down("c", "shop", null), now)).isEmpty();
        List<Change> changes = after(2_000);
        assertThat(told(changes))
                .isEqualTo(
                        "RESOLVE 1 db/a is gone; RESOLVE 2 db/b is gone;"
                                + " OPEN 3 3 instances went down of deployment shop");
        assertThat(changes.getFirst().incident().because()).isEqualTo("it is part of alert 3");
        assertThat(told(book.resolved("instance/a", "well", now))).isEmpty();
        assertThat(told(book.resolved("instance/b", "well", now))).isEmpty();
        assertThat(told(book.resolved("instance/c", "well", now))).startsWith("RESOLVE 3");
    }

    @Test
    void whatFollowsFromItJoinsIt() {
        for (String i : List.of("a", "b", "c", "d", "e")) {
            assertThat(book.raised(down(i, "shop", "z1"), now)).isEmpty();
        }
        assertThat(told(after(2_000))).startsWith("OPEN 1 5 instances");
        var meltdown =
                new Alarm(
                        "deployment/shop/meltdown",
                        Alarm.Kind.CONSEQUENCE,
                        1,
                        "shop: We are in meltdown",
                        "one at a time",
                        "shop",
                        null,
                        null,
                        null);
        // It is worse than all before, so that it does not wait.
        List<Change> changes = book.raised(meltdown, now);
        assertThat(told(changes))
                .isEqualTo("UPDATE 1 5 instances went down in zone z1 of deployment shop");
        assertThat(changes.getFirst().incident().severity()).isEqualTo(1);
        assertThat(changes.getFirst().incident().summary()).contains("We are in meltdown");
        assertThat(book.open()).hasSize(1);
    }

    @Test
    void whatComesAndGoesIsToldSoAndThenLeftAlone() {
        Alarm flaky = own("disk", 2, "disk is not proven");
        var told = new ArrayList<String>();
        for (int i = 0; i < 30; i++) {
            told.add(told(book.raised(flaky, now)));
            told.add(told(after(5_000)));
            told.add(told(book.resolved("disk", "well", now)));
            told.add(told(after(5_000)));
        }
        told.removeIf(String::isEmpty);
        assertThat(told)
                .containsExactly(
                        "OPEN 1 disk is not proven",
                        "RESOLVE 1 disk is not proven",
                        "OPEN 2 disk is not proven",
                        "RESOLVE 2 disk is not proven",
                        "OPEN 3 disk is not proven",
                        "UPDATE 3 disk is not proven",
                        // so often somebody is reminded that it goes on
                        "UPDATE 3 disk is not proven",
                        "UPDATE 3 disk is not proven",
                        "UPDATE 3 disk is not proven",
                        "UPDATE 3 disk is not proven");
        assertThat(told(after(290_000))).isEmpty();
        assertThat(told(after(10_000))).isEqualTo("RESOLVE 3 disk is not proven");
        assertThat(book.open()).isEmpty();
    }

    @Test
    void aBookThatGoesOnWhereAnotherWasTellsNothingTwice() {
        assertThat(book.raised(down("a", "shop", null), now)).isEmpty();
        List<Change> changes = after(2_000);
        Incident kept = Incident.fromTree(changes.getFirst().incident().toTree());
        assertThat(kept).isEqualTo(changes.getFirst().incident());
        var next = new AlertBook(Timing.DEFAULT, List.of(kept), 1);
        assertThat(next.raised(down("a", "shop", null), now)).isEmpty();
        assertThat(next.tick(now.plusSeconds(10))).isEmpty();
        assertThat(told(next.resolved("instance/a", "well", now)))
                .isEqualTo("RESOLVE 1 db/a is gone");
        assertThat(told(next.raised(own("x", 3, "other"), now))).isEqualTo("OPEN 2 other");
    }

    @Test
    void anAlertIsTakenUpOnceAndUpdatesRestThen() {
        assertThat(told(book.raised(own("x", 3, "bad"), now))).isEqualTo("OPEN 1 bad");
        assertThat(told(book.acknowledge(1, "ann", now))).isEqualTo("ACKNOWLEDGE 1 bad");
        assertThat(book.acknowledge(1, "bob", now)).isEmpty();
        assertThat(book.acknowledge(7, "bob", now)).isEmpty();
        assertThat(told(book.raised(own("x", 3, "still bad"), now))).isEmpty();
        assertThat(told(after(3_600_000))).isEmpty();
        assertThat(told(book.raised(own("x", 1, "very bad"), now))).isEqualTo("UPDATE 1 very bad");
        assertThat(book.open().getFirst().acknowledgedBy()).isEqualTo("ann");
        assertThat(told(book.end(1, "ann", now))).isEqualTo("RESOLVE 1 very bad");
        assertThat(book.end(1, "ann", now)).isEmpty();
    }

    @Test
    void anEventIsToldAndOver() {
        var event =
                new Alarm("e1", Alarm.Kind.EVENT, 4, "login", "of root", null, null, null, "agent");
        assertThat(told(book.raised(event, now))).isEqualTo("OPEN 1 login");
        assertThat(book.open()).isEmpty();
        assertThat(book.troubles()).isEqualTo(Map.of());
    }

    @Test
    void withoutATimeToSettleItIsToldAtOnce() {
        var timing =
                new Timing(
                        Duration.ZERO,
                        3,
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        3,
                        Duration.ofSeconds(600),
                        Duration.ofSeconds(300));
        var quick = new AlertBook(timing, List.of(), 0);
        assertThat(told(quick.raised(down("a", "shop", null), now))).startsWith("OPEN 1");
    }
}
