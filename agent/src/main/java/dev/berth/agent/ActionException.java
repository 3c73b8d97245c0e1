package dev.berth.agent;

import dev.berth.wire.DiskRefusal;
import org.jspecify.annotations.Nullable;

/** An action failed for a reason that the director's task should show as it is. */
final class ActionException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient @Nullable DiskRefusal disk;

    ActionException(String message) {
        this(message, (Throwable) null);
    }

    ActionException(String message, @Nullable Throwable cause) {
        super(message, cause);
        disk = null;
    }

    ActionException(String message, DiskRefusal disk) {
        super(message);
        this.disk = disk;
    }

    /** Why a disk must not be live, where that is the reason of a failure. */
    static @Nullable DiskRefusal diskOf(Throwable failure) {
        return failure instanceof ActionException action ? action.disk : null;
    }

    /** The text of any failure, never empty. */
    static String words(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
    }
}
