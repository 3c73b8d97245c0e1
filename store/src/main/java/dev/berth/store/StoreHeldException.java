package dev.berth.store;

/** Another process acts on the store: who that is, and what to do. Nothing was changed. */
public final class StoreHeldException extends RuntimeException {
    private static final long serialVersionUID = 1;

    StoreHeldException(String message) {
        super(message);
    }
}
