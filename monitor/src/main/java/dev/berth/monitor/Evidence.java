package dev.berth.monitor;

/** What was found out about one VM on request. */
public enum Evidence {
    /** The agent answered a ping. */
    ANSWERS,
    /** The cloud says the VM runs, or at least that it knows it. */
    PRESENT,
    /** The cloud has it, switched off. */
    STOPPED,
    /** The cloud has it no more. */
    GONE,
    /**
     * The VM is there, and its agent tries to come in and is refused because of a certificate: it
     * lives. Ground for an alert, and for nothing else.
     */
    REFUSED,
    /** Nobody could be asked. No ground for anything. */
    UNKNOWN;

    boolean isDecisive() {
        return this == STOPPED || this == GONE;
    }
}
