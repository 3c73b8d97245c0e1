package dev.berth.store;

/** The database failed: full disk, lost connection, broken file. The transaction did not happen. */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
