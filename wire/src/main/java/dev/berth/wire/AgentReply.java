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

    /**
     * The agent refused or failed.
     *
     * @param disk why it does not let a disk be live; null: it is about something else
     */
    record Failure(String message, @Nullable DiskRefusal disk) implements AgentReply {
        public Failure(String message) {
            this(message, null);
        }
    }

    default Map<String, Object> toTree() {
        return switch (this) {
            case Value v -> Json.of("value", v.value());
            case Running r -> Json.of("value", running(r));
            case Failure f -> Json.of("exception", exception(f));
        };
    }

    /** Reads what current and old agents send, normalised as the protocol reference tells. */
    static AgentReply fromTree(Object tree) {
        Map<String, Object> reply = Json.asObject(tree);
        Object exception = reply.get("exception");
        if (exception != null) {
            if (exception instanceof Map<?, ?> map) {
                return new Failure(
                        String.valueOf(map.get("message")),
                        DiskRefusal.fromTree(map.get("disk_refusal")).orElse(null));
            }
            return new Failure(String.valueOf(exception));
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

    private static Map<String, Object> exception(Failure failure) {
        Map<String, Object> tree = Json.of("message", failure.message());
        DiskRefusal disk = failure.disk();
        if (disk != null) {
            tree.put("disk_refusal", disk.toTree());
        }
        return tree;
    }

    private static Map<String, Object> running(Running call) {
        Map<String, Object> tree = Json.of("agent_task_id", call.agentTaskId(), "state", "running");
        if (!call.progress().isEmpty()) {
            tree.put("progress", call.progress());
        }
        return tree;
    }
}
