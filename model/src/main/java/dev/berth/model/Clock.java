package dev.berth.model;

import java.time.Duration;
import java.time.Instant;

/**
 * The port through which time enters, so that a simulation can own it. Implementations are
 * thread-safe.
 */
public interface Clock {
    Instant now();

    /**
     * The time as it goes on since this clock began, whatever anybody sets it to meanwhile: what is
     * waited for or judged by the time that has passed goes by this one. Near {@link #now} but for
     * such jumps.
     */
    default Instant steady() {
        return now();
    }

    /** Blocks the calling (virtual) thread; ends early only by interruption. */
    void sleep(Duration time) throws InterruptedException;

    /** The machine's own clock. */
    Clock SYSTEM =
            new Clock() {
                private final Instant began = Instant.now();
                private final long beganNanos = System.nanoTime();

                @Override
                public Instant steady() {
                    return began.plusNanos(System.nanoTime() - beganNanos);
                }

                @Override
                public Instant now() {
                    return Instant.now();
                }

                @Override
                public void sleep(Duration time) throws InterruptedException {
                    Thread.sleep(time);
                }
            };
}
