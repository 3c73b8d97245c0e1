package dev.berth.planner;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the director remembers of a deployment.
 *
 * @param takenAddresses every address given out in the whole director, to whomever
 * @param tags of the last successful deploy
 */
public record Recorded(
        List<Instance> instances, Set<String> takenAddresses, Map<String, String> tags) {
    /**
     * @param state wished: {@code started}, {@code stopped}, {@code detached}
     * @param configurationHash of the containers applied last; empty: never
     * @param addresses network name to address
     */
    public record Instance(
            InstanceId id,
            String group,
            int index,
            @Nullable String az,
            String state,
            boolean bootstrap,
            boolean ignored,
            boolean updateCompleted,
            String configurationHash,
            Map<String, String> addresses,
            @Nullable Vm vm,
            @Nullable Disk disk) {}

    public record Vm(AgentId agent, VmCid cid, Step.VmShape shape) {}

    /**
     * @param attachedTo null when to none, as far as is known
     */
    public record Disk(
            DiskCid cid,
            long sizeMb,
            Map<String, Object> cloudProperties,
            String type,
            @Nullable VmCid attachedTo) {}
}
