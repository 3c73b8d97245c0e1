package dev.berth.agent;

import org.jspecify.annotations.Nullable;

/** An action failed for a reason that the director's task should show as it is. */
final class ActionException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ActionException(String message) {
        this(message, null);
    }

    ActionException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** The text of any failure, never empty. */
    static String words(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
    }
}
