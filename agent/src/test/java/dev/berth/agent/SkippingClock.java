package dev.berth.agent;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;

/** A clock on which sleeping takes no time and all of it. */
final class SkippingClock implements Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private Runnable onSleep = () -> {};

    void onSleep(Runnable action) {
        onSleep = action;
    }

    @Override
    public synchronized Instant now() {
        return now;
    }

    @Override
    public void sleep(Duration time) {
        synchronized (this) {
            now = now.plus(time);
        }
        onSleep.run();
    }
}
