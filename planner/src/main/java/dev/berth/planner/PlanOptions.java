package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How to plan, beside what is wished.
 *
 * @param recreate replace every VM that is to run
 * @param fix replace VMs whose agent is silent, instead of refusing
 * @param only instances that may be touched; null: all. With it no instance is made and none is
 *     removed: a repair never decides that something is not wanted
 * @param growsAttachedDisks the CPI can grow a disk under running containers
 * @param fulfilled instances for which this same task has already carried out a restart or recreate
 *     request; without it a task that goes on after a crash would act twice
 * @param goneVms VMs the cloud was asked about and has not: what they held is free (R1)
 * @param disks what may be done with disks
 */
public record PlanOptions(
        boolean recreate,
        boolean fix,
        @Nullable Set<InstanceId> only,
        boolean growsAttachedDisks,
        Set<InstanceId> fulfilled,
        Set<VmCid> goneVms,
        Disks disks) {
    /**
     * @param resizes the CPI can grow disks at all; otherwise they are copied
     * @param movesBetweenAzs the CPI can attach a disk to a VM of another zone
     * @param allowShrink a person has said that disks may become smaller
     * @param keepsGiven the sizes that a person gave to disks, and the disks that one attached as
     *     they are, hold against the manifest; without it, where one has just said what the
     *     manifest is to be, a difference in size is refused
     * @param sizes what a person now wants disks of instances to have, in MiB
     */
    public record Disks(
            boolean resizes,
            boolean movesBetweenAzs,
            boolean allowShrink,
            boolean keepsGiven,
            Map<DiskOf, Long> sizes) {
        public static final Disks USUAL = new Disks(true, true, false, false, Map.of());
    }

    /** The disk of that name of an instance. */
    public record DiskOf(InstanceId instance, String name) {}

    /** An ordinary deploy. */
    public static PlanOptions deploy(boolean growsAttachedDisks) {
        return new PlanOptions(
                false, false, null, growsAttachedDisks, Set.of(), Set.of(), Disks.USUAL);
    }

    /** A repair of some instances: silent agents are replaced, nothing else is touched. */
    public static PlanOptions repair(Set<InstanceId> only, boolean growsAttachedDisks) {
        return new PlanOptions(
                false, true, only, growsAttachedDisks, Set.of(), Set.of(), Disks.USUAL);
    }

    public PlanOptions withRecreate(boolean value) {
        return new PlanOptions(value, fix, only, growsAttachedDisks, fulfilled, goneVms, disks);
    }

    public PlanOptions withFix(boolean value) {
        return new PlanOptions(
                recreate, value, only, growsAttachedDisks, fulfilled, goneVms, disks);
    }

    public PlanOptions withOnly(@Nullable Set<InstanceId> ids) {
        return new PlanOptions(recreate, fix, ids, growsAttachedDisks, fulfilled, goneVms, disks);
    }

    public PlanOptions withFulfilled(Set<InstanceId> ids) {
        return new PlanOptions(recreate, fix, only, growsAttachedDisks, ids, goneVms, disks);
    }

    public PlanOptions withGoneVms(Set<VmCid> vms) {
        return new PlanOptions(recreate, fix, only, growsAttachedDisks, fulfilled, vms, disks);
    }

    public PlanOptions withDisks(Disks value) {
        return new PlanOptions(recreate, fix, only, growsAttachedDisks, fulfilled, goneVms, value);
    }

    boolean mayRemove() {
        return only == null;
    }

    boolean mayTouch(InstanceId id) {
        return only == null || only.contains(id);
    }
}
