package dev.berth.bus;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for a condition, looking often. */
final class Until {
    private Until() {}

    static void within(Duration limit, String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + limit + ": " + what);
            }
            Thread.sleep(2);
        }
    }
}
