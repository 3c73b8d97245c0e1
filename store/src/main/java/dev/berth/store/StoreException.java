package dev.berth.store;

/** The database failed: full disk, lost connection, broken file. The transaction did not happen. */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final boolean unknown;

    public StoreException(String message, Throwable cause) {
        this(message, cause, false);
    }

    StoreException(String message, Throwable cause, boolean unknown) {
        super(message, cause);
        this.unknown = unknown;
    }

    /**
     * True in the one case in which the transaction may have happened after all: the connection (or
     * the disk) failed while the commit was under way. Look before doing it again.
     */
    public boolean isUnknown() {
        return unknown;
    }
}
