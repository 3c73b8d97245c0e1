package dev.berth.bus;

import dev.berth.model.AgentId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calls to agents, in the agent protocol. Blocking; thread-safe; one call at a time per agent is
 * the caller's duty for asynchronous actions. Secrets in arguments are never logged.
 */
public interface AgentCalls {
    /**
     * Sends and waits for the value; a {@code running} answer is followed by {@code get_task} until
     * it ends, polling at first every few milliseconds and later each second, tolerating lost polls
     * as the protocol reference tells.
     *
     * @param limit for the whole call; for one that became a task it counts from the start
     * @param cancelled asked between polls; true ends the wait, after {@code cancel_task} where the
     *     method supports it
     * @throws AgentException typed: timeout, failure, unknown message, cancelled
     */
    @Nullable Object call(
            AgentId agent,
            String method,
            List<Object> arguments,
            Duration limit,
            BooleanSupplier cancelled);

    /**
     * The same, for work that takes long.
     *
     * @param progress is told what the agent says of how far it is: {@code bytes}, {@code total},
     *     {@code seconds_left}; on the caller's thread, between polls
     */
    default @Nullable Object call(
            AgentId agent,
            String method,
            List<Object> arguments,
            Duration limit,
            BooleanSupplier cancelled,
            Consumer<Map<String, Object>> progress) {
        return call(agent, method, arguments, limit, cancelled);
    }

    default @Nullable Object call(
            AgentId agent, String method, List<Object> arguments, Duration limit) {
        return call(agent, method, arguments, limit, () -> false);
    }

    /**
     * Makes our end of a session; the agent makes its own when it is called to.
     *
     * @throws AgentException when sessions cannot be had on this bus
     */
    default AgentStream stream(AgentId agent) {
        throw new AgentException(AgentException.Kind.UNKNOWN_METHOD, "no sessions on this bus");
    }

    /** Publishes and expects nothing. */
    void tell(AgentId agent, String method, List<Object> arguments);
}
