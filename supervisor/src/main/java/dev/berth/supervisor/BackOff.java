package dev.berth.supervisor;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** How long to wait before the next try; it never gives up, it slows down. */
final class BackOff {
    static final Duration LONGEST = Duration.ofSeconds(60);

    /** A container that was ready for at least this long starts counting anew. */
    static final Duration QUIET = Duration.ofSeconds(60);

    private BackOff() {}

    /**
     * Zero for the first failure, then 0.5 s doubling to a minute, each 20 % more or less so that
     * containers that failed together do not come back together.
     */
    static Duration afterFailure(int failures, RandomGenerator random) {
        if (failures <= 1) {
            return Duration.ZERO;
        }
        long millis = failures >= 9 ? LONGEST.toMillis() : 500L << (failures - 2);
        return spread(millis, random);
    }

    /** Images have their own count, from 5 s, so that a registry's outage delays nobody else. */
    static Duration afterImageFailure(int failures, RandomGenerator random) {
        long millis = failures >= 5 ? LONGEST.toMillis() : 5_000L << (failures - 1);
        return spread(Math.min(millis, LONGEST.toMillis()), random);
    }

    private static Duration spread(long millis, RandomGenerator random) {
        return Duration.ofMillis(Math.round(millis * (0.8 + 0.4 * random.nextDouble())));
    }
}
