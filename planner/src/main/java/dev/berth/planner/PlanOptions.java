package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
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
 */
public record PlanOptions(
        boolean recreate,
        boolean fix,
        @Nullable Set<InstanceId> only,
        boolean growsAttachedDisks,
        Set<InstanceId> fulfilled,
        Set<VmCid> goneVms) {
    /** An ordinary deploy. */
    public static PlanOptions deploy(boolean growsAttachedDisks) {
        return new PlanOptions(false, false, null, growsAttachedDisks, Set.of(), Set.of());
    }

    /** A repair of some instances: silent agents are replaced, nothing else is touched. */
    public static PlanOptions repair(Set<InstanceId> only, boolean growsAttachedDisks) {
        return new PlanOptions(false, true, only, growsAttachedDisks, Set.of(), Set.of());
    }

    public PlanOptions withRecreate(boolean value) {
        return new PlanOptions(value, fix, only, growsAttachedDisks, fulfilled, goneVms);
    }

    public PlanOptions withFix(boolean value) {
        return new PlanOptions(recreate, value, only, growsAttachedDisks, fulfilled, goneVms);
    }

    public PlanOptions withOnly(@Nullable Set<InstanceId> ids) {
        return new PlanOptions(recreate, fix, ids, growsAttachedDisks, fulfilled, goneVms);
    }

    public PlanOptions withFulfilled(Set<InstanceId> ids) {
        return new PlanOptions(recreate, fix, only, growsAttachedDisks, ids, goneVms);
    }

    public PlanOptions withGoneVms(Set<VmCid> vms) {
        return new PlanOptions(recreate, fix, only, growsAttachedDisks, fulfilled, vms);
    }

    boolean mayRemove() {
        return only == null;
    }

    boolean mayTouch(InstanceId id) {
        return only == null || only.contains(id);
    }
}
