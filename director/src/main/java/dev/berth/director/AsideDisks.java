package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Disks that a task makes for itself and attaches to a VM beside the VM's own: copies to read,
 * blank ones to fill. From their first moment on they are orphans in the records, so that what a
 * task that dies leaves behind is seen, and goes by itself after its time (rule R3).
 */
final class AsideDisks {
    static final String KIND = "create disk aside";
    private static final String TYPE = "berth:aside:";
    private static final Duration LETTING_GO = Duration.ofSeconds(60);

    private final Hands hands;
    private final TaskContext task;
    private final OrphanedDisks orphans;

    AsideDisks(Hands hands, TaskContext task, OrphanedDisks orphans) {
        this.hands = hands;
        this.task = task;
        this.orphans = orphans;
    }

    private String type() {
        return TYPE + task.id();
    }

    Rows.Disk ofSnapshot(Rows.Instance instance, Rows.Disk like, SnapshotCid snapshot, VmCid near) {
        return make(
                instance,
                like.sizeMb(),
                like.cloudProperties(),
                "",
                Map.of(),
                like.az(),
                intent ->
                        hands.cpi()
                                .createDiskFromSnapshot(
                                        hands.context(intent, null),
                                        snapshot,
                                        like.sizeMb(),
                                        like.cloudProperties(),
                                        near));
    }

    /** Of the other's name, to be formatted and mounted as that one. */
    Rows.Disk blank(Rows.Instance instance, long sizeMb, Rows.Disk like, VmCid near) {
        Map<String, Object> cloudProperties = like.cloudProperties();
        return make(
                instance,
                sizeMb,
                cloudProperties,
                like.name(),
                like.options(),
                like.az(),
                intent ->
                        hands.cpi()
                                .createDisk(
                                        hands.context(intent, null),
                                        sizeMb,
                                        cloudProperties,
                                        near));
    }

    private Rows.Disk make(
            Rows.Instance instance,
            long sizeMb,
            Map<String, Object> cloudProperties,
            String name,
            Map<String, Object> options,
            @Nullable String az,
            Function<IntentId, DiskCid> act) {
        IntentId intent =
                hands.journal()
                        .begin(
                                task.id(),
                                instance.id(),
                                KIND,
                                Json.of(
                                        "size_mb",
                                        sizeMb,
                                        "cloud_properties",
                                        cloudProperties,
                                        "type",
                                        type()),
                                session -> {});
        DiskCid cid;
        try {
            cid = act.apply(intent);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.UNKNOWN) {
                hands.journal().end(intent, "failed: " + e.getMessage(), session -> {});
            }
            throw e;
        }
        Rows.Disk plain = row(cid, instance, sizeMb, cloudProperties, type(), az, hands);
        Rows.Disk row =
                new Rows.Disk(
                        cid,
                        null,
                        null,
                        sizeMb,
                        cloudProperties,
                        type(),
                        false,
                        plain.orphanedAt(),
                        plain.deployment(),
                        plain.instanceName(),
                        az,
                        "",
                        name,
                        options,
                        null);
        hands.journal().end(intent, Journal.DONE, session -> session.saveDisk(row));
        return row;
    }

    static Rows.Disk row(
            DiskCid cid,
            Rows.Instance instance,
            long sizeMb,
            Map<String, Object> cloudProperties,
            String type,
            @Nullable String az,
            Hands hands) {
        return new Rows.Disk(
                cid,
                null,
                null,
                sizeMb,
                cloudProperties,
                type,
                false,
                hands.clock().now(),
                instance.deployment(),
                instance.group() + "/" + instance.id(),
                az,
                "");
    }

    /** Shows it to the VM, whose agent is told of it. */
    void attach(Rows.Disk disk, Rows.Vm vm) {
        IntentId intent =
                hands.journal()
                        .begin(
                                task.id(),
                                vm.instance(),
                                "attach disk",
                                Json.of("vm", vm.cid().value(), "disk", disk.cid().value()),
                                s -> s.saveDisk(disk.heldBy(vm.cid())));
        Object hint;
        try {
            hint = hands.cpi().attachDisk(hands.context(intent, null), vm.cid(), disk.cid());
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.UNKNOWN) {
                hands.journal().end(intent, "failed: " + e.getMessage(), session -> {});
            }
            throw e;
        }
        hands.journal().end(intent, Journal.DONE, session -> {});
        var arguments = new ArrayList<Object>(List.of(disk.cid().value(), hint));
        Map<String, Object> told = DiskRecords.told(disk);
        if (!told.isEmpty()) {
            arguments.add(told);
        }
        Object ignored =
                hands.agents()
                        .call(
                                vm.agent(),
                                "add_persistent_disk",
                                arguments,
                                hands.patience().agentCall());
    }

    /** Takes it from the VM it is attached to; from none is success. */
    void detach(DiskCid cid) {
        Rows.Disk disk = hands.store().read(s -> s.disk(cid)).orElse(null);
        VmCid holder = disk == null ? null : disk.attachedTo();
        if (holder == null) {
            return;
        }
        hands.store().read(s -> s.vmsOf(null)).stream()
                .filter(v -> v.cid().equals(holder))
                .forEach(v -> forgottenBy(v, cid));
        IntentId intent =
                hands.journal()
                        .begin(
                                task.id(),
                                null,
                                "detach disk",
                                Json.of("vm", holder.value(), "disk", cid.value()),
                                session -> {});
        try {
            detach(intent, holder, cid);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.DISK_NOT_ATTACHED
                    && e.type() != CpiException.Type.VM_NOT_FOUND) {
                if (e.type() != CpiException.Type.UNKNOWN) {
                    hands.journal().end(intent, "failed: " + e.getMessage(), session -> {});
                }
                throw e;
            }
        }
        hands.journal()
                .end(
                        intent,
                        Journal.DONE,
                        s -> s.disk(cid).ifPresent(d -> s.saveDisk(d.heldBy(null))));
    }

    /** What was given up a moment ago may still be mounted in the VM: its agent is letting go. */
    private void detach(IntentId intent, VmCid holder, DiskCid cid) {
        Instant giveUp = hands.clock().now().plus(LETTING_GO);
        while (true) {
            try {
                hands.cpi().detachDisk(hands.context(intent, null), holder, cid);
                return;
            } catch (CpiException e) {
                if (e.type() != CpiException.Type.CLOUD_ERROR
                        || hands.clock().now().isAfter(giveUp)) {
                    throw e;
                }
            }
            try {
                hands.clock().sleep(Duration.ofSeconds(1));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new DirectorStopping();
            }
        }
    }

    private void forgottenBy(Rows.Vm vm, DiskCid cid) {
        try {
            Object ignored =
                    hands.agents()
                            .call(
                                    vm.agent(),
                                    "remove_persistent_disk",
                                    List.of(cid.value()),
                                    hands.patience().agentCall());
        } catch (AgentException e) {
            task.log().debug("agent of " + vm.cid() + " keeps a note of " + cid + ": " + e);
        }
    }

    /** Only what is nobody's: an orphan of this very task. */
    void destroy(DiskCid cid) {
        Rows.Disk disk = hands.store().read(s -> s.disk(cid)).orElse(null);
        if (disk != null && disk.orphanedAt() != null && disk.type().equals(type())) {
            detach(cid);
            orphans.destroyOwn(task, cid);
        }
    }

    /** What an earlier run of this task, whose director died, left behind. */
    void destroyLeftOver() {
        hands.store().read(s -> s.orphanedDisks()).stream()
                .filter(d -> d.type().equals(type()))
                .forEach(d -> destroy(d.cid()));
    }
}
