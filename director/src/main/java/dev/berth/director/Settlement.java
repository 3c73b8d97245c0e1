package dev.berth.director;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.SnapshotCid;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Settles what a killed director left open (rule R4): for each open intent it looks at what is
 * there and records that. It never repeats an act; the plan made afterwards does what is still
 * missing. Run before any task.
 */
final class Settlement {
    private static final System.Logger LOG = System.getLogger(Settlement.class.getName());

    private final Hands hands;
    private @Nullable List<CloudObject> inventory;

    Settlement(Hands hands) {
        this.hands = hands;
    }

    /**
     * All of them: at the director's start, before any task runs. What cannot be looked at now
     * stays open; the task that comes to it looks again.
     *
     * @return how many were settled
     */
    int settleAll() {
        List<Rows.Intent> open = hands.store().read(s -> s.openIntents(null));
        int settled = 0;
        for (Rows.Intent intent : open) {
            try {
                settleAndTell(intent);
                settled++;
            } catch (CpiException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "intent={0} kind=''{1}'' cannot be settled yet: {2}",
                        intent.id(),
                        intent.kind(),
                        e.getMessage());
            }
        }
        return settled;
    }

    /**
     * Those of a task, and those of a deployment whose lock the task holds.
     *
     * @throws CpiException the cloud does not say what became of one: nothing may be planned on top
     *     of it, for the plan would do the same a second time
     */
    void settle(long task, String deployment) {
        settle(task, deployment, null);
    }

    /**
     * @param only the instances the task holds; null: all of the deployment. What others have under
     *     way with other instances is theirs
     */
    void settle(long task, String deployment, @Nullable Set<InstanceId> only) {
        hands.store()
                .read(s ->
                        s.openIntents(null).stream()
                                .filter(i ->
                                        i.task() == task || isOf(s, i.instance(), deployment, only))
                                .toList())
                .forEach(this::settleAndTell);
    }

    /** Those about spare VMs, by whoever holds the lock of the pools. */
    void settleSpares() {
        hands.store().read(s -> s.openIntents(null)).stream()
                .filter(i -> List.of(SpareActs.CREATE, SpareActs.DELETE).contains(i.kind()))
                .forEach(this::settleAndTell);
    }

    private static boolean isOf(
            StoreSession s,
            @Nullable InstanceId instance,
            String deployment,
            @Nullable Set<InstanceId> only) {
        return instance != null
                && (only == null || only.contains(instance))
                && s.instance(instance).filter(i -> i.deployment().equals(deployment)).isPresent();
    }

    private void settleAndTell(Rows.Intent intent) {
        String outcome = settle(intent);
        LOG.log(
                System.Logger.Level.INFO,
                "intent={0} kind=''{1}'' settled: {2}",
                intent.id(),
                intent.kind(),
                outcome);
    }

    private String settle(Rows.Intent intent) {
        Fields payload = Fields.of(intent.payload(), intent.kind());
        return switch (intent.kind()) {
            case "create vm" -> createVm(intent, payload);
            case "delete vm" -> deleteVm(intent, payload);
            case SpareActs.CREATE -> createSpare(intent, payload);
            case SpareActs.DELETE -> deleteSpare(intent, payload);
            case "create disk" -> createDisk(intent, payload);
            case "attach disk" -> attachment(intent, payload);
            case "detach disk" -> attachment(intent, payload);
            case "grow disk" -> growDisk(intent, payload);
            case AsideDisks.KIND -> createDiskAside(intent, payload);
            case InstanceSnapshot.KIND -> snapshot(intent, payload);
            // What agents do is idempotent and seen in their state: the next plan looks there.
            default -> end(intent, "left to the next plan");
        };
    }

    private String createVm(Rows.Intent intent, Fields payload) {
        AgentId agent = new AgentId(payload.string("agent"));
        Optional<CloudObject> found =
                made(CloudObject.Kind.VM, intent)
                        .or(() ->
                                inventory().stream()
                                        .filter(o -> agent.equals(o.agent()))
                                        .findFirst());
        InstanceId instance = intent.instance();
        if (found.isEmpty() || instance == null) {
            return end(intent, "did not happen");
        }
        VmCid cid = new VmCid(found.get().cid());
        var shape = payload.object("shape").tree();
        String outcome = "happened: " + cid;
        hands.store()
                .update(session -> {
                    boolean hasActive = session.activeVm(instance).isPresent();
                    session.saveVm(
                            new Rows.Vm(
                                    agent,
                                    cid,
                                    instance,
                                    String.valueOf(shape.get("cpi")),
                                    shape,
                                    !hasActive,
                                    false,
                                    hands.clock().now()));
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    private String deleteVm(Rows.Intent intent, Fields payload) {
        VmCid cid = new VmCid(payload.string("vm"));
        if (hands.cpi().hasVm(hands.looking(), cid)) {
            return end(intent, "did not happen, or not wholly");
        }
        String outcome = "happened";
        hands.store()
                .update(session -> {
                    VmActs.freeDisksOf(session, cid);
                    session.vmsOf(null).stream()
                            .filter(v -> v.cid().equals(cid))
                            .forEach(v -> VmActs.forget(session, v.agent()));
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    /** One that was made has still to be greeted; whether anybody wants it is seen then. */
    private String createSpare(Rows.Intent intent, Fields payload) {
        AgentId agent = new AgentId(payload.string("agent"));
        Optional<CloudObject> found =
                made(CloudObject.Kind.VM, intent)
                        .or(() ->
                                inventory().stream()
                                        .filter(o -> agent.equals(o.agent()))
                                        .findFirst());
        String outcome = found.map(vm -> "happened: " + vm.cid()).orElse("did not happen");
        hands.store()
                .update(session -> {
                    if (found.isPresent()) {
                        VmCid cid = new VmCid(found.get().cid());
                        session.spare(agent).ifPresent(s -> session.saveSpare(s.made(cid)));
                    } else {
                        session.deleteSpare(agent);
                    }
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        if (found.isEmpty()) {
            hands.door().expel(agent);
        }
        return outcome;
    }

    private String deleteSpare(Rows.Intent intent, Fields payload) {
        if (hands.cpi().hasVm(hands.looking(), new VmCid(payload.string("vm")))) {
            return end(intent, "did not happen, or not wholly");
        }
        AgentId agent = new AgentId(payload.string("agent"));
        String outcome = "happened";
        hands.store()
                .update(session -> {
                    session.deleteSpare(agent);
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        hands.door().expel(agent);
        return outcome;
    }

    private String createDisk(Rows.Intent intent, Fields payload) {
        Optional<CloudObject> found = made(CloudObject.Kind.DISK, intent);
        InstanceId instance = intent.instance();
        if (found.isEmpty() || instance == null) {
            return end(intent, "did not happen");
        }
        DiskCid cid = new DiskCid(found.get().cid());
        String outcome = "happened: " + cid;
        String name = payload.string("name", "");
        DiskCid copyOf = payload.has("copy_of") ? new DiskCid(payload.string("copy_of")) : null;
        hands.store()
                .update(session -> {
                    session.instance(instance)
                            .ifPresent(i ->
                                    session.saveDisk(
                                            new Rows.Disk(
                                                    cid,
                                                    i.id(),
                                                    null,
                                                    payload.integer("size_mb"),
                                                    payload.object("cloud_properties").tree(),
                                                    payload.string("type", ""),
                                                    isLive(session, i, name, copyOf),
                                                    null,
                                                    i.deployment(),
                                                    i.group() + "/" + i.id(),
                                                    i.az(),
                                                    "",
                                                    name,
                                                    payload.object("options").tree(),
                                                    copyOf)));
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    /** A second one of a name is nobody's data yet. */
    private static boolean isLive(
            StoreSession session, Rows.Instance i, String name, @Nullable DiskCid copyOf) {
        return copyOf == null
                && session.disks(i.id()).stream()
                        .noneMatch(d -> d.active() && d.name().equals(name));
    }

    /** An orphan from its first moment on. */
    private String createDiskAside(Rows.Intent intent, Fields payload) {
        Optional<CloudObject> found = made(CloudObject.Kind.DISK, intent);
        InstanceId instance = intent.instance();
        if (found.isEmpty() || instance == null) {
            return end(intent, "did not happen");
        }
        DiskCid cid = new DiskCid(found.get().cid());
        String outcome = "happened: " + cid;
        hands.store()
                .update(session -> {
                    session.instance(instance)
                            .map(i ->
                                    AsideDisks.row(
                                            cid,
                                            i,
                                            payload.integer("size_mb"),
                                            payload.object("cloud_properties").tree(),
                                            payload.string("type"),
                                            i.az(),
                                            hands))
                            .ifPresent(session::saveDisk);
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    /** Attached or not is what the cloud says now, whichever way the act went. */
    private String attachment(Rows.Intent intent, Fields payload) {
        VmCid vm = new VmCid(payload.string("vm"));
        DiskCid disk = new DiskCid(payload.string("disk"));
        boolean attached;
        try {
            attached =
                    hands.cpi().hasVm(hands.looking(), vm)
                            && hands.cpi().getDisks(hands.looking(), vm).contains(disk);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
            attached = true; // A CPI that cannot tell: the careful answer is that the VM holds it
            // (R1).
        }
        String outcome = attached ? "attached" : "not attached";
        VmCid holder = attached ? vm : null;
        hands.store()
                .update(session -> {
                    session.disk(disk).ifPresent(d -> session.saveDisk(d.heldBy(holder)));
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    /** It is there and is kept; whether its disk was held all the time nobody knows any more. */
    private String snapshot(Rows.Intent intent, Fields payload) {
        Optional<CloudObject> found = made(CloudObject.Kind.SNAPSHOT, intent);
        DiskCid disk = new DiskCid(payload.string("disk"));
        if (found.isEmpty()) {
            return end(intent, "did not happen");
        }
        var cid = new SnapshotCid(found.get().cid());
        String outcome = "happened: " + cid;
        hands.store()
                .update(session -> {
                    session.disk(disk)
                            .ifPresent(d ->
                                    session.saveSnapshot(
                                            new Rows.Snapshot(
                                                    cid,
                                                    disk,
                                                    payload.string("instance_name"),
                                                    (int) payload.integer("index", 0),
                                                    intent.begunAt(),
                                                    false,
                                                    InstanceSnapshot.CRASH
                                                            + ": the director ended meanwhile",
                                                    payload.string("origin"))));
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    private String growDisk(Rows.Intent intent, Fields payload) {
        DiskCid disk = new DiskCid(payload.string("disk"));
        Optional<CloudObject> found =
                inventory().stream()
                        .filter(o ->
                                o.kind() == CloudObject.Kind.DISK && o.cid().equals(disk.value()))
                        .findFirst();
        String outcome = found.map(o -> "size is " + o.sizeMb() + " MiB").orElse("disk not seen");
        hands.store()
                .update(session -> {
                    // The size alone does not tell whether the agent has grown the file system:
                    // leave the record, and the
                    // next plan grows again, which is a no-op for what is grown already.
                    session.endIntent(intent.id(), outcome, hands.clock().now());
                });
        return outcome;
    }

    private String end(Rows.Intent intent, String outcome) {
        hands.store().update(s -> s.endIntent(intent.id(), outcome, hands.clock().now()));
        return outcome;
    }

    private Optional<CloudObject> made(CloudObject.Kind kind, Rows.Intent intent) {
        return inventory().stream()
                .filter(o -> o.kind() == kind && o.requestId().equals(intent.id().value()))
                .findFirst();
    }

    private List<CloudObject> inventory() {
        if (inventory == null) {
            try {
                inventory = hands.cpi().inventory(hands.looking());
            } catch (CpiException e) {
                if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                    throw e;
                }
                LOG.log(
                        System.Logger.Level.WARNING,
                        "this CPI cannot list what it made: an object made in the instant of a crash may be left over in the cloud");
                inventory = List.of();
            }
        }
        return inventory;
    }
}
