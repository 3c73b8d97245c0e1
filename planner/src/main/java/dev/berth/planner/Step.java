package dev.berth.planner;

import dev.berth.model.DiskCid;
import dev.berth.model.VmCid;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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

    /** Create a persistent disk of the instance. */
    record CreateDisk(Desired.DiskWish disk) implements Step {}

    /**
     * Attach the instance's live disk of that name to its VM and tell the agent; a disk held
     * elsewhere must have been freed before (R1).
     *
     * @param mountOptions with which it is to be mounted from now on
     */
    record AttachDisk(String disk, List<String> mountOptions) implements Step {}

    /** Have the agent prove and mount the live disk of that name. */
    record MountDisk(String disk) implements Step {}

    /**
     * Grow the disk; {@code attached}: in place under running containers, else detached in between.
     * Where the CPI cannot: attached, it is copied; detached, it stays as it is, and the {@link
     * CopyDisk} that follows does it.
     */
    record GrowDisk(DiskCid disk, Desired.DiskWish to, boolean attached) implements Step {}

    /**
     * Put the data of the live disk of that name onto a new disk that is as wished, which then is
     * the live one, and make the old one an orphan; take up a copy that was cut off, and let go of
     * what others left. Where the live disk is as wished and nothing is left over, nothing happens.
     *
     * @param instead the disk grows in place, and only where the CPI turns out not to be able to is
     *     there anything to do
     */
    record CopyDisk(Desired.DiskWish to, boolean instead) implements Step {}

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

    /** The instance belongs to this group from now on, with its disks and all it has. */
    record RenameInstance(String group, int index, @Nullable String az) implements Step {}

    /** The instance lives in this zone from now on, and so do its disks; it has no VM now. */
    record MoveInstance(@Nullable String az) implements Step {}

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
