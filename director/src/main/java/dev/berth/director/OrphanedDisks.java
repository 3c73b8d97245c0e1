package dev.berth.director;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.SnapshotCid;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The end of orphaned disks, and the only place where a disk is deleted (rule R3): because a person
 * named it, or because its time is over. Either way a task does it, so that everybody can see it
 * and nothing is done twice. Thread-safe.
 */
public final class OrphanedDisks {
    /** BOSH's default. */
    static final Duration KEPT = Duration.ofDays(5);

    private static final String DELETE = "delete_orphan_disks";
    private static final String SCHEDULER = "scheduler";
    private static final Duration PERIOD = Duration.ofHours(1);

    private final Store store;
    private final Tasks tasks;
    private final Cpi cpi;
    private final Journal journal;
    private final AuditTrail trail;
    private final DirectorIdentity identity;

    /**
     * Registers its kind of task.
     *
     * @param ids fresh UUIDs
     */
    public OrphanedDisks(
            Store store, Tasks tasks, Cpi cpi, DirectorIdentity identity, Supplier<String> ids) {
        this.store = store;
        this.tasks = tasks;
        this.cpi = cpi;
        this.identity = identity;
        this.journal = new Journal(store, tasks.clock(), ids);
        this.trail = new AuditTrail(store, tasks.clock());
        tasks.register(DELETE, payload -> task -> delete(task, new Fields(payload, "task")));
    }

    List<Rows.Disk> list() {
        return store.read(s -> s.orphanedDisks());
    }

    /**
     * Because a person said so.
     *
     * @throws ProblemException the disk belongs to an instance
     */
    Rows.Task delete(DiskCid cid, String user, String contextId) {
        store.read(s -> s.disk(cid)).ifPresent(OrphanedDisks::requireOrphaned);
        return enqueue(List.of(cid.value()), user, contextId);
    }

    private Rows.Task enqueue(List<String> cids, String user, String contextId) {
        return tasks.enqueue(
                DELETE, "delete orphan disks", user, null, contextId, Json.of("cids", cids));
    }

    /**
     * Has those deleted whose time is over; what could not be deleted is tried again the next time.
     *
     * @return when to come again
     */
    Instant turn() {
        // Whichever is earlier: a clock that was set far ahead must not end the time of a disk.
        Instant set = tasks.clock().now();
        Instant passed = tasks.clock().steady();
        Instant now = passed.isBefore(set) ? passed : set;
        Instant next = now.plus(PERIOD);
        List<Rows.Disk> orphans = list();
        List<String> over =
                orphans.stream()
                        .filter(d -> !now.isBefore(end(d)) && d.attachedTo() == null)
                        .map(d -> d.cid().value())
                        .toList();
        if (!over.isEmpty() && !isUnderWay()) {
            enqueue(over, SCHEDULER, "");
        }
        return orphans.stream()
                .map(OrphanedDisks::end)
                .filter(now::isBefore)
                .reduce(next, (a, b) -> a.isBefore(b) ? a : b);
    }

    private boolean isUnderWay() {
        return store
                .read(s -> s.tasks(List.of("queued", "processing", "cancelling"), null, null, 1000))
                .stream()
                .anyMatch(t -> t.type().equals(DELETE) && t.user().equals(SCHEDULER));
    }

    private static Instant end(Rows.Disk disk) {
        return Objects.requireNonNull(disk.orphanedAt()).plus(KEPT);
    }

    private static void requireOrphaned(Rows.Disk disk) {
        if (disk.attachedTo() != null) {
            throw new ProblemException(
                    520000,
                    "Cannot delete disk with CID '"
                            + disk.cid()
                            + "': VM '"
                            + disk.attachedTo()
                            + "' has it; berth doctor tells whose VM that is");
        }
        if (disk.orphanedAt() == null) {
            throw new ProblemException(
                    520000,
                    "Cannot delete disk with CID '"
                            + disk.cid()
                            + "': it belongs to "
                            + disk.instanceName()
                            + " of deployment "
                            + disk.deployment());
        }
    }

    private String delete(TaskContext task, Fields payload) throws Exception {
        List<String> cids = payload.strings("cids");
        journal.settleForRepeat(task.id());
        TaskLog.Stage stage = task.log().stage("Deleting orphaned disks", List.of(), cids.size());
        var resisting = new ArrayList<String>();
        for (String cid : cids) {
            task.checkCancelled();
            try (Locks.Held ignored = task.lock("disk", List.of(cid))) {
                stage.step(cid, step -> delete(task, new DiskCid(cid)));
            } catch (CpiException e) {
                // The others' time is over too.
                resisting.add(cid + ": " + e.getMessage());
            }
        }
        if (!resisting.isEmpty()) {
            throw new ProblemException(
                    520000,
                    resisting.size()
                            + " of "
                            + cids.size()
                            + " orphaned disks cannot be deleted: "
                            + String.join("; ", resisting));
        }
        return "orphaned disk(s) " + String.join(", ", cids) + " deleted";
    }

    private void delete(TaskContext task, DiskCid cid) {
        Optional<Rows.Disk> row = store.read(s -> s.disk(cid));
        if (row.isEmpty()) {
            task.log().debug("disk " + cid + " is unknown, and so deleted");
            return;
        }
        requireOrphaned(row.get());
        trail.around(
                task,
                new AuditTrail.Act("delete", "disk", cid.value(), null, origin(row.get())),
                () -> {
                    destroy(task, cid);
                    return cid.value();
                });
    }

    private static Map<String, Object> origin(Rows.Disk disk) {
        @Nullable Instant orphaned = disk.orphanedAt();
        return Json.of(
                "deployment",
                disk.deployment(),
                "instance",
                disk.instanceName(),
                "orphaned_at",
                orphaned == null ? null : Times.utc(orphaned));
    }

    private void destroy(TaskContext task, SnapshotCid cid) {
        journal.perform(
                task.id(),
                "delete snapshot",
                Json.of("cid", cid.value()),
                intent -> {
                    task.log().cpi("delete_snapshot " + cid);
                    try {
                        cpi.deleteSnapshot(identity.context(intent), cid);
                    } catch (CpiException e) {
                        if (e.type() != CpiException.Type.DISK_NOT_FOUND) {
                            throw e;
                        }
                    }
                    return cid;
                },
                (session, deleted) -> session.deleteSnapshot(deleted));
    }

    /** At the word of a person who asked for the task that made the disk for itself. */
    void destroyOwn(TaskContext task, DiskCid cid) {
        store.read(s -> s.disk(cid)).ifPresent(OrphanedDisks::requireOrphaned);
        destroy(task, cid);
    }

    /** Its snapshots go first: they are worth nothing to anybody without it. */
    private void destroy(TaskContext task, DiskCid cid) {
        store.read(s -> s.snapshots(cid)).forEach(s -> destroy(task, s.cid()));
        journal.perform(
                task.id(),
                "delete_disk",
                Json.of("cid", cid.value()),
                intent -> {
                    task.log().cpi("delete_disk " + cid);
                    try {
                        cpi.deleteDisk(identity.context(intent), cid);
                    } catch (CpiException e) {
                        if (e.type() != CpiException.Type.DISK_NOT_FOUND) {
                            throw e;
                        }
                    }
                    return cid;
                },
                (session, deleted) -> session.deleteDisk(deleted));
    }
}
