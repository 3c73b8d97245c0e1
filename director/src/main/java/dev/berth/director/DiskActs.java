package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.planner.Desired;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.wire.DiskRefusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is done with the persistent disks of one instance; rule R1 is kept here. */
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

    /**
     * @param copyOf null: it is the live one; else it is to be filled from this one
     */
    DiskCid createDisk(Desired.DiskWish wish, @Nullable DiskCid copyOf) {
        Map<String, Object> options = DiskRecords.options(wish);
        Map<String, Object> payload =
                Json.of(
                        "size_mb",
                        wish.sizeMb(),
                        "cloud_properties",
                        wish.cloudProperties(),
                        "type",
                        wish.type(),
                        "name",
                        wish.name(),
                        "options",
                        options);
        if (copyOf != null) {
            payload.put("copy_of", copyOf.value());
        }
        IntentId intent = on.begin("create disk", payload, s -> {});
        try {
            VmCid near =
                    hands.store().read(s -> s.activeVm(plan.id())).map(Rows.Vm::cid).orElse(null);
            DiskCid cid =
                    hands.cpi()
                            .createDisk(
                                    hands.context(intent, null),
                                    wish.sizeMb(),
                                    wish.cloudProperties(),
                                    near);
            on.end(intent, Journal.DONE, s -> s.saveDisk(newDisk(cid, wish, options, copyOf)));
            return cid;
        } catch (CpiException e) {
            on.endUnlessUnknown(intent, e);
            throw e;
        }
    }

    private Rows.Disk newDisk(
            DiskCid cid,
            Desired.DiskWish wish,
            Map<String, Object> options,
            @Nullable DiskCid copyOf) {
        return new Rows.Disk(
                cid,
                plan.id(),
                null,
                wish.sizeMb(),
                wish.cloudProperties(),
                wish.type(),
                copyOf == null,
                null,
                scope.deployment(),
                plan.name(),
                plan.az(),
                "",
                wish.name(),
                options,
                copyOf);
    }

    void attachDisk(Step.AttachDisk step) {
        Rows.Disk disk = on.disk(step.disk());
        attachDisk(
                disk.as(
                        disk.sizeMb(),
                        disk.type(),
                        DiskRecords.mounted(disk.options(), step.mountOptions())));
    }

    void attachDisk(Rows.Disk disk) {
        Rows.Vm vm = on.vm();
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
        var arguments = new ArrayList<Object>(List.of(disk.cid().value(), hint));
        Map<String, Object> told = DiskRecords.told(disk);
        if (!told.isEmpty()) {
            arguments.add(told);
        }
        on.call(vm, "add_persistent_disk", arguments, hands.patience().agentCall());
        if (DiskRecords.isRaw(disk)) {
            associate(vm);
        }
        setMetadata(disk);
    }

    /** As in BOSH, the agent links the devices of raw disks where jobs look for them. */
    private void associate(Rows.Vm vm) {
        List<Object> all = new ArrayList<>();
        for (Rows.Disk disk : hands.store().read(s -> s.disks(plan.id()))) {
            if (DiskRecords.isRaw(disk) && vm.cid().equals(disk.attachedTo())) {
                all.add(Json.of("name", disk.name(), "cid", disk.cid().value()));
            }
        }
        on.call(
                vm,
                "update_settings",
                List.of(Json.of("trusted_certs", "", "disk_associations", all)),
                hands.patience().agentCall());
    }

    /** What a lost store is rebuilt from where no agent answers. */
    private void setMetadata(Rows.Disk disk) {
        DiskCid copyOf = disk.copyOf();
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
                                    "disk_name",
                                    disk.name(),
                                    "copy_of",
                                    copyOf == null ? "" : copyOf.value(),
                                    "attached_at",
                                    hands.clock().now().toString()));
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
        }
    }

    /** Has the agent prove and mount the live disk of that name. */
    void mountDisk(String name) {
        Rows.Disk disk = on.disk(name);
        try {
            if (DiskRecords.isRevived(disk)) {
                revive(disk);
            } else {
                mountDisk(disk.cid());
            }
        } catch (AgentException e) {
            if (e.disk().filter(why -> corrected(disk, why)).isEmpty()) {
                throw e;
            }
        }
    }

    /**
     * Nobody could say before that another disk has taken the place of this one: its agent was
     * gone. What is written on the disk says so now.
     *
     * @return whether it is mounted after all
     * @throws RecordsCorrected another is the live one, and is recorded as such now
     */
    private boolean corrected(Rows.Disk disk, DiskRefusal why) {
        Rows.Disk other =
                on.leftOver(disk.name()).stream()
                        .filter(d -> d.cid().equals(why.other()))
                        .findFirst()
                        .orElse(null);
        if (other == null) {
            return false; // it is of another story
        }
        return switch (why.reason()) {
            case SUPERSEDED -> {
                if (!disk.cid().equals(other.copyOf())) {
                    yield false;
                }
                hands.store().update(s -> LiveDisks.takesThePlaceOf(s, other.cid(), disk.cid()));
                throw new RecordsCorrected(LiveDisks.took(other.cid(), disk.cid()));
            }
            case UNFINISHED_COPY -> {
                // Its mark is the last thing that a copy loses, and only beside its original.
                attachDisk(other);
                mountDisk(disk.cid());
                yield true;
            }
        };
    }

    /** A person attached it: that another took its place once does not count any more. */
    private void revive(Rows.Disk disk) {
        on.agentAct(
                "mount disk",
                "mount_disk",
                List.of(disk.cid().value(), Json.of("revive", true)),
                hands.patience().longCall());
        hands.store()
                .update(s ->
                        s.disk(disk.cid())
                                .ifPresent(d ->
                                        s.saveDisk(
                                                d.as(
                                                        d.sizeMb(),
                                                        d.type(),
                                                        DiskRecords.revived(d.options(), false)))));
    }

    void mountDisk(DiskCid disk) {
        on.agentAct("mount disk", "mount_disk", List.of(disk.value()), hands.patience().longCall());
    }

    /**
     * Grows it in place.
     *
     * @return the agent's answer; null where it was not asked; empty where the CPI cannot
     */
    Growth growDisk(Step.GrowDisk step) {
        Rows.Disk disk = on.disk(step.to().name());
        if (!disk.cid().equals(step.disk())) {
            throw new IllegalStateException(disk.cid() + " is not the disk to grow, " + step);
        }
        long sizeMb = step.to().sizeMb();
        IntentId intent =
                on.begin(
                        "grow disk",
                        Json.of("disk", disk.cid().value(), "size_mb", sizeMb),
                        session -> {});
        Object answer = null;
        try {
            hands.cpi().resizeDisk(hands.context(intent, null), disk.cid(), sizeMb);
            // What is on a raw disk is not for the agent to grow.
            if (step.attached() && !step.to().raw()) {
                answer =
                        on.call(
                                on.vm(),
                                "grow_disk",
                                List.of(disk.cid().value()),
                                hands.patience().longCall());
                task.log().debug("disk=" + disk.cid() + " grown: " + Json.write(answer));
            }
        } catch (CpiException e) {
            on.endUnlessUnknown(intent, e);
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED
                    || e.type() == CpiException.Type.NOT_SUPPORTED) {
                task.log().debug("disk=" + disk.cid() + " cannot be grown: " + e.getMessage());
                return new Growth(false, null);
            }
            throw e;
        }
        // The size is recorded last: a crash before this makes the next plan grow again, a no-op
        // for what is grown already.
        on.end(
                intent,
                Journal.DONE,
                s -> s.saveDisk(grown(s.disk(disk.cid()).orElse(disk), step.to())));
        return new Growth(true, answer);
    }

    /**
     * @param answer the agent's; null: it was not asked
     */
    record Growth(boolean grown, @Nullable Object answer) {}

    private static Rows.Disk grown(Rows.Disk disk, Desired.DiskWish to) {
        return disk.as(to.sizeMb(), to.type(), DiskRecords.given(disk.options(), to.manifestMb()));
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

    /** The instance has another name, or lives in another zone, and its disks with it. */
    void place(String group, int index, @Nullable String az) {
        List<Rows.Disk> disks = hands.store().read(s -> s.disks(plan.id()));
        hands.store()
                .update(session -> {
                    session.instance(plan.id())
                            .ifPresent(i -> session.saveInstance(i.placed(group, index, az)));
                    session.disks(plan.id())
                            .forEach(d -> session.saveDisk(d.placed(plan.name(), az)));
                });
        disks.forEach(this::setMetadata);
    }
}
