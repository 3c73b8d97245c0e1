package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentDoor;
import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiContext;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.IntentId;
import dev.berth.store.Store;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The ports through which the director acts, and what it says of itself to those it acts on.
 * Thread-safe as its parts are.
 *
 * @param ids fresh UUIDs; seeded in a simulation
 * @param welcome what every new agent is told about this environment
 */
record Hands(
        Store store,
        Cpi cpi,
        AgentCalls agents,
        AgentDoor door,
        Journal journal,
        AuditTrail trail,
        Clock clock,
        Supplier<String> ids,
        String directorUuid,
        String directorName,
        DirectorCore.Welcome welcome,
        Patience patience,
        Parallel parallel) {
    /**
     * How long to wait; weighed against what BOSH's operators expect.
     *
     * @param agentWait for a new VM's agent (BOSH: 600 s)
     * @param agentCall for a synchronous call (BOSH: 45 s)
     * @param longCall for image pulls and the like
     * @param stop for stopping all containers of an instance (BOSH: 300 s)
     * @param reboot for the agent of a VM that was rebooted because it was silent; then the VM is
     *     replaced
     */
    record Patience(
            Duration agentWait,
            Duration agentCall,
            Duration longCall,
            Duration stop,
            Duration reboot) {
        static final Patience USUAL =
                new Patience(
                        DirectorCore.USUAL_AGENT_WAIT,
                        Duration.ofSeconds(45),
                        Duration.ofMinutes(30),
                        Duration.ofSeconds(300),
                        Duration.ofSeconds(30));

        Patience withAgentWait(Duration wait) {
            return new Patience(wait, agentCall, longCall, stop, reboot);
        }

        Patience withReboot(Duration wait) {
            return new Patience(agentWait, agentCall, longCall, stop, wait);
        }
    }

    CpiContext context(IntentId intent, @Nullable Integer stemcellApiVersion) {
        return new CpiContext(directorUuid, intent.value(), stemcellApiVersion, Map.of());
    }

    /** For looking: calls that make nothing carry no intent. */
    CpiContext looking() {
        return new CpiContext(directorUuid, "look", null, Map.of());
    }

    AgentId newAgentId() {
        return new AgentId(ids.get());
    }
}
