package dev.berth.director;

import dev.berth.model.AgentId;
import dev.berth.wire.Heartbeat;
import java.util.Optional;

/**
 * What the agents last said, as the monitor keeps it. Listings ask here: a question to each of a
 * thousand agents would take seconds. Thread-safe, never blocks.
 */
public interface FleetView {
    /** Empty when the agent has not been heard since the director started. */
    Optional<Heartbeat> lastHeartbeat(AgentId agent);

    /** False once the agent has been silent for longer than an agent may be. */
    boolean responsive(AgentId agent);
}
