package dev.berth.alerts;

import java.util.List;

/** Somebody who is told. Thread-safe: a person may test it while it is in use. */
public interface Sink extends AutoCloseable {
    /**
     * Tells; blocks, and ends when the thread is interrupted. A notice that comes a second time is
     * to have the same identity on the other side as the first time.
     *
     * @param notices one, or several where it {@link #takesMany}
     * @return what the other side said, without secrets
     */
    String deliver(List<Notice> notices) throws SinkException, InterruptedException;

    /** Several notices at a time become one message. */
    default boolean takesMany() {
        return false;
    }

    /** Whatever is under way has taken too long. */
    default void abort() {}

    @Override
    default void close() {}
}
