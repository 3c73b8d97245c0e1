package dev.berth.director;

import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.wire.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One alert for a pool that stays empty, ended when it has a spare VM again. Not thread-safe; the
 * keeper of the pools calls it.
 */
final class PoolAlarm {
    /** A pool that refills after a repair is empty for seconds; this is something else. */
    static final Duration EMPTY = Duration.ofMinutes(10);

    private static final int WARNING = 4;

    private final AlertSink alerts;
    private final Map<String, Instant> emptySince = new HashMap<>();
    private final Set<String> open = new HashSet<>();

    /** Pools that an earlier director may have raised an alert for have been told to be well. */
    private final Set<String> well = new HashSet<>();

    PoolAlarm(AlertSink alerts) {
        this.alerts = alerts;
    }

    /** There is no pool. */
    void none() {
        List.copyOf(open).forEach(this::end);
        emptySince.clear();
    }

    /**
     * @param trouble why nothing could be made; empty: not known
     */
    void look(VmPools.Look look, String trouble, Instant now) {
        Map<String, Integer> sizes = new HashMap<>();
        look.wishes().pools().forEach(pool -> sizes.put(pool.name(), pool.size()));
        look.wishes().problems().keySet().forEach(name -> sizes.put(name, 1));
        sizes.forEach((pool, size) -> {
            if (size == 0 || hasReady(look, pool)) {
                emptySince.remove(pool);
                boolean first = well.add(pool);
                if (first || open.contains(pool)) {
                    end(pool);
                }
            } else if (!now.isBefore(emptySince.computeIfAbsent(pool, p -> now).plus(EMPTY))
                    && open.add(pool)) {
                raise(pool, look.wishes().problems().getOrDefault(pool, trouble), now);
            }
        });
        emptySince.keySet().retainAll(sizes.keySet());
        List.copyOf(open).stream().filter(pool -> !sizes.containsKey(pool)).forEach(this::end);
    }

    private static boolean hasReady(VmPools.Look look, String pool) {
        return look.spares().stream()
                .anyMatch(s -> s.pool().equals(pool) && s.is(Rows.Spare.READY));
    }

    private void raise(String pool, String why, Instant now) {
        alerts.raised(
                new Alert(
                        id(pool),
                        WARNING,
                        "vm pool '" + pool + "' is empty",
                        "It has had no spare VM for "
                                + EMPTY.toMinutes()
                                + " minutes; instances get VMs that are made for them. "
                                + (why.isEmpty() ? "No spare VM became ready." : why),
                        now.getEpochSecond(),
                        AlertSources.MONITOR,
                        null,
                        null));
    }

    private void end(String pool) {
        open.remove(pool);
        alerts.resolved(id(pool), "vm pool '" + pool + "' is not empty any more");
    }

    private static String id(String pool) {
        return "vm-pool/" + pool;
    }
}
