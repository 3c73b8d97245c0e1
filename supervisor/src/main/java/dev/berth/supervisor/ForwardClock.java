package dev.berth.supervisor;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/**
 * The machine's clock, except that it never goes back. A VM's clock is set now and then, by hours
 * when it was wrong at boot; set back, it would make every time that something waits for lie that
 * far ahead, and a container that waits for its next try would wait for a day. So once the clock
 * was set back, time goes on from where it was, at the pace of the monotonic clock, until the
 * machine's clock has caught up. Forward jumps are followed: at worst something is tried early.
 * Thread-safe.
 */
public final class ForwardClock implements Clock {
    /** Less is the usual correction of a clock that is a little fast, and is waited out. */
    private static final Duration USUAL = Duration.ofSeconds(2);

    private final Clock machine;
    private final LongSupplier nanos;
    private Instant last;
    private long lastNanos;

    public ForwardClock() {
        this(Clock.SYSTEM, System::nanoTime);
    }

    ForwardClock(Clock machine, LongSupplier nanos) {
        this.machine = machine;
        this.nanos = nanos;
        this.last = machine.now();
        this.lastNanos = nanos.getAsLong();
    }

    @Override
    public synchronized Instant now() {
        Instant told = machine.now();
        long present = nanos.getAsLong();
        Instant reckoned = last.plusNanos(Math.max(0, present - lastNanos));
        Instant now = told.isBefore(reckoned.minus(USUAL)) ? reckoned : later(told, last);
        last = now;
        lastNanos = present;
        return now;
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    @Override
    public void sleep(Duration time) throws InterruptedException {
        machine.sleep(time);
    }
}
