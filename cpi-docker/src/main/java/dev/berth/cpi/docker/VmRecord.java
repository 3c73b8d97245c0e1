package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Map;

/** What is known of a VM beside its container, whose labels cannot change. */
record VmRecord(String director, String requestId, AgentId agent, Map<String, String> metadata) {
    VmRecord(CpiContext context, AgentId agent, Map<String, String> metadata) {
        this(context.directorUuid(), context.requestId(), agent, metadata);
    }

    VmRecord metadata(Map<String, String> next) {
        return new VmRecord(director, requestId, agent, next);
    }

    Map<String, Object> toTree() {
        return Json.of(
                "director",
                director,
                "request_id",
                requestId,
                "agent_id",
                agent.value(),
                "metadata",
                metadata);
    }

    static VmRecord fromTree(Fields f) {
        return new VmRecord(
                f.string("director"),
                f.string("request_id"),
                new AgentId(f.string("agent_id")),
                f.stringMap("metadata"));
    }

    static VmRecord fromLabels(Map<String, String> labels) {
        return new VmRecord(
                labels.getOrDefault(Labels.DIRECTOR, ""),
                labels.getOrDefault(Labels.REQUEST, ""),
                new AgentId(labels.getOrDefault(Labels.AGENT, "unknown")),
                Map.of());
    }
}
