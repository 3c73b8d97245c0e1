package dev.berth.planner;

import dev.berth.model.DiskCid;
import dev.berth.model.VmCid;
import java.util.List;
import java.util.Map;

/**
 * One thing to do for one instance, in order; the executor is the only place that acts. Each step
 * is safe to meet again after a crash: it is settled by looking first.
 */
public sealed interface Step {
    /**
     * Create the VM of this shape; afterwards the instance has an active VM and no disk attached.
     */
    record CreateVm(VmShape shape) implements Step {}

    /** Wait until the new agent answers; then settings, identity (partial apply) and metadata. */
    record WelcomeAgent() implements Step {}

    /** Create the instance's persistent disk. */
    record CreateDisk(long sizeMb, Map<String, Object> cloudProperties, String type)
            implements Step {}

    /**
     * Attach the instance's disk to its VM and tell the agent; a disk held elsewhere must have been
     * freed before (R1).
     */
    record AttachDisk() implements Step {}

    /** Have the agent prove and mount the disk. */
    record MountDisk() implements Step {}

    /**
     * Grow the disk; {@code attached}: in place under running containers, else detached in between.
     */
    record GrowDisk(DiskCid disk, long sizeMb, boolean attached) implements Step {}

    /** Have the agent unmount the disk if it is mounted. */
    record UnmountDisk(DiskCid disk) implements Step {}

    record DetachDisk(VmCid vm, DiskCid disk) implements Step {}

    /** The disk leaves the instance and is kept as an orphan (R3). */
    record OrphanDisk(DiskCid disk) implements Step {}

    /** Fetch images while the old containers go on running. */
    record Prepare() implements Step {}

    /** pre-stop, drain, stop, post-stop. {@code leaving}: the VM or instance will be deleted. */
    record StopContainers(boolean leaving) implements Step {}

    /** Hand over the wished containers; the supervisor moves what changed and nothing else (R5). */
    record Apply() implements Step {}

    record StartContainers() implements Step {}

    /** Wait for {@code running} within the watch time. */
    record AwaitRunning() implements Step {}

    /** Proof for R1: when done the VM runs no more. */
    record DeleteVm(VmCid vm) implements Step {}

    /** Start a VM that is there but stopped, and wait for its agent. */
    record StartVm(VmCid vm) implements Step {}

    /** Only tags changed. */
    record SetMetadata(VmCid vm) implements Step {}

    /**
     * Record the reached state ({@code started}, {@code stopped}, {@code detached}) and what was
     * applied.
     */
    record RecordState(String state) implements Step {}

    /** The instance and its addresses are forgotten. */
    record RemoveInstance() implements Step {}

    /** Short name for logs and journals: {@code create vm}, {@code attach disk}, ... */
    default String verb() {
        return getClass()
                .getSimpleName()
                .replaceAll("([a-z])([A-Z])", "$1 $2")
                .toLowerCase(java.util.Locale.ROOT);
    }

    /**
     * What a VM is made from; a difference recreates it.
     *
     * @param stemcell {@code name/version}
     * @param env raw, without the director's additions
     * @param networks network name to settings hash, addresses included
     */
    record VmShape(
            String cpi,
            String stemcell,
            String stemcellCid,
            int stemcellApiVersion,
            Map<String, Object> cloudProperties,
            Map<String, Object> env,
            Map<String, Object> networks) {
        public List<String> addresses() {
            return networks.values().stream()
                    .map(n -> n instanceof Map<?, ?> settings ? settings.get("ip") : null)
                    .filter(java.util.Objects::nonNull)
                    .map(Object::toString)
                    .toList();
        }
    }
}
