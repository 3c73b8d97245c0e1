package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.SnapshotCid;
import dev.berth.store.Rows;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots of the disks of one instance: its containers bring their files to rest, each file
 * system is frozen, the cloud copies, and all goes on. What was to be held and was not is thrown
 * away: a snapshot either is what it says, or there is none.
 */
final class InstanceSnapshot {
    /**
     * Far more than a copy takes that shares blocks, and about what clients of a database bear;
     * copies that take longer want a host that can share blocks, or a stopped instance.
     */
    static final int FREEZE_SECONDS = 30;

    static final String KIND = "snapshot disk";
    static final String FROZEN = "file system consistent (frozen)";
    static final String STOPPED = "file system consistent (instance stopped)";
    static final String CRASH = "crash-consistent at best";

    private final Hands hands;
    private final TaskContext task;
    private final Rows.Instance instance;
    private final String origin;
    private final BackupHookRun hooks;

    InstanceSnapshot(Hands hands, TaskContext task, Rows.Instance instance, String origin) {
        this.hands = hands;
        this.task = task;
        this.instance = instance;
        this.origin = origin;
        this.hooks = new BackupHookRun(hands, task, instance);
    }

    private String name() {
        return instance.group() + "/" + instance.id();
    }

    /** Of all its disks; none without a VM, as with BOSH. */
    List<Rows.Snapshot> take() {
        Optional<Rows.Vm> vm = hands.store().read(s -> s.activeVm(instance.id()));
        List<Rows.Disk> disks =
                hands.store().read(s -> s.disks(instance.id())).stream()
                        .filter(Rows.Disk::active)
                        .toList();
        if (vm.isEmpty() || disks.isEmpty()) {
            return List.of();
        }
        if (!instance.state().equals("started")) {
            return disks.stream().map(d -> snapshot(vm.get(), d)).toList();
        }
        var taken = new ArrayList<Rows.Snapshot>();
        try {
            hooks.pre(vm.get());
            disks.forEach(d -> taken.add(snapshot(vm.get(), d)));
        } finally {
            hooks.post(vm.get());
        }
        return taken;
    }

    private Rows.Snapshot snapshot(Rows.Vm vm, Rows.Disk disk) {
        task.checkCancelled();
        boolean stopped = !instance.state().equals("started");
        String refused =
                stopped
                        ? "the instance is stopped"
                        : DiskRecords.isRaw(disk) ? "a raw disk is not frozen" : freeze(vm, disk);
        boolean frozen = refused.isEmpty();
        IntentId intent =
                hands.journal().begin(task.id(), instance.id(), KIND, payload(disk), session -> {});
        SnapshotCid cid;
        boolean held = true;
        Instant at = hands.clock().now();
        try {
            cid = hands.cpi().snapshotDisk(hands.context(intent, null), disk.cid(), labels(at));
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.UNKNOWN) {
                hands.journal().end(intent, "failed: " + e.getMessage(), session -> {});
            }
            throw e;
        } finally {
            held = !frozen || thaw(vm, disk);
        }
        if (!held) {
            discard(intent, cid);
            throw notHeld(disk);
        }
        var row =
                new Rows.Snapshot(
                        cid,
                        disk.cid(),
                        name(),
                        instance.index(),
                        at,
                        stopped,
                        stopped ? STOPPED : frozen ? FROZEN : CRASH + ": " + refused,
                        origin);
        hands.journal().end(intent, Journal.DONE, session -> session.saveSnapshot(row));
        task.log().debug("snapshot=" + cid + " disk=" + disk.cid() + " " + row.consistency());
        return row;
    }

    private Map<String, Object> payload(Rows.Disk disk) {
        return Json.of(
                "disk",
                disk.cid().value(),
                "instance_name",
                name(),
                "index",
                instance.index(),
                "origin",
                origin);
    }

    private Map<String, String> labels(Instant at) {
        return Map.of(
                "director",
                hands.directorName(),
                "deployment",
                instance.deployment(),
                "job",
                instance.group(),
                "index",
                String.valueOf(instance.index()),
                "instance_id",
                instance.id().value(),
                "agent_id",
                hands.store()
                        .read(s -> s.activeVm(instance.id()))
                        .map(v -> v.agent().value())
                        .orElse(""),
                "taken_at",
                at.toString());
    }

    /** Returns why it could not be frozen; empty: it is. */
    private String freeze(Rows.Vm vm, Rows.Disk disk) {
        try {
            Fields answer =
                    Fields.of(
                            call(vm, "freeze_disk", List.of(disk.cid().value(), FREEZE_SECONDS)),
                            "answer");
            String reason = answer.string("reason", "the agent says no more");
            if (answer.flag("frozen", false)) {
                return "";
            }
            task.log().warning("disk " + disk.cid() + " cannot be frozen: " + reason);
            return reason;
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.UNKNOWN_METHOD) {
                return "its agent cannot freeze disks";
            }
            throw e;
        }
    }

    private boolean thaw(Rows.Vm vm, Rows.Disk disk) {
        try {
            return Fields.of(call(vm, "thaw_disk", List.of(disk.cid().value())), "answer")
                    .flag("held", false);
        } catch (AgentException e) {
            // It thaws by itself; whether it was held until now nobody can say any more.
            task.log().warning("disk " + disk.cid() + ": " + e.getMessage());
            return false;
        }
    }

    private @Nullable Object call(Rows.Vm vm, String method, List<Object> arguments) {
        return hands.agents().call(vm.agent(), method, arguments, hands.patience().longCall());
    }

    private void discard(IntentId intent, SnapshotCid cid) {
        hands.cpi().deleteSnapshot(hands.context(intent, null), cid);
        hands.journal().end(intent, "thrown away: the disk was not held", session -> {});
    }

    private ProblemException notHeld(Rows.Disk disk) {
        return new ProblemException(
                List.of(
                        new Problem(
                                520000,
                                name(),
                                "the copy of disk "
                                        + disk.cid()
                                        + " took longer than the "
                                        + FREEZE_SECONDS
                                        + " s for which writes may be held, and was thrown away",
                                "put the CPI's folder on a file system that shares blocks (XFS,"
                                        + " Btrfs), or stop the instance first")));
    }
}
