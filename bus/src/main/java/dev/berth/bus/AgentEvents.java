package dev.berth.bus;

import dev.berth.model.AgentId;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;

/**
 * What the bus tells about agents. Called one at a time on a thread of the bus: mark and return,
 * never act here.
 */
public interface AgentEvents {
    void heartbeat(Heartbeat heartbeat);

    void alert(AgentId agent, Alert alert);

    /** The agent announced an orderly shutdown. */
    void shutdown(AgentId agent);

    /**
     * The agent's connection opened, as the server saw it; also told of each agent that is there
     * when the director starts and when the bus comes back. May be told twice.
     */
    void connected(AgentId agent);

    /**
     * The agent's connection ended, as the server saw it; a reconnect may have happened already.
     */
    void disconnected(AgentId agent);

    /** The bus itself is away: until {@link #busBack} silence says nothing about agents. */
    default void busLost() {}

    /** The bus is back; agents follow within seconds, each with a {@link #connected}. */
    default void busBack() {}
}
