package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Restart;
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

    /** The same, and never less than what the restart policy asks for. */
    static Duration afterFailure(Restart restart, int failures, RandomGenerator random) {
        Duration own = afterFailure(failures, random);
        return own.compareTo(restart.delay()) < 0 ? restart.delay() : own;
    }

    /** For how long a container must be ready before its failures are forgotten. */
    static Duration quiet(Restart restart, Duration lastDelay) {
        if (!restart.window().isZero()) {
            return restart.window();
        }
        Duration twice = lastDelay.multipliedBy(2);
        return twice.compareTo(QUIET) > 0 ? twice : QUIET;
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
