package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.alerts.Notice.Kind;
import dev.berth.model.AlertsConfig.Timing;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Whatever begins and ends, in whatever order, with books that follow one another. */
class AlertBookPropertiesTest {
    private static final Instant T0 = Instant.parse("2026-01-05T10:00:00Z");

    /** What the outside has seen. */
    private static final class Outside {
        private final Map<Long, Incident> kept = new HashMap<>();
        private final Map<Long, List<Kind>> told = new HashMap<>();

        void take(List<Change> changes) {
            for (Change c : changes) {
                kept.put(c.incident().number(), c.incident());
                if (c.told() != null) {
                    told.computeIfAbsent(c.incident().number(), n -> new ArrayList<>())
                            .add(c.told());
                }
            }
        }

        AlertBook next(Instant now) {
            long last = kept.keySet().stream().mapToLong(n -> n).max().orElse(0);
            List<Incident> trees =
                    kept.values().stream().map(i -> Incident.fromTree(i.toTree())).toList();
            assertThat(trees).containsExactlyInAnyOrderElementsOf(kept.values());
            return new AlertBook(Timing.DEFAULT, trees, last);
        }
    }

    @Property(tries = 300)
    void eachIsOpenedOnceAndEndedOnceAndNothingThatGoesOnIsForgotten(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int troubles) {
        var random = new Random(seed);
        var outside = new Outside();
        var book = new AlertBook(Timing.DEFAULT, List.of(), 0);
        Set<String> on = new HashSet<>();
        Instant now = T0;
        for (int step = 0; step < 150; step++) {
            now = now.plusMillis(random.nextInt(random.nextBoolean() ? 500 : 60_000));
            int which = random.nextInt(troubles);
            Alarm alarm = alarm(which, random);
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    outside.take(book.raised(alarm, now));
                    on.add(alarm.key());
                }
                case 3, 4 -> {
                    outside.take(book.resolved(alarm.key(), "well", now));
                    on.remove(alarm.key());
                }
                case 5 -> {
                    book = outside.next(now);
                    for (int i = 0; i < troubles; i++) { // who watches says again what goes on
                        Alarm again = alarm(i, random);
                        if (on.contains(again.key())) {
                            outside.take(book.raised(again, now));
                        }
                    }
                }
                case 6 -> outside.take(book.acknowledge(random.nextInt(20), "ann", now));
                default -> {}
            }
            // Whoever looks when it is time to has nothing left to look at.
            outside.take(book.tick(now));
            Instant wake = book.nextWake();
            assertThat(wake == null || wake.isAfter(now)).as("wake %s, now %s", wake, now).isTrue();
        }
        now = now.plusSeconds(3);
        outside.take(book.tick(now));
        Set<String> known = new HashSet<>();
        book.troubles().keySet().forEach(a -> known.add(a.key()));
        assertThat(known).isEqualTo(on);
        for (int i = 0; i < troubles; i++) {
            outside.take(book.resolved(alarm(i, random).key(), "well", now));
        }
        now = now.plusSeconds(3_600);
        outside.take(book.tick(now));
        assertThat(book.open()).isEmpty();
        assertThat(book.nextWake()).isNull();
        outside.told.forEach((number, kinds) -> {
            assertThat(kinds.getFirst()).as("of alert %s: %s", number, kinds).isEqualTo(Kind.OPEN);
            assertThat(kinds.getLast()).isEqualTo(Kind.RESOLVE);
            assertThat(kinds.stream().filter(k -> k == Kind.OPEN)).hasSize(1);
            assertThat(kinds.stream().filter(k -> k == Kind.RESOLVE)).hasSize(1);
            assertThat(kinds.stream().filter(k -> k == Kind.ACKNOWLEDGE)).hasSizeLessThan(2);
        });
    }

    @Property(tries = 200)
    void neverMoreIsToldThanTheTimesAllow(@ForAll long seed) {
        var random = new Random(seed);
        var outside = new Outside();
        var book = new AlertBook(Timing.DEFAULT, List.of(), 0);
        Instant now = T0;
        Alarm alarm = alarm(0, random);
        while (now.isBefore(T0.plusSeconds(3_600))) {
            now = now.plusMillis(100 + random.nextInt(5_000));
            outside.take(book.tick(now));
            outside.take(
                    random.nextBoolean()
                            ? book.raised(alarm, now)
                            : book.resolved(alarm.key(), "well", now));
        }
        // Twice as an alert of its own, then one that flaps with an update a minute at most.
        assertThat(outside.told.size()).isLessThanOrEqualTo(4);
        assertThat(outside.told.values().stream().mapToInt(List::size).sum()).isLessThan(75);
    }

    private static Alarm alarm(int which, Random random) {
        boolean down = which % 4 != 3;
        return new Alarm(
                (down ? "instance/" : "own/") + which,
                down ? Alarm.Kind.DOWN : Alarm.Kind.OWN,
                down ? 2 : 3,
                "trouble " + which,
                random.nextInt(10) == 0 ? "other words" : "words",
                "d" + which % 2,
                "db",
                which % 3 == 0 ? null : "z" + which % 3,
                null);
    }
}
