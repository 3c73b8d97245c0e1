package dev.berth.director;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryNotificationInfo;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.Optional;
import javax.management.NotificationEmitter;

/**
 * Keeps the heap near what is in use: the serial collector lets its old generation grow to the
 * limit, a quarter of the machine's memory, before it collects it. Here it is collected when it has
 * grown to twice what was left of it the last time; a collection takes a millisecond or two for
 * each megabyte in use. Does nothing with collectors whose old generation has no threshold.
 */
public final class HeapKeeper {
    private static final System.Logger LOG = System.getLogger(HeapKeeper.class.getName());

    /** Below that a collection would save less than the libraries' own code takes. */
    private static final long LEAST_BYTES = 64L << 20;

    private final MemoryPoolMXBean old;

    private HeapKeeper(MemoryPoolMXBean old) {
        this.old = old;
    }

    /** Keeps the heap of this process from here on. */
    public static void begin() {
        Optional<MemoryPoolMXBean> old =
                ManagementFactory.getMemoryPoolMXBeans().stream()
                        .filter(p -> p.getType() == MemoryType.HEAP)
                        .filter(p -> p.getName().contains("Tenured"))
                        .filter(MemoryPoolMXBean::isUsageThresholdSupported)
                        .findFirst();
        old.ifPresent(pool -> new HeapKeeper(pool).watch());
    }

    private void watch() {
        var memory = (NotificationEmitter) ManagementFactory.getMemoryMXBean();
        memory.addNotificationListener(
                (notification, context) -> collect(),
                notification ->
                        notification
                                .getType()
                                .equals(MemoryNotificationInfo.MEMORY_THRESHOLD_EXCEEDED),
                null);
        aim();
    }

    private void collect() {
        long before = old.getUsage().getUsed();
        System.gc();
        aim();
        LOG.log(
                System.Logger.Level.DEBUG,
                "heap collected, before={0} after={1}",
                before,
                old.getUsage().getUsed());
    }

    private void aim() {
        long limit = old.getUsage().getMax();
        long wanted = Math.max(LEAST_BYTES, 2 * old.getUsage().getUsed());
        old.setUsageThreshold(limit < 0 ? wanted : Math.min(limit, wanted));
    }
}
