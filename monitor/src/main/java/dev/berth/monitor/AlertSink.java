package dev.berth.monitor;

import dev.berth.wire.Alert;

/**
 * Where alerts go. Called one at a time and in order, on a thread of its own that may block: what
 * waits is bounded, and what does not fit is dropped with a line in the log.
 */
public interface AlertSink {
    /** The trouble {@code alert.id()} began, or changed; or an agent told something. */
    void raised(Alert alert);

    /** The trouble with that id is over. */
    void resolved(String id, String title);

    /** Something is not done, because. */
    void waiting(String about, String reason);
}
