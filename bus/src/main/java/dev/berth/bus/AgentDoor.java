package dev.berth.bus;

import dev.berth.model.AgentId;
import dev.berth.wire.AgentSettings;
import java.util.Collection;
import java.util.Optional;

/** Who may speak on the bus: each agent has a certificate and may use its own subjects only. */
public interface AgentDoor {
    /**
     * Makes credentials and lets them in; durable and in force when it returns. Called before the
     * VM is created.
     */
    AgentSettings.Certificate admit(AgentId agent);

    /** Shuts the agent out; unknown is success. */
    void expel(AgentId agent);

    /**
     * Whether somebody at one of these addresses lately tried to come in and was refused because of
     * a certificate: then the agent there lives, and its silence says nothing about it. Addresses
     * are all there is to go by, as who fails at the handshake has no name.
     */
    default Optional<Refusal> refusal(Collection<String> addresses) {
        return Optional.empty();
    }

    /** Exactly these may speak; used at start, from the store. */
    void reset(Collection<AgentId> agents);
}
