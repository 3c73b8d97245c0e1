package dev.berth.model;

import java.time.Duration;

/**
 * How the instances of a group are updated.
 *
 * @param canaries updated first, and alone; their failure stops the rest
 * @param maxInFlight updated at the same time; ask {@link #inFlight}
 * @param serial whether groups wait for each other
 * @param onFailure what becomes of instances whose new containers do not run in their time
 */
public record UpdatePolicy(
        Share canaries,
        Share maxInFlight,
        WatchTime canaryWatchTime,
        WatchTime updateWatchTime,
        boolean serial,
        VmStrategy vmStrategy,
        AzStrategy azStrategy,
        OnFailure onFailure) {

    /**
     * How long an instance may take to run: looked at from {@code min} on, given up at {@code max}.
     */
    public record WatchTime(Duration min, Duration max) {}

    /** How a VM is replaced. */
    public enum VmStrategy {
        DELETE_CREATE,
        CREATE_SWAP_DELETE
    }

    /** Berth's own: BOSH always stops. */
    public enum OnFailure {
        /** The update ends and says why; what was not reached yet runs on as it was. */
        STOP,
        /** The instances of the group that it reached run their containers of before again. */
        ROLLBACK
    }

    /** Whether zones are updated one after the other when a deployment is new. */
    public enum AzStrategy {
        SERIAL,
        PARALLEL
    }

    /** Canaries among so many instances to update: at most all of them. */
    public int canariesOf(int size) {
        return canaries.countOf(size);
    }

    /** Instances updated at once among so many: at least one. */
    public int inFlight(int size) {
        return Math.max(1, maxInFlight.countOf(size));
    }
}
