package dev.berth.engine;

import org.jspecify.annotations.Nullable;

/** The engine refused a call, or did not answer it. */
public final class EngineException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** HTTP status of the refusal; 0: no answer, so the call may or may not have happened. */
    private final int status;

    public EngineException(int status, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    public EngineException(int status, String message) {
        this(status, message, null);
    }

    public int status() {
        return status;
    }

    public boolean isNotFound() {
        return status == 404;
    }

    public boolean isConflict() {
        return status == 409;
    }

    /** No answer: look before doing anything else. */
    public boolean isUnknown() {
        return status == 0;
    }
}
