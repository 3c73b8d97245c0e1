package dev.berth.planner;

import dev.berth.model.VmCid;
import dev.berth.planner.Plan.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes the steps that lead one instance from where it is to where it should be. It keeps track of
 * what will hold after the steps so far, so that a plan made after a crash goes on from wherever
 * the last one stopped.
 *
 * <p>R1 lives in {@link DiskSteps} and {@link #deleteVm}.
 */
final class InstanceSteps {
    private final List<Step> creation = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final DiskSteps disks;

    // What holds after the steps written so far.
    private @Nullable VmCid vm;
    private boolean hasVm;
    private boolean answers;
    private boolean switchedOff;
    private boolean halted;
    private boolean prepared;
    private boolean runsAnew;

    private InstanceSteps(Recorded.@Nullable Instance row, Observation seen, PlanOptions options) {
        disks = new DiskSteps(steps, options, row);
        if (row == null) {
            return;
        }
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
        if (vm != null) {
            disks.look(vm, seen);
        }
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
        if (row != null && row.formerly() != null) {
            work.rename(row);
        }
        if (wish.isDetached()) {
            work.leaveVm();
        } else if (wish.isStarted()) {
            work.start(row, wish, changes);
        } else {
            work.stop(row, wish, changes);
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
        work.disks.orphanAll();
        work.steps.add(new Step.RemoveInstance());
        return work.steps;
    }

    // --- targets

    private void start(Recorded.@Nullable Instance row, Wish wish, List<Change> changes) {
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
        changeDisks(wish);
        move(row, wish);
        haveVm(wish);
        haveDisks(wish);
        if (alone) {
            runAhead();
        }
        // A copy goes on under running containers: those that stand still are started first.
        boolean copiesNow = kept && answers && !halted && !runsAnew;
        if (copiesNow) {
            disks.copy(wish);
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
        if (!copiesNow) {
            disks.copy(wish);
        }
        refreshMetadata(kept, wish, changes);
    }

    /**
     * As in BOSH, a stopped instance is not moved to a new shape; it is when it is started again.
     * It gets a VM when it has none, its disks, and its containers, which are not started.
     */
    private void stop(Recorded.@Nullable Instance row, Wish wish, List<Change> changes) {
        boolean alone = !hasVm;
        boolean kept = answers || switchedOff;
        boolean mayRun = switchedOff || (answers && !halted);
        if (kept) {
            disks.freeFromOthers(vm, answers);
            haveVm(wish);
            disks.haveAsTheyAre(wish);
        } else {
            leaveVm();
            changeDisks(wish);
            move(row, wish);
            haveVm(wish);
            haveDisks(wish);
        }
        if (alone) {
            runAhead();
        }
        if (!kept || has(changes, "renamed") || has(changes, "dirty")) {
            // Without a wish an agent says that all that it should run is running; it may be one
            // whose VM was made by an update that did not come to its end.
            prepare();
            steps.add(new Step.Apply());
        }
        if (mayRun) {
            steps.add(new Step.StopContainers(false));
        }
        refreshMetadata(kept, wish, changes);
    }

    private boolean mustApply(Wish wish, List<Change> changes) {
        return disks.comeOrGo(wish)
                || has(changes, "dirty")
                || has(changes, "configuration")
                || has(changes, "renamed");
    }

    /** Containers stop, the disk comes free, the VM goes. */
    private void leaveVm() {
        if (answers) {
            halt(true);
            disks.freeAll(vm, answers);
        }
        deleteVm();
        disks.freeAll(vm, answers);
    }

    // --- parts

    private void runAhead() {
        creation.addAll(steps);
        steps.clear();
    }

    private void refreshMetadata(boolean kept, Wish wish, List<Change> changes) {
        if (kept && (wish.tagsChanged() || has(changes, "renamed")) && vm != null) {
            steps.add(new Step.SetMetadata(vm));
        }
    }

    private void rename(Recorded.Instance row) {
        steps.add(new Step.RenameInstance(row.group(), row.index(), row.az()));
    }

    /** No VM is left then, and so nothing holds the disks in the zone of before. */
    private void move(Recorded.@Nullable Instance row, Wish wish) {
        if (row != null && !hasVm && !Objects.equals(row.az(), wish.az())) {
            steps.add(new Step.MoveInstance(wish.az()));
        }
    }

    private void changeDisks(Wish wish) {
        if (disks.live().stream().anyMatch(held -> disks.mustLetGo(held, wish, answers))) {
            halt(false);
        }
        disks.change(wish, vm, answers);
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

    private void haveDisks(Wish wish) {
        runsAnew |= disks.have(wish, answers);
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

    private void deleteVm() {
        if (vm != null) {
            steps.add(new Step.DeleteVm(vm));
            disks.vmDeleted(vm);
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
