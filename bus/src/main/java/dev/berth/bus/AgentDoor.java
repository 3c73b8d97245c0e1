package dev.berth.bus;

import dev.berth.model.AgentId;
import dev.berth.wire.AgentSettings;

/** Who may speak on the bus: each agent has a certificate and may use its own subjects only. */
public interface AgentDoor {
    /**
     * Makes credentials and lets them in; durable and in force when it returns. Called before the
     * VM is created.
     */
    AgentSettings.Certificate admit(AgentId agent);

    /** Shuts the agent out; unknown is success. */
    void expel(AgentId agent);

    /** Exactly these may speak; used at start, from the store. */
    void reset(java.util.Collection<AgentId> agents);
}
