package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.director.CloudProblem.Resolution;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Carries out resolutions of problems: what makes or reboots VMs goes the way of every repair, side
 * by side; the rest with a look before each act that cannot be taken back (rules R1 and R3).
 */
final class CloudCheckActs {
    private static final Duration PING = Duration.ofSeconds(5);

    private final Hands hands;
    private final Converge converge;

    CloudCheckActs(Hands hands, Converge converge) {
        this.hands = hands;
        this.converge = converge;
    }

    /**
     * @param resolved takes the ids of those that were
     * @param failures takes a sentence for each of the others
     */
    void apply(
            TaskContext task,
            String deployment,
            Map<CloudProblem, Resolution> chosen,
            Set<Long> resolved,
            List<String> failures)
            throws Exception {
        var replaced = new ArrayList<CloudProblem>();
        var rebooted = new ArrayList<CloudProblem>();
        var forced = new ArrayList<CloudProblem>();
        for (Map.Entry<CloudProblem, Resolution> entry : chosen.entrySet()) {
            task.checkCancelled();
            CloudProblem p = entry.getKey();
            switch (entry.getValue()) {
                case IGNORE, CLOSE -> resolved.add(p.id());
                case RECREATE_VM, RECREATE_VM_WITHOUT_WAIT, REATTACH_DISK -> replaced.add(p);
                case REBOOT_VM -> rebooted.add(p);
                case REATTACH_DISK_AND_REBOOT -> forced.add(p);
                case DELETE_VM ->
                        one(task, p, entry.getValue(), resolved, failures, this::deleteVm);
                case DELETE_VM_REFERENCE ->
                        one(task, p, entry.getValue(), resolved, failures, this::forgetVm);
                case DELETE_DISK_REFERENCE ->
                        one(task, p, entry.getValue(), resolved, failures, this::forgetDisk);
                case DELETE_DISK ->
                        one(task, p, entry.getValue(), resolved, failures, this::orphanDisk);
                case ACTIVATE_DISK ->
                        one(task, p, entry.getValue(), resolved, failures, this::activateDisk);
            }
        }
        repair(task, deployment, replaced, "replace", resolved, failures);
        repair(task, deployment, rebooted, "reboot", resolved, failures);
        repair(task, deployment, forced, "reboot-all", resolved, failures);
    }

    /** What is done for one problem. */
    private interface Act {
        void run(TaskContext task, CloudProblem problem);
    }

    private void one(
            TaskContext task,
            CloudProblem p,
            Resolution resolution,
            Set<Long> resolved,
            List<String> failures,
            Act act)
            throws Exception {
        try {
            hands.trail()
                    .around(
                            task,
                            new AuditTrail.Act(
                                    "resolve",
                                    p.type().text(),
                                    p.subject(),
                                    p.group() + "/" + p.instance(),
                                    Map.of("resolution", resolution.text())),
                            () -> {
                                act.run(task, p);
                                return p.subject();
                            });
            resolved.add(p.id());
        } catch (DirectorStopping | TaskCancelled e) {
            throw e;
        } catch (Exception e) {
            failures.add("problem " + p.id() + ": " + Failures.message(e));
        }
    }

    private void repair(
            TaskContext task,
            String deployment,
            List<CloudProblem> of,
            String silent,
            Set<Long> resolved,
            List<String> failures)
            throws Exception {
        if (of.isEmpty()) {
            return;
        }
        try {
            of.forEach(this::correctHolder);
            converge.repair(CloudCheck.repair(deployment, of, silent)).run(task);
            of.forEach(p -> resolved.add(p.id()));
        } catch (DirectorStopping | TaskCancelled | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            failures.add(of.stream().map(CloudProblem::id).toList() + ": " + Failures.message(e));
        }
    }

    // --- VMs

    private Rows.Vm vm(CloudProblem p) {
        return hands.store().read(s -> s.vms(p.instance())).stream()
                .filter(v -> v.cid().value().equals(p.subject()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the VM is not recorded any more"));
    }

    private void requireSilent(Rows.Vm vm) {
        try {
            hands.agents().call(vm.agent(), "ping", List.of(), PING);
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.TIMEOUT) {
                return;
            }
        }
        throw new IllegalStateException("agent " + vm.agent() + " answers now: nothing is done");
    }

    private void deleteVm(TaskContext task, CloudProblem p) {
        Rows.Vm vm = vm(p);
        requireSilent(vm);
        hands.journal()
                .perform(
                        task.id(),
                        "delete vm",
                        Json.of("vm", vm.cid().value()),
                        intent -> {
                            try {
                                hands.cpi().deleteVm(hands.context(intent, null), vm.cid());
                            } catch (CpiException e) {
                                if (e.type() != CpiException.Type.VM_NOT_FOUND) {
                                    throw e;
                                }
                            }
                            if (hands.cpi().hasVm(hands.looking(), vm.cid())) {
                                throw new CpiException(
                                        CpiException.Type.CLOUD_ERROR,
                                        "delete_vm was answered, and the VM is still there: its"
                                                + " disks stay with it (R1)");
                            }
                            return vm;
                        },
                        (s, gone) -> {
                            VmActs.freeDisksOf(s, gone.cid());
                            s.deleteVm(gone.agent());
                        });
        hands.door().expel(vm.agent());
    }

    /** Its disks come free only if it is proven gone; else they are held by it as before. */
    private void forgetVm(TaskContext task, CloudProblem p) {
        if (p.subject().isEmpty()) {
            return; // there is no record to forget
        }
        Rows.Vm vm = vm(p);
        boolean there = hands.cpi().hasVm(hands.looking(), vm.cid());
        if (there) {
            requireSilent(vm);
            task.log()
                    .warning(
                            "VM "
                                    + vm.cid()
                                    + " is forgotten and still there: what disks it has stay with"
                                    + " it until the cloud says that it is gone");
        }
        hands.store()
                .update(s -> {
                    if (!there) {
                        VmActs.freeDisksOf(s, vm.cid());
                    }
                    s.deleteVm(vm.agent());
                });
        hands.door().expel(vm.agent());
    }

    // --- disks

    private Rows.Disk disk(CloudProblem p) {
        return hands.store()
                .read(s -> s.disk(new DiskCid(p.subject())))
                .orElseThrow(() -> new IllegalStateException("the disk is not recorded any more"));
    }

    private void forgetDisk(TaskContext task, CloudProblem p) {
        Rows.Disk disk = disk(p);
        if (hands.cpi().hasDisk(hands.looking(), disk.cid())) {
            throw new IllegalStateException("the cloud has the disk now");
        }
        hands.store().update(s -> s.deleteDisk(disk.cid()));
        task.log().warning("disk " + disk.cid() + " is forgotten: the next deploy makes a new one");
    }

    private boolean isMounted(Rows.Disk disk) {
        var instance = disk.instance();
        Rows.Vm vm =
                instance == null
                        ? null
                        : hands.store().read(s -> s.activeVm(instance)).orElse(null);
        if (vm == null) {
            return false;
        }
        Object state = hands.agents().call(vm.agent(), "get_state", List.of(), PING);
        return Fields.of(state, "agent state").strings("disks").contains(disk.cid().value());
    }

    private void orphanDisk(TaskContext task, CloudProblem p) {
        Rows.Disk disk = disk(p);
        if (disk.active()) {
            throw new IllegalStateException("the disk is the live one now");
        }
        VmCid holder = disk.attachedTo();
        if (holder != null && hands.cpi().hasVm(hands.looking(), holder)) {
            throw new IllegalStateException(
                    "VM " + holder + " has the disk attached: deploy again, which goes on with it");
        }
        hands.store().update(s -> s.saveDisk(disk.heldBy(null).orphaned(hands.clock().now())));
    }

    private void activateDisk(TaskContext task, CloudProblem p) {
        Rows.Disk disk = disk(p);
        boolean taken =
                hands.store().read(s -> s.disks(p.instance())).stream()
                        .anyMatch(d -> d.active() && d.name().equals(disk.name()));
        if (taken) {
            throw new IllegalStateException("the instance has an active disk of that name");
        }
        if (!isMounted(disk)) {
            throw new IllegalStateException("the disk is not mounted in the instance's VM");
        }
        hands.store().update(s -> s.saveDisk(disk.live()));
    }

    /** What the record says of its disk's holder and the cloud does not: the cloud is right. */
    private void correctHolder(CloudProblem p) {
        if (p.type() != CloudProblem.Type.MOUNT_INFO_MISMATCH) {
            return;
        }
        hands.cpi().inventory(hands.looking()).stream()
                .filter(o -> o.kind() == dev.berth.cpi.Cpi.CloudObject.Kind.DISK)
                .filter(o -> o.cid().equals(p.subject()))
                .findFirst()
                .ifPresent(o -> {
                    VmCid at = o.attachedTo();
                    VmCid holder = at != null && hands.cpi().hasVm(hands.looking(), at) ? at : null;
                    hands.store()
                            .update(s ->
                                    s.disk(new DiskCid(p.subject()))
                                            .ifPresent(d -> s.saveDisk(d.heldBy(holder))));
                });
    }
}
