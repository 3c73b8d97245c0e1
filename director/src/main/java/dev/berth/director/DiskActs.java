package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import java.util.List;
import java.util.Map;

/** What is done with the persistent disk of one instance; rule R1 is kept here. */
final class DiskActs {
    private final InstanceContext on;
    private final Hands hands;
    private final DeployScope scope;
    private final TaskContext task;
    private final InstancePlan plan;

    DiskActs(InstanceContext on) {
        this.on = on;
        this.hands = on.hands();
        this.scope = on.scope();
        this.task = on.task();
        this.plan = on.plan();
    }

    void createDisk(Step.CreateDisk step) {
        IntentId intent =
                on.begin(
                        "create disk",
                        Json.of(
                                "size_mb",
                                step.sizeMb(),
                                "cloud_properties",
                                step.cloudProperties(),
                                "type",
                                step.type()),
                        s -> {});
        try {
            VmCid near =
                    hands.store().read(s -> s.activeVm(plan.id())).map(Rows.Vm::cid).orElse(null);
            DiskCid cid =
                    hands.cpi()
                            .createDisk(
                                    hands.context(intent, null),
                                    step.sizeMb(),
                                    step.cloudProperties(),
                                    near);
            on.end(
                    intent,
                    Journal.DONE,
                    s ->
                            s.saveDisk(
                                    newDisk(
                                            cid,
                                            step.sizeMb(),
                                            step.cloudProperties(),
                                            step.type())));
        } catch (CpiException e) {
            on.endUnlessUnknown(intent, e);
            throw e;
        }
    }

    private Rows.Disk newDisk(
            DiskCid cid, long sizeMb, Map<String, Object> cloudProperties, String type) {
        return new Rows.Disk(
                cid,
                plan.id(),
                null,
                sizeMb,
                cloudProperties,
                type,
                true,
                null,
                scope.deployment(),
                plan.name(),
                plan.az(),
                "");
    }

    void attachDisk() {
        Rows.Vm vm = on.vm();
        Rows.Disk disk = on.disk();
        VmCid holder = disk.attachedTo();
        if (holder != null && !holder.equals(vm.cid())) {
            throw new IllegalStateException(
                    "R1: disk "
                            + disk.cid()
                            + " is held by "
                            + holder
                            + " and must not go to "
                            + vm.cid());
        }
        // The claim is recorded before the call: from here on the disk counts as held, whatever
        // happens.
        IntentId intent =
                on.begin(
                        "attach disk",
                        Json.of("vm", vm.cid().value(), "disk", disk.cid().value()),
                        s -> s.saveDisk(disk.heldBy(vm.cid())));
        Object hint;
        try {
            hint = hands.cpi().attachDisk(hands.context(intent, null), vm.cid(), disk.cid());
        } catch (CpiException e) {
            on.endUnlessUnknown(intent, e);
            throw e;
        }
        on.end(intent, Journal.DONE, session -> {});
        on.call(
                vm,
                "add_persistent_disk",
                List.of(disk.cid().value(), hint),
                hands.patience().agentCall());
        try {
            hands.cpi()
                    .setDiskMetadata(
                            hands.looking(),
                            disk.cid(),
                            Map.of(
                                    "director",
                                    hands.directorName(),
                                    "deployment",
                                    scope.deployment(),
                                    "instance_id",
                                    plan.id().value(),
                                    "instance_group",
                                    plan.group(),
                                    "instance_index",
                                    String.valueOf(plan.index()),
                                    "attached_at",
                                    hands.clock().now().toString()));
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
        }
    }

    void growDisk(Step.GrowDisk step) {
        Rows.Disk disk = on.disk();
        IntentId intent =
                on.begin(
                        "grow disk",
                        Json.of("disk", disk.cid().value(), "size_mb", step.sizeMb()),
                        session -> {});
        try {
            hands.cpi().resizeDisk(hands.context(intent, null), disk.cid(), step.sizeMb());
            if (step.attached()) {
                Object answer =
                        on.call(
                                on.vm(),
                                "grow_disk",
                                List.of(disk.cid().value()),
                                hands.patience().longCall());
                task.log().debug("disk=" + disk.cid() + " grown: " + Json.write(answer));
            }
        } catch (CpiException e) {
            on.endUnlessUnknown(intent, e);
            throw e;
        }
        // The size is recorded last: a crash before this makes the next plan grow again, a no-op
        // for what is grown already.
        on.end(
                intent,
                Journal.DONE,
                s -> s.saveDisk(s.disk(disk.cid()).orElse(disk).ofSize(step.sizeMb())));
    }

    void unmountDisk(DiskCid disk) {
        Rows.Vm vm = on.vm();
        Object listed = on.call(vm, "list_disk", List.of(), hands.patience().agentCall());
        if (listed instanceof List<?> cids && cids.contains(disk.value())) {
            on.agentAct(
                    "unmount disk", "unmount_disk", List.of(disk.value()), hands.patience().stop());
        }
    }

    void detachDisk(VmCid vm, DiskCid cid) {
        on.vms().stream()
                .filter(v -> v.cid().equals(vm))
                .findFirst()
                .ifPresent(v -> on.tolerantCall(v, "remove_persistent_disk", List.of(cid.value())));
        IntentId intent =
                on.begin(
                        "detach disk",
                        Json.of("vm", vm.value(), "disk", cid.value()),
                        session -> {});
        try {
            hands.cpi().detachDisk(hands.context(intent, null), vm, cid);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.DISK_NOT_ATTACHED
                    && e.type() != CpiException.Type.VM_NOT_FOUND) {
                on.endUnlessUnknown(intent, e);
                throw e;
            }
        }
        on.end(
                intent,
                Journal.DONE,
                session -> session.disk(cid).ifPresent(d -> session.saveDisk(d.heldBy(null))));
    }

    void orphanDisk(DiskCid cid) {
        hands.store()
                .update(session ->
                        session.disk(cid)
                                .ifPresent(d -> session.saveDisk(d.orphaned(hands.clock().now()))));
    }
}
