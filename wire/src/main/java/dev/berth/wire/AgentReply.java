package dev.berth.wire;

import dev.berth.model.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A reply of the agent protocol: a value, a running agent call to poll, or a failure. */
public sealed interface AgentReply {
    /** The call is over and answered this. */
    record Value(@Nullable Object value) implements AgentReply {}

    /** The call goes on; ask {@code get_task} with this id. */
    record Running(String agentTaskId) implements AgentReply {}

    /** The agent refused or failed. */
    record Failure(String message) implements AgentReply {}

    default Map<String, Object> toTree() {
        return switch (this) {
            case Value v -> Json.of("value", v.value());
            case Running r ->
                    Json.of("value", Json.of("agent_task_id", r.agentTaskId(), "state", "running"));
            case Failure f -> Json.of("exception", Json.of("message", f.message()));
        };
    }

    /** Reads what current and old agents send, normalised as the protocol reference tells. */
    static AgentReply fromTree(Object tree) {
        Map<String, Object> reply = Json.asObject(tree);
        Object exception = reply.get("exception");
        if (exception != null) {
            Object message = exception instanceof Map<?, ?> map ? map.get("message") : exception;
            return new Failure(String.valueOf(message));
        }
        Object value = reply.containsKey("value") ? reply.get("value") : reply;
        if (value instanceof Map<?, ?> map
                && "running".equals(map.get("state"))
                && map.get("agent_task_id") != null) {
            return new Running(String.valueOf(map.get("agent_task_id")));
        }
        return new Value(value);
    }
}
