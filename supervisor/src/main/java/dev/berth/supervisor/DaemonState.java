package dev.berth.supervisor;

/** Where the Docker daemon stands. */
public enum DaemonState {
    /** The watch has just begun. */
    UNKNOWN,
    /** It was started and does not answer yet. */
    STARTING,
    /** It answers; what survived is being taken over. */
    RECONCILE,
    UP,
    /** A probe failed; probed each second until it is clear. */
    SUSPECT,
    /** It runs and does not answer: it is being ended, and nothing but it. */
    HUNG,
    /** There is no daemon; it is started, with a growing delay. */
    DOWN,
    /** Starting it again and again did not help; tried each minute. */
    FAILED;

    /** Whether containers may be acted on. */
    boolean operating() {
        return switch (this) {
            case RECONCILE, UP -> true;
            case UNKNOWN, STARTING, SUSPECT, HUNG, DOWN, FAILED -> false;
        };
    }
}
