package dev.berth.model;

import java.time.Duration;
import java.time.Instant;

/**
 * The port through which time enters, so that a simulation can own it. Implementations are
 * thread-safe.
 */
public interface Clock {
    Instant now();

    /** Blocks the calling (virtual) thread; ends early only by interruption. */
    void sleep(Duration time) throws InterruptedException;

    /** The machine's own clock. */
    Clock SYSTEM =
            new Clock() {
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
