package dev.berth.supervisor;

import java.util.Locale;

/** Where a wished container stands. */
public enum ContainerState {
    /** Some condition for its start is not met; the reason lists what is missing. */
    WAITING,
    /** Its image is being pulled or built. */
    PREPARING,
    /** Its old container is being removed or its new one created. */
    CREATING,
    /** A start was issued, or it runs and its health check has not answered yet. */
    STARTING,
    /** It runs and, where it has a health check, is healthy. */
    UP,
    /** It runs, but its health check fails or did not answer in time. */
    UNREADY,
    /** It was asked to stop. */
    STOPPING,
    /** It failed and is tried again at a known time. */
    BACKOFF,
    /** A one-shot that exited with 0 under the present spec. */
    DONE,
    /** Not wanted at present, or its restart policy forbids another try. */
    STOPPED,
    /** Not wished any more and removed. */
    GONE,
    /** Cannot succeed without a change; tried again every minute, and at once on a change. */
    BLOCKED;

    /** The form in which the agent reports it. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
