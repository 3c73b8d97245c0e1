package dev.berth.director;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;

/** Tells now and then how much of something has come by, and how long the rest may take. */
final class BackupProgress {
    private static final Duration OFTEN = Duration.ofSeconds(2);
    private static final long MIB = 1 << 20;

    private final Clock clock;
    private final TaskLog.StepLog step;
    private final long total;
    private final Instant begun;
    private Instant told;
    private long done;

    /**
     * @param total bytes expected, roughly; 0: unknown
     */
    BackupProgress(Clock clock, TaskLog.StepLog step, long total) {
        this.clock = clock;
        this.step = step;
        this.total = total;
        this.begun = clock.now();
        this.told = begun;
    }

    void add(long bytes) {
        done += bytes;
        Instant now = clock.now();
        if (now.isBefore(told.plus(OFTEN))) {
            return;
        }
        told = now;
        double seconds = Duration.between(begun, now).toMillis() / 1000.0;
        double rate = done / seconds;
        long left = total > done ? Math.round((total - done) / rate) : 0;
        step.progress(
                total > 0 ? (int) Math.min(99, done * 100 / total) : 0,
                done / MIB
                        + (total > 0 ? " of about " + Math.max(total, done) / MIB : "")
                        + " MiB, "
                        + Math.round(rate / MIB)
                        + " MiB/s"
                        + (left > 0 ? ", about " + left + " s left" : ""));
    }
}
