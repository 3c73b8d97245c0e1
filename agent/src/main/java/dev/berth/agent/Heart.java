package dev.berth.agent;

import dev.berth.model.Json;
import java.time.Duration;
import java.util.function.IntSupplier;

/**
 * Sends heartbeats: in a steady rhythm, at once after connecting, and a tenth of a second after
 * anything changed, so that who listens need not ask. Before each one the instance's health file is
 * brought up to date. Thread-safe.
 */
final class Heart {
    private static final System.Logger LOG = System.getLogger(Heart.class.getName());

    /** Changes come in bursts (a container and its dependents): one heartbeat tells them all. */
    private static final Duration GATHER = Duration.ofMillis(100);

    private final StateReport report;
    private final Bus bus;
    private final Layout layout;
    private final IntSupplier periodSeconds;
    private boolean now;
    private boolean soon;
    private String lastState = "";

    Heart(StateReport report, Bus bus, Layout layout, IntSupplier periodSeconds) {
        this.report = report;
        this.bus = bus;
        this.layout = layout;
        this.periodSeconds = periodSeconds;
    }

    Thread start() {
        return Thread.ofVirtual().name("heart").start(this::beatForEver);
    }

    /** Without waiting for more. */
    synchronized void beatNow() {
        now = true;
        notifyAll();
    }

    /** Something changed. */
    synchronized void beatSoon() {
        soon = true;
        notifyAll();
    }

    private void beatForEver() {
        try {
            while (true) {
                awaitReason();
                beat();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void awaitReason() throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(periodSeconds.getAsInt()).toNanos();
        for (long left = end - System.nanoTime();
                !now && !soon && left > 0;
                left = end - System.nanoTime()) {
            wait(left / 1_000_000 + 1);
        }
        if (!now && soon) {
            long gathered = System.nanoTime() + GATHER.toNanos();
            for (long left = GATHER.toNanos();
                    !now && left > 0;
                    left = gathered - System.nanoTime()) {
                wait(left / 1_000_000 + 1);
            }
        }
        now = false;
        soon = false;
    }

    private void beat() {
        try {
            var beat = report.heartbeat();
            String state = String.valueOf(beat.get("job_state"));
            if (!state.equals(lastState)) {
                lastState = state;
                DurableFile.write(
                        layout.instance().resolve("health.json"),
                        Json.write(Json.of("state", state)),
                        "rw-r--r--");
            }
            bus.tellMonitor("heartbeat", beat);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "a heartbeat could not be made", e);
        }
    }
}
