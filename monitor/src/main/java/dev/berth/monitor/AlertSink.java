package dev.berth.monitor;

import dev.berth.wire.Alert;

/**
 * Where alerts go. Called on the deciding thread, one at a time and in order: an implementation
 * that may block hands over to a thread of its own.
 */
public interface AlertSink {
    /** The trouble {@code alert.id()} began, or changed; or an agent told something. */
    void raised(Alert alert);

    /** The trouble with that id is over. */
    void resolved(String id, String title);

    /** Something is not done, because. */
    void waiting(String about, String reason);
}
