package dev.berth.director;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.CpiException;
import dev.berth.director.Finding.Repair;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Carries out one repair, in the usual way: with an intent before each act on the cloud and a look
 * before each that cannot be taken back. The deployment's lock is held by the task.
 */
final class DoctorRepairs {
    private final Hands hands;
    private final Converge converge;
    private final RecordKeeper keeper;

    DoctorRepairs(Hands hands, Converge converge, RecordKeeper keeper) {
        this.hands = hands;
        this.converge = converge;
        this.keeper = keeper;
    }

    /** What was done, in words. */
    String make(TaskContext task, Finding finding) throws Exception {
        return switch (finding.repair()) {
            case Repair.ByHand r -> throw new IllegalStateException("not for a program: " + r);
            case Repair.Fix r -> fix(task, finding, r);
            case Repair.DeleteVm r -> deleteVm(task, r.vm());
            case Repair.ForgetVm r -> forgetVm(r.vm());
            case Repair.AdoptDisk r -> adoptDisk(finding, r.disk());
            case Repair.ForgetDisk r -> forgetDisk(r.disk());
            case Repair.RecordHolder r -> {
                hands.store()
                        .update(s -> s.disk(r.disk()).ifPresent(d -> s.saveDisk(d.heldBy(r.vm()))));
                yield r.vm() == null ? "recorded as free" : "recorded as held by " + r.vm();
            }
            case Repair.ReserveAddress r -> {
                boolean got = hands.store().write(s -> s.reserveIp(r.ip()));
                if (!got) {
                    throw new IllegalStateException(
                            r.ip().address() + " was given to another instance meanwhile");
                }
                yield "reserved";
            }
            case Repair.DeleteNetwork r -> deleteNetwork(task, r.network());
            case Repair.KeepRecord r -> {
                keeper.hand(task, r.deployment());
                boolean behind =
                        hands.store().read(s -> keeper.behind(s, r.deployment())).stream()
                                .anyMatch(vm -> vm.cid().value().equals(finding.subject()));
                if (behind) {
                    throw new IllegalStateException("its agent did not take it");
                }
                yield "handed over";
            }
            case Repair.SetMetadata r -> {
                hands.cpi().setVmMetadata(hands.looking(), r.vm(), r.metadata());
                yield "set";
            }
        };
    }

    private String fix(TaskContext task, Finding finding, Repair.Fix fix) throws Exception {
        Rows.Instance i = DoctorLook.instance(hands, fix.instance());
        if (i == null) {
            return "the instance is gone";
        }
        Map<String, Object> jobs = Json.of(i.group(), List.of(i.id().value()));
        // A person who named the VM has been told that it is replaced.
        String silent = fix.needsYes() ? "replace" : "";
        return converge.repair(
                        Json.of("deployment", finding.deployment(), "jobs", jobs, "silent", silent))
                .run(task);
    }

    /** What has a disk is not deleted, whatever was seen before (rules R1 and R3). */
    private String deleteVm(TaskContext task, VmCid vm) {
        List<CloudObject> now = hands.cpi().inventory(hands.looking());
        boolean holds =
                now.stream()
                        .anyMatch(o ->
                                o.kind() == CloudObject.Kind.DISK && vm.equals(o.attachedTo()));
        boolean ours =
                now.stream()
                        .anyMatch(
                                o -> o.kind() == CloudObject.Kind.VM && o.cid().equals(vm.value()));
        boolean active =
                hands.store().read(s -> s.vmsOf(null)).stream()
                        .anyMatch(v -> v.cid().equals(vm) && v.active());
        if (holds || !ours || active) {
            throw new IllegalStateException(
                    holds
                            ? "it has a disk now"
                            : active ? "it stands for an instance now" : "it is gone already");
        }
        hands.journal()
                .perform(
                        task.id(),
                        "delete vm",
                        Json.of("vm", vm.value()),
                        intent -> {
                            try {
                                hands.cpi().deleteVm(hands.context(intent, null), vm);
                            } catch (CpiException e) {
                                if (e.type() != CpiException.Type.VM_NOT_FOUND) {
                                    throw e;
                                }
                            }
                            if (hands.cpi().hasVm(hands.looking(), vm)) {
                                throw new CpiException(
                                        CpiException.Type.CLOUD_ERROR,
                                        "delete_vm was answered, and the VM is still there");
                            }
                            return vm;
                        },
                        (s, gone) ->
                                s.vmsOf(null).stream()
                                        .filter(v -> v.cid().equals(gone))
                                        .forEach(v -> s.deleteVm(v.agent())));
        now.stream()
                .filter(o -> o.cid().equals(vm.value()))
                .map(CloudObject::agent)
                .filter(Objects::nonNull)
                .map(AgentId.class::cast)
                .forEach(hands.door()::expel);
        return "deleted";
    }

    private String deleteNetwork(TaskContext task, String network) {
        return hands.journal()
                .perform(
                        task.id(),
                        "delete network",
                        Json.of("network", network),
                        intent -> {
                            try {
                                hands.cpi().deleteNetwork(hands.context(intent, null), network);
                            } catch (CpiException e) {
                                if (e.type() != CpiException.Type.NETWORK_NOT_FOUND) {
                                    throw e;
                                }
                            }
                            return "deleted";
                        },
                        (s, gone) -> {});
    }

    private String forgetVm(Rows.Vm vm) {
        requireGone(vm.cid());
        hands.store()
                .update(s -> {
                    VmActs.freeDisksOf(s, vm.cid());
                    s.vm(vm.agent()).ifPresent(v -> s.deleteVm(v.agent()));
                });
        hands.door().expel(vm.agent());
        return "forgotten";
    }

    private void requireGone(VmCid vm) {
        if (hands.cpi().hasVm(hands.looking(), vm)) {
            throw new IllegalStateException("VM " + vm + " is there now");
        }
    }

    private String adoptDisk(Finding finding, DiskCid cid) {
        CloudObject object =
                hands.cpi().inventory(hands.looking()).stream()
                        .filter(o ->
                                o.kind() == CloudObject.Kind.DISK && o.cid().equals(cid.value()))
                        .findFirst()
                        .orElseThrow(() -> new IllegalStateException("it is gone"));
        boolean known = hands.store().read(s -> s.disk(cid)).isPresent();
        if (known) {
            return "it is recorded by now";
        }
        VmCid holder = object.attachedTo();
        VmCid held = holder != null && hands.cpi().hasVm(hands.looking(), holder) ? holder : null;
        hands.store()
                .update(s ->
                        s.saveDisk(
                                orphan(object, finding.deployment(), hands.clock().now())
                                        .heldBy(held)));
        return "adopted; berth disks --orphaned shows it";
    }

    /** A disk that no instance claims, by what its labels tell. */
    static Rows.Disk orphan(CloudObject disk, String deployment, java.time.Instant now) {
        Map<String, String> m = disk.metadata();
        String instance =
                m.containsKey("instance_id")
                        ? m.getOrDefault("instance_group", "?") + "/" + m.get("instance_id")
                        : "";
        return new Rows.Disk(
                new DiskCid(disk.cid()),
                null,
                null,
                disk.sizeMb(),
                Map.of(),
                "",
                false,
                now,
                deployment,
                instance,
                null,
                "");
    }

    private String forgetDisk(DiskCid disk) {
        if (hands.cpi().hasDisk(hands.looking(), disk)) {
            throw new IllegalStateException("the cloud has the disk now");
        }
        hands.store().update(s -> s.disk(disk).ifPresent(d -> s.deleteDisk(d.cid())));
        return "forgotten";
    }
}
