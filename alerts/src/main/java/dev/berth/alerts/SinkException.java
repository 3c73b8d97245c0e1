package dev.berth.alerts;

/** Somebody could not be told; the message says why and holds no secret. */
public final class SinkException extends Exception {
    private static final long serialVersionUID = 1;

    /** Whether it is worth trying others. */
    public enum Kind {
        /** Nobody there, no access, no time: nothing else would arrive either. */
        AWAY,
        /** It takes others, but not this one. */
        REFUSED
    }

    private final Kind kind;

    public SinkException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
