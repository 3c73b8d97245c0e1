package dev.berth.director;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import java.util.List;
import java.util.Map;

/** {@code /disks}: the orphaned ones, and deleting them. */
final class DisksApi {
    private final OrphanedDisks orphans;

    DisksApi(OrphanedDisks orphans) {
        this.orphans = orphans;
    }

    void addTo(Router router) {
        for (String path : List.of("/disks", "/orphan_disks")) {
            router.get(path, Access.ADMIN, this::list);
            router.delete(path + "/{cid}", Access.ADMIN, this::delete);
        }
    }

    private Reply list(Call call) {
        return Reply.json(orphans.list().stream().map(DisksApi::json).toList());
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
        if (call.flag("orphan")) {
            throw new ProblemException(
                    520000, "Orphaning a disk by name is not supported; delete its deployment");
        }
        var cid = new DiskCid(call.parameter("cid"));
        return Reply.task(orphans.delete(cid, call.userName(), call.contextId()).id());
    }
}
