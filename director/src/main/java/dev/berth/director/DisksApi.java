package dev.berth.director;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** {@code /disks}: the orphaned ones, and deleting them (rule R3: only by name, by a person). */
final class DisksApi {
    private static final String DELETE = "delete_orphan_disks";

    private final Store store;
    private final Tasks tasks;
    private final Cpi cpi;
    private final Journal journal;
    private final DirectorIdentity identity;

    DisksApi(Store store, Tasks tasks, Cpi cpi, DirectorIdentity identity) {
        this.store = store;
        this.tasks = tasks;
        this.cpi = cpi;
        this.identity = identity;
        this.journal = new Journal(store, tasks.clock(), () -> UUID.randomUUID().toString());
        tasks.register(DELETE, payload -> task -> delete(task, new Fields(payload, "task")));
    }

    void addTo(Router router) {
        for (String path : List.of("/disks", "/orphan_disks")) {
            router.get(path, Access.ADMIN, this::list);
            router.delete(path + "/{cid}", Access.ADMIN, this::delete);
        }
    }

    private Reply list(Call call) {
        return Reply.json(store.read(s -> s.orphanedDisks()).stream().map(DisksApi::json).toList());
    }

    private static Map<String, Object> json(Rows.Disk disk) {
        return Json.of(
                "disk_cid",
                disk.cid().value(),
                "size",
                disk.sizeMb(),
                "az",
                disk.az(),
                "deployment_name",
                disk.deployment(),
                "instance_name",
                disk.instanceName(),
                "cloud_properties",
                disk.cloudProperties(),
                "orphaned_at",
                disk.orphanedAt() == null ? null : Times.utc(disk.orphanedAt()));
    }

    private Reply delete(Call call) {
        String cid = call.parameter("cid");
        if (call.flag("orphan")) {
            throw new ProblemException(
                    520000, "Orphaning a disk by name is not supported; delete its deployment");
        }
        store.read(s -> s.disk(new DiskCid(cid))).ifPresent(DisksApi::requireOrphaned);
        return Reply.task(
                tasks.enqueue(
                                DELETE,
                                "delete orphan disks",
                                call.userName(),
                                null,
                                call.contextId(),
                                Json.of("cids", List.of(cid)))
                        .id());
    }

    private static void requireOrphaned(Rows.Disk disk) {
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
        for (String cid : cids) {
            task.checkCancelled();
            try (Locks.Held ignored = task.lock("disk", List.of(cid))) {
                stage.step(cid, step -> delete(task, new DiskCid(cid)));
            }
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
