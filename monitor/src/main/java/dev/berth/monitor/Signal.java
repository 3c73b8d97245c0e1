package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.wire.Alert;
import java.util.List;

/** What the judge hears. Any order and any number of copies is harmless. */
public sealed interface Signal {
    /** A heartbeat. */
    record Beat(AgentId agent, Report report) implements Signal {
        /** Of an agent that tells no more than that. */
        public Beat(AgentId agent, String jobState) {
            this(agent, new Report(jobState, null, null));
        }
    }

    record Connected(AgentId agent) implements Signal {}

    record Disconnected(AgentId agent) implements Signal {}

    /** The agent said that its VM goes down. */
    record ShutdownNotice(AgentId agent) implements Signal {}

    record AgentAlert(AgentId agent, Alert alert) implements Signal {}

    /**
     * The answer to {@link Action.AskEvidence}; {@code reason} says why it is unknown or refused.
     */
    record Found(VmCid vm, Evidence evidence, String reason) implements Signal {}

    record FleetKnown(Fleet fleet) implements Signal {}

    /** The end of a {@link Action.Repair}. */
    record RepairEnded(String deployment, List<InstanceId> instances, boolean succeeded, String how)
            implements Signal {}

    /**
     * A repair goes on that an earlier director began; it ends as others do. To be told before the
     * first {@link FleetKnown}, or a second one may begin beside it.
     */
    record RepairGoesOn(String deployment, List<InstanceId> instances) implements Signal {}

    /** What an earlier judge remembered; to be told before the first {@link FleetKnown}. */
    record Recalled(List<Memory> memories) implements Signal {}

    /** Whether repairs are wanted at all. */
    record Resurrection(boolean on) implements Signal {}

    /** Whether the director itself is connected to the bus. */
    record Bus(boolean up) implements Signal {}

    /** The director itself was stopped, or starved: it heard nobody for a while. */
    record Absent() implements Signal {}

    /** Time passed. */
    record Tick() implements Signal {}
}
