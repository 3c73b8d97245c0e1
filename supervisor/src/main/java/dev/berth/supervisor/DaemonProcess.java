package dev.berth.supervisor;

import java.time.Instant;
import java.util.Optional;

/**
 * The port to the process of the Docker daemon. Signals go to that one process, never to its group:
 * containers outlive it.
 */
public interface DaemonProcess {
    /**
     * A living daemon.
     *
     * @param startedAt tells one life from the next when a pid is used again
     */
    record Alive(long pid, Instant startedAt) {}

    /** The daemon that runs, by its pid file and the process table; empty when there is none. */
    Optional<Alive> find();

    /** Starts a daemon that outlives this process; returns without waiting until it answers. */
    void start();

    void signal(long pid, Signal signal);

    /**
     * Whether a daemon may be started now: one whose images are on the persistent disk waits for
     * it.
     */
    default boolean mayStart() {
        return true;
    }

    /** What a daemon is told. */
    enum Signal {
        /** Write all stacks to the log: what it hung on is worth knowing. */
        DUMP,
        TERM,
        /** Read the settings again. */
        RELOAD,
        KILL
    }
}
