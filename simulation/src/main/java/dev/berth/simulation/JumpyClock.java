package dev.berth.simulation;

import dev.berth.model.Clock;
import dev.berth.testkit.SimClock;
import java.time.Duration;
import java.time.Instant;

/**
 * The clock of the director's machine, which somebody may set while a process runs; a process that
 * is started later finds it as it is then. Lives in the virtual time of one {@link SimClock}.
 */
final class JumpyClock implements Clock {
    private final SimClock real;
    private final Duration atStart;
    private Duration offset;

    JumpyClock(SimClock real, Duration offset) {
        this.real = real;
        this.atStart = offset;
        this.offset = offset;
    }

    /** How far it is ahead of the world. */
    Duration offset() {
        return offset;
    }

    void set(Duration ahead) {
        offset = ahead;
    }

    @Override
    public Instant now() {
        return real.now().plus(offset);
    }

    @Override
    public Instant steady() {
        return real.now().plus(atStart);
    }

    @Override
    public void sleep(Duration time) {
        real.sleep(time);
    }
}
