package dev.berth.agent;

import java.util.Map;

/** What the agent says on the bus. Never blocks, never fails; thread-safe. */
interface Bus {
    /**
     * Publishes a reply. While the link is down replies are kept for a while, bounded, and sent
     * when it returns.
     */
    void reply(String subject, byte[] envelope);

    /**
     * Publishes on {@code hm.agent.<topic>.<agent id>}.
     *
     * @param topic {@code heartbeat} (dropped while the link is down: the next one says more),
     *     {@code alert} or {@code shutdown} (kept)
     */
    void tellMonitor(String topic, Map<String, Object> message);

    /** Publishes one message of a session, now or not at all; false: it cannot. */
    default boolean stream(String subject, byte[] message) {
        return false;
    }

    /** The shutdown notice: JSON null. */
    void announceShutdown();
}
