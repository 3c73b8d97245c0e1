package dev.berth.bus;

/** An agent call that brought no value. */
public final class AgentException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What kind of failure. */
    public enum Kind {
        /** No answer: the call may or may not have happened. */
        TIMEOUT,
        /** The agent answered with a failure. */
        FAILED,
        /** {@code unknown message}: the agent has no such action. */
        UNKNOWN_METHOD,
        /** The caller cancelled. */
        CANCELLED
    }

    private final Kind kind;

    public AgentException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
