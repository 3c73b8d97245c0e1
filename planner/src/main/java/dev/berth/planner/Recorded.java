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
     * @param disks the live ones, and what a copy that was cut off has left
     * @param formerly the name of before, where the instance is taken over from another group;
     *     null: it is not
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
            List<Disk> disks,
            @Nullable String formerly) {
        /** The live disk of that name. */
        @Nullable Disk disk(String name) {
            return live().stream().filter(d -> d.name().equals(name)).findFirst().orElse(null);
        }

        List<Disk> live() {
            return disks.stream().filter(Disk::live).toList();
        }

        /** What is left of copies, of the disk of that name. */
        List<Disk> leftOver(String name) {
            return disks.stream().filter(d -> !d.live() && d.name().equals(name)).toList();
        }

        Instance takenOver(String newGroup, int newIndex, @Nullable String newAz) {
            return new Instance(
                    id,
                    newGroup,
                    newIndex,
                    newAz,
                    state,
                    bootstrap,
                    ignored,
                    updateCompleted,
                    configurationHash,
                    addresses,
                    vm,
                    disks,
                    group + "/" + index);
        }
    }

    public record Vm(AgentId agent, VmCid cid, Step.VmShape shape) {}

    /**
     * @param name among the disks of its instance; empty: the managed one
     * @param fileSystem empty: not known
     * @param live false: the target or the source of a copy, not the disk of the instance
     * @param manifestMb what the manifest asked for when a person gave the disk its size or
     *     attached it, maybe the same; 0: the disk is the manifest's
     * @param attachedTo null when to none, as far as is known
     */
    public record Disk(
            DiskCid cid,
            String name,
            long sizeMb,
            Map<String, Object> cloudProperties,
            String type,
            String fileSystem,
            List<String> mountOptions,
            boolean raw,
            boolean live,
            long manifestMb,
            @Nullable VmCid attachedTo) {
        /** Whether it is as wished but for how it is mounted. */
        public boolean isMadeAs(Desired.DiskWish wish) {
            return sizeMb == wish.sizeMb() && !DiskWay.mustCopy(this, wish);
        }
    }
}
