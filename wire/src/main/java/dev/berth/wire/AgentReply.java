package dev.berth.wire;

import dev.berth.model.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A reply of the agent protocol: a value, a running agent call to poll, or a failure. */
public sealed interface AgentReply {
    /** The call is over and answered this. */
    record Value(@Nullable Object value) implements AgentReply {}

    /**
     * The call goes on; ask {@code get_task} with this id.
     *
     * @param progress {@code bytes}, {@code total} and {@code seconds_left} of work that takes
     *     long; mostly empty
     */
    record Running(String agentTaskId, Map<String, Object> progress) implements AgentReply {
        public Running(String agentTaskId) {
            this(agentTaskId, Map.of());
        }
    }

    /** The agent refused or failed. */
    record Failure(String message) implements AgentReply {}

    default Map<String, Object> toTree() {
        return switch (this) {
            case Value v -> Json.of("value", v.value());
            case Running r -> Json.of("value", running(r));
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
            return new Running(
                    String.valueOf(map.get("agent_task_id")),
                    map.get("progress") instanceof Map<?, ?> progress
                            ? Json.asObject(progress)
                            : Map.of());
        }
        return new Value(value);
    }

    private static Map<String, Object> running(Running call) {
        Map<String, Object> tree = Json.of("agent_task_id", call.agentTaskId(), "state", "running");
        if (!call.progress().isEmpty()) {
            tree.put("progress", call.progress());
        }
        return tree;
    }
}
