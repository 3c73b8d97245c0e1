package dev.berth.wire;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an agent publishes on {@code hm.agent.heartbeat.<agent id>}. Our agents add {@code
 * containers}, {@code processes} and {@code disks} (cids mounted and proven), so that listings need
 * no agent traffic.
 *
 * @param tree the whole message; vitals are under {@code vitals} in BOSH's text form
 */
public record Heartbeat(
        AgentId agent,
        String deployment,
        @Nullable String group,
        @Nullable Long index,
        String jobState,
        @Nullable String instanceId,
        @Nullable Long numberOfProcesses,
        @Nullable List<AgentState.ContainerState> containers,
        Map<String, Object> tree) {
    public static Heartbeat fromTree(AgentId agent, Object tree) {
        Fields f = Fields.of(tree, "heartbeat");
        return new Heartbeat(
                agent,
                f.string("deployment", ""),
                f.optionalString("job"),
                f.optionalInteger("index"),
                f.string("job_state", "unknown"),
                f.optionalString("node_id"),
                f.optionalInteger("number_of_processes"),
                f.has("containers")
                        ? f.list("containers").stream()
                                .map(AgentState.ContainerState::fromTree)
                                .toList()
                        : null,
                f.tree());
    }

    /**
     * What the agent would have said by itself, from its answer to {@code get_state full}; nothing
     * of the spec, which holds secrets.
     */
    public static Heartbeat ofState(AgentId agent, AgentState state) {
        Fields said = Fields.of(state.tree(), "agent state");
        var tree = new LinkedHashMap<String, Object>();
        for (String key :
                List.of(
                        "deployment",
                        "index",
                        "job_state",
                        "configuration_hash",
                        "vitals",
                        "processes",
                        "containers",
                        "disks",
                        "daemon")) {
            if (said.has(key)) {
                tree.put(key, said.tree().get(key));
            }
        }
        if (said.has("job")) {
            tree.put("job", said.object("job").string("name", ""));
        }
        tree.put("node_id", said.string("id", ""));
        tree.put("number_of_processes", said.list("processes").size());
        return fromTree(agent, tree);
    }

    /** The message an agent sends; null containers are left out. */
    public static Map<String, Object> write(
            String deployment,
            @Nullable String group,
            @Nullable Integer index,
            String jobState,
            Map<String, Object> vitals,
            String instanceId,
            int numberOfProcesses,
            List<Map<String, Object>> processes,
            List<Map<String, Object>> containers,
            List<String> disks) {
        var tree =
                new LinkedHashMap<>(
                        Json.of(
                                "deployment",
                                deployment,
                                "job",
                                group,
                                "index",
                                index,
                                "job_state",
                                jobState,
                                "vitals",
                                vitals,
                                "node_id",
                                instanceId,
                                "number_of_processes",
                                numberOfProcesses));
        tree.put("processes", processes);
        tree.put("containers", containers);
        tree.put("disks", disks);
        return tree;
    }
}
