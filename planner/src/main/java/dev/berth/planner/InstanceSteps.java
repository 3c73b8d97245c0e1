package dev.berth.planner;

import dev.berth.model.DiskCid;
import dev.berth.model.VmCid;
import dev.berth.planner.Plan.Change;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the steps that lead one instance from where it is to where it should be. It keeps track of
 * what will hold after the steps so far, so that a plan made after a crash goes on from wherever
 * the last one stopped.
 *
 * <p>R1 lives in {@link #freeDisk} and {@link #deleteVm}: between a disk and its next attachment
 * stands either a detach from its recorded holder or the proof that the holder is gone.
 */
final class InstanceSteps {
    private final List<Step> creation = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final PlanOptions options;

    // What holds after the steps written so far.
    private @Nullable VmCid vm;
    private boolean hasVm;
    private boolean answers;
    private boolean switchedOff;
    private Recorded.@Nullable Disk disk;
    private @Nullable VmCid holder;
    private boolean mounted;
    private boolean halted;
    private boolean prepared;
    private boolean runsAnew;

    private InstanceSteps(Recorded.@Nullable Instance row, Observation seen, PlanOptions options) {
        this.options = options;
        if (row == null) {
            return;
        }
        disk = row.disk();
        holder = disk == null ? null : disk.attachedTo();
        if (row.vm() != null) {
            vm = row.vm().cid();
            hasVm = true;
        }
        switch (seen) {
            case Observation.Answers a -> look(a);
            case Observation.Stopped() -> switchedOff = hasVm;
            case Observation.Silent s -> {}
            case Observation.Gone() -> {}
            case Observation.Unfinished() -> {}
            case Observation.NoVm() -> {}
        }
    }

    private void look(Observation.Answers seen) {
        answers = hasVm;
        halted = seen.jobState().equals("stopped");
        mounted =
                disk != null
                        && vm != null
                        && vm.equals(holder)
                        && (seen.disks() == null || seen.disks().contains(disk.cid().value()));
    }

    /** Steps that may run ahead of the group's turn, and the rest. */
    record Written(List<Step> creation, List<Step> steps) {}

    static Written update(
            Recorded.@Nullable Instance row,
            Observation seen,
            Wish wish,
            List<Change> changes,
            PlanOptions options) {
        var work = new InstanceSteps(row, seen, options);
        if (wish.isDetached()) {
            work.leaveVm();
        } else if (wish.isStarted()) {
            work.start(wish, changes);
        } else {
            work.stop(wish);
        }
        if (!work.creation.isEmpty() || !work.steps.isEmpty() || !changes.isEmpty()) {
            work.steps.add(new Step.RecordState(wish.target()));
        }
        return new Written(work.creation, work.steps);
    }

    /** Everything of the instance goes but the data. */
    static List<Step> delete(Recorded.Instance row, Observation seen, PlanOptions options) {
        var work = new InstanceSteps(row, seen, options);
        work.leaveVm();
        work.orphanDisk();
        work.steps.add(new Step.RemoveInstance());
        return work.steps;
    }

    // --- targets

    private void start(Wish wish, List<Change> changes) {
        boolean alone = !hasVm;
        boolean replace = changes.stream().anyMatch(Differences::replacesVm);
        boolean kept = hasVm && !replace;
        boolean apply = !kept || switchedOff || mustApply(wish, changes);
        if (kept && answers && apply) {
            prepare();
        }
        if (hasVm && replace) {
            leaveVm();
        }
        changeDisk(wish);
        haveVm(wish);
        haveDisk(wish);
        if (alone) {
            runAhead();
        }
        if (kept && has(changes, "restart")) {
            halt(false);
        }
        if (apply) {
            prepare();
            steps.add(new Step.Apply());
        }
        if (apply || runsAnew || halted || has(changes, "state")) {
            steps.add(new Step.StartContainers());
            steps.add(new Step.AwaitRunning());
        }
        refreshMetadata(kept, wish);
    }

    /**
     * As in BOSH, a stopped instance is not moved to a new shape; it is when it is started again.
     * It gets a VM when it has none, its disk, and its containers, which are not started.
     */
    private void stop(Wish wish) {
        boolean alone = !hasVm;
        boolean kept = answers || switchedOff;
        boolean mayRun = switchedOff || (answers && !halted);
        if (kept) {
            freeFromOthers();
            haveVm(wish);
            if (disk != null && wish.disk() != null) {
                haveMounted();
            }
        } else {
            leaveVm();
            changeDisk(wish);
            haveVm(wish);
            haveDisk(wish);
        }
        if (alone) {
            runAhead();
        }
        if (!kept) {
            // Without a wish an agent says that all that it should run is running.
            prepare();
            steps.add(new Step.Apply());
        }
        if (mayRun) {
            steps.add(new Step.StopContainers(false));
        }
        refreshMetadata(kept, wish);
    }

    private boolean mustApply(Wish wish, List<Change> changes) {
        boolean diskComesOrGoes = (disk == null) != (wish.disk() == null);
        return diskComesOrGoes || has(changes, "dirty") || has(changes, "configuration");
    }

    /** Containers stop, the disk comes free, the VM goes. */
    private void leaveVm() {
        if (answers) {
            halt(true);
            freeDisk();
        }
        deleteVm();
        freeDisk();
    }

    // --- parts

    private void runAhead() {
        creation.addAll(steps);
        steps.clear();
    }

    private void refreshMetadata(boolean kept, Wish wish) {
        if (kept && wish.tagsChanged() && vm != null) {
            steps.add(new Step.SetMetadata(vm));
        }
    }

    private void changeDisk(Wish wish) {
        if (disk == null) {
            return;
        }
        freeFromOthers();
        if (wish.disk() == null) {
            halt(false);
            freeDisk();
            orphanDisk();
            return;
        }
        boolean grows = wish.disk().sizeMb() > disk.sizeMb();
        if (grows && !(answers && options.growsAttachedDisks())) {
            halt(false);
            freeDisk();
            steps.add(new Step.GrowDisk(disk.cid(), wish.disk().sizeMb(), false));
        }
    }

    private void haveVm(Wish wish) {
        if (!hasVm) {
            steps.add(new Step.CreateVm(wish.shape()));
            steps.add(new Step.WelcomeAgent());
            hasVm = true;
            runsAnew = true;
        } else if (switchedOff && vm != null) {
            steps.add(new Step.StartVm(vm));
            switchedOff = false;
            runsAnew = true;
        }
    }

    private void haveDisk(Wish wish) {
        Desired.DiskWish wished = wish.disk();
        if (wished == null) {
            return;
        }
        if (disk == null) {
            steps.add(
                    new Step.CreateDisk(wished.sizeMb(), wished.cloudProperties(), wished.type()));
        }
        haveMounted();
        if (disk != null
                && answers
                && options.growsAttachedDisks()
                && wished.sizeMb() > disk.sizeMb()) {
            steps.add(new Step.GrowDisk(disk.cid(), wished.sizeMb(), true));
        }
    }

    /**
     * Attaching what is attached already is harmless, and settles a crash between the cloud's part
     * and the agent's.
     */
    private void haveMounted() {
        if (!mounted) {
            steps.add(new Step.AttachDisk());
            steps.add(new Step.MountDisk());
            mounted = true;
            runsAnew = true;
        }
    }

    private void freeFromOthers() {
        if (holder != null && !holder.equals(vm)) {
            freeDisk();
        }
    }

    private void halt(boolean leaving) {
        if (answers && !halted) {
            steps.add(new Step.StopContainers(leaving));
            halted = true;
        }
    }

    private void prepare() {
        if (!prepared) {
            steps.add(new Step.Prepare());
            prepared = true;
        }
    }

    private void freeDisk() {
        if (disk == null || holder == null) {
            return;
        }
        DiskCid cid = disk.cid();
        if (answers && holder.equals(vm)) {
            steps.add(new Step.UnmountDisk(cid));
        }
        if (!options.goneVms().contains(holder)) {
            steps.add(new Step.DetachDisk(holder, cid));
        }
        holder = null;
        mounted = false;
    }

    private void orphanDisk() {
        if (disk != null) {
            steps.add(new Step.OrphanDisk(disk.cid()));
            disk = null;
        }
    }

    private void deleteVm() {
        if (vm != null) {
            steps.add(new Step.DeleteVm(vm));
            if (vm.equals(holder)) {
                holder = null;
                mounted = false;
            }
        }
        vm = null;
        hasVm = false;
        answers = false;
        switchedOff = false;
    }

    private static boolean has(List<Change> changes, String kind) {
        return changes.stream().anyMatch(c -> c.kind().equals(kind));
    }
}
