package dev.berth.director;

import dev.berth.planner.Plan;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Carries out the steps of one instance, in order, each with its intent written before the act. Not
 * thread-safe; one run per instance at a time, which the deployment's lock guarantees.
 */
final class InstanceRun {
    private final Hands hands;
    private final TaskContext task;
    private final InstancePlan plan;
    private final InstanceContext on;
    private final VmActs vm;
    private final DiskActs disk;
    private final ContainerActs containers;
    private final DiskResizing resizing;
    private String daemonTold = "";
    private TaskLog.@Nullable StepLog log;
    private int percent;

    InstanceRun(
            Hands hands,
            DeployScope scope,
            TaskContext task,
            InstancePlan plan,
            Plan.WatchTime watch) {
        this.hands = hands;
        this.task = task;
        this.plan = plan;
        this.on = new InstanceContext(hands, scope, task, plan);
        this.vm = new VmActs(on);
        this.disk = new DiskActs(on);
        this.containers = new ContainerActs(on, watch);
        this.resizing = new DiskResizing(on, disk, this::progress);
    }

    void run(List<Step> steps, TaskLog.StepLog log) throws InterruptedException {
        begun();
        this.log = log;
        int done = 0;
        for (Step step : steps) {
            task.checkCancelled();
            percent = 100 * done++ / steps.size();
            log.progress(percent, status(step));
            task.log()
                    .debug(
                            "instance="
                                    + plan.name()
                                    + " step='"
                                    + step.verb()
                                    + "' reason='"
                                    + reasons()
                                    + "'");
            run(step);
            if (!daemonTold.isEmpty()) {
                log.progress(100 * done / steps.size(), daemonTold);
                task.log().debug("instance=" + plan.name() + " " + daemonTold);
                daemonTold = "";
            }
        }
    }

    private void progress(String words) {
        if (log != null) {
            log.progress(percent, words);
        }
        task.log().debug("instance=" + plan.name() + " " + words);
    }

    /** Until its end is recorded, the next plan takes this instance for half-changed. */
    private void begun() {
        hands.store()
                .read(s -> s.instance(plan.id()))
                .filter(Rows.Instance::updateCompleted)
                .ifPresent(
                        i -> hands.store().update(s -> s.saveInstance(i.updateCompleted(false))));
    }

    /** What operators of BOSH know these moments as, where BOSH has a name for them. */
    private static String status(Step step) {
        return switch (step) {
            case Step.Prepare s -> "installing packages";
            case Step.StopContainers s -> "stopping jobs";
            case Step.Apply s -> "configuring jobs";
            case Step.StartContainers s -> "starting jobs";
            case Step.AwaitRunning s -> "waiting for containers";
            case Step.WelcomeAgent s -> "waiting for agent";
            case Step.GrowDisk s -> "growing disk";
            case Step.CopyDisk s -> "copying disk";
            case Step.CreateVm s -> "creating vm";
            case Step.DeleteVm s -> "deleting vm";
            default -> step.verb();
        };
    }

    /** What an operator will one day ask of VMs and disks is kept in the audit trail. */
    private void run(Step step) throws InterruptedException {
        switch (step) {
            case Step.CreateVm s -> told("create", "vm", null, step, () -> on.vm().cid().value());
            case Step.DeleteVm s -> told("delete", "vm", s.vm().value(), step);
            case Step.StartVm s -> told("start", "vm", s.vm().value(), step);
            case Step.CreateDisk s ->
                    told(
                            "create",
                            "disk",
                            null,
                            step,
                            () -> on.disk(s.disk().name()).cid().value());
            case Step.OrphanDisk s -> told("orphan", "disk", s.disk().value(), step);
            default -> act(step);
        }
    }

    private void told(String action, String type, String name, Step step)
            throws InterruptedException {
        told(action, type, name, step, () -> name);
    }

    private void told(
            String action,
            String type,
            @Nullable String name,
            Step step,
            Supplier<String> nameAfter)
            throws InterruptedException {
        hands.trail()
                .around(
                        task,
                        new AuditTrail.Act(
                                action, type, name, plan.name(), Map.of("reason", reasons())),
                        () -> {
                            act(step);
                            return nameAfter.get();
                        });
    }

    private void act(Step step) throws InterruptedException {
        switch (step) {
            case Step.CreateVm s -> vm.createVm(s.shape());
            case Step.WelcomeAgent s -> vm.welcomeAgent();
            case Step.CreateDisk s -> disk.createDisk(s.disk(), null);
            case Step.AttachDisk s -> disk.attachDisk(s);
            case Step.MountDisk s -> disk.mountDisk(s.disk());
            case Step.GrowDisk s -> resizing.grow(s);
            case Step.CopyDisk s -> resizing.copy(s.to());
            case Step.UnmountDisk s -> disk.unmountDisk(s.disk());
            case Step.DetachDisk s -> disk.detachDisk(s.vm(), s.disk());
            case Step.OrphanDisk s -> disk.orphanDisk(s.disk());
            case Step.Prepare s -> daemonTold = containers.prepare();
            case Step.StopContainers s -> {
                resizing.stopping();
                containers.stopContainers(s.leaving());
            }
            case Step.Apply s -> daemonTold = containers.apply();
            case Step.StartContainers s -> containers.startContainers();
            case Step.AwaitRunning s -> {
                containers.awaitRunning();
                resizing.running();
            }
            case Step.DeleteVm s -> vm.deleteVm(s.vm());
            case Step.StartVm s -> vm.startVm(s.vm());
            case Step.SetMetadata s -> vm.setMetadata(s.vm());
            case Step.RecordState s -> containers.recordState(s.state());
            case Step.RenameInstance s -> disk.place(s.group(), s.index(), s.az());
            case Step.MoveInstance s -> disk.place(plan.group(), plan.index(), s.az());
            case Step.RemoveInstance s ->
                    hands.store().update(session -> session.deleteInstance(plan.id()));
        }
    }

    private String reasons() {
        return plan.changes().stream().map(Plan.Change::reason).collect(Collectors.joining("; "));
    }
}
