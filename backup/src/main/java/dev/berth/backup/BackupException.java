package dev.berth.backup;

import java.io.IOException;

/** A backup that is damaged, cut short, of another key, or cannot be reached; says which. */
public final class BackupException extends IOException {
    private static final long serialVersionUID = 1L;

    public BackupException(String message) {
        super(message);
    }

    public BackupException(String message, Throwable cause) {
        super(message, cause);
    }
}
