package dev.berth.director;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.monitor.Verdict;
import dev.berth.wire.Heartbeat;
import java.time.Instant;
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

    /** When it was last heard, by a beat or a connection; empty: not since the director started. */
    Optional<Instant> lastSeen(AgentId agent);

    /** What the judge thinks of an instance; empty: it has not looked at it. */
    Optional<Verdict> verdict(InstanceId instance);

    /** Why an instance that should be repaired is not; empty: nothing is waited for. */
    String waitingFor(InstanceId instance);

    /** What the ladder of healing goes by. */
    default DirectorCore.Healing bounds() {
        return DirectorCore.Healing.USUAL;
    }
}
