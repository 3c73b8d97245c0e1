package dev.berth.wire;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;

/**
 * A request envelope of the agent protocol, published on {@code agent.<agent id>}.
 *
 * @param replyTo four tokens, {@code director.<process>.<agent>.<request>}; agents may publish
 *     nowhere else
 */
public record AgentRequest(int protocol, String method, List<Object> arguments, String replyTo) {
    /**
     * What current directors send; above 2 {@code stop} waits, from 3 {@code list_disk} is
     * asynchronous.
     */
    public static final int PROTOCOL = 3;

    public Map<String, Object> toTree() {
        return Json.of(
                "protocol",
                protocol,
                "method",
                method,
                "arguments",
                arguments,
                "reply_to",
                replyTo);
    }

    public static AgentRequest fromTree(Object tree) {
        Fields f = Fields.of(tree, "agent request");
        return new AgentRequest(
                (int) f.integer("protocol", 0),
                f.string("method"),
                f.list("arguments"),
                f.string("reply_to"));
    }
}
