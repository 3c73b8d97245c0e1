package dev.berth.bus;

import dev.berth.wire.DiskRefusal;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
    private final transient @Nullable DiskRefusal disk;

    public AgentException(Kind kind, String message) {
        this(kind, message, null);
    }

    public AgentException(Kind kind, String message, @Nullable DiskRefusal disk) {
        super(message);
        this.kind = kind;
        this.disk = disk;
    }

    /** Why the agent does not let a disk be live; empty: it is about something else. */
    public Optional<DiskRefusal> disk() {
        return Optional.ofNullable(disk);
    }

    public Kind kind() {
        return kind;
    }
}
