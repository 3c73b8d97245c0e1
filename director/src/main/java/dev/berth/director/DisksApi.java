package dev.berth.director;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code /disks}: the orphaned ones, and what a person does with single disks. Payloads of the
 * tasks are what {@link DiskJobs} and {@link ResizeWish} read.
 */
final class DisksApi {
    static final String ATTACH = "attach_disk";
    static final String ORPHAN = "orphan_disk";
    static final String RESIZE = "resize_disk";

    /** 1 PiB: more is a slip of the hand. */
    private static final long MOST_MB = 1L << 30;

    private final Store store;
    private final Tasks tasks;
    private final OrphanedDisks orphans;

    DisksApi(Store store, Tasks tasks, OrphanedDisks orphans) {
        this.store = store;
        this.tasks = tasks;
        this.orphans = orphans;
    }

    void addTo(Router router) {
        for (String path : List.of("/disks", "/orphan_disks")) {
            router.get(path, Access.ADMIN, this::list);
            router.delete(path + "/{cid}", Access.ADMIN, this::delete);
        }
        router.on("PUT", "/disks/{cid}/attachments", "", Access.ADMIN, this::attach);
        router.on(
                "PUT",
                "/deployments/{d}/instance_groups/{g}/disks",
                "",
                Access.ADMIN,
                this::resize);
    }

    private Reply attach(Call call) {
        String deployment = required(call, "deployment");
        String group = required(call, "job");
        String instance = required(call, "instance_id");
        DeploymentsApi.find(store, deployment);
        String cid = call.parameter("cid");
        return task(
                call,
                ATTACH,
                "attach disk '" + cid + "' to '" + group + "/" + instance + "'",
                deployment,
                Json.of(
                        "deployment",
                        deployment,
                        "group",
                        group,
                        "instance",
                        instance,
                        "cid",
                        cid,
                        "copy",
                        "copy".equals(call.query("disk_properties")),
                        "name",
                        call.query("disk_name") == null ? "" : call.query("disk_name")));
    }

    private static String required(Call call, String name) {
        String value = call.query(name);
        if (value == null || value.isEmpty()) {
            throw new ProblemException(40001, "The query needs '" + name + "'");
        }
        return value;
    }

    /** Berth's own: {@code ?size_mb=N[&instance=ID][&disk=NAME][&allow_shrink=true]}. */
    private Reply resize(Call call) {
        String deployment = DeploymentsApi.find(store, call.parameter("d")).name();
        String group = call.parameter("g");
        String size = required(call, "size_mb");
        if (!size.matches("[1-9]\\d{0,9}") || Long.parseLong(size) > MOST_MB) {
            throw new ProblemException(
                    40005,
                    "size_mb is a number of MiB from 1 to " + MOST_MB + ", not '" + size + "'");
        }
        Map<String, Object> payload =
                Json.of(
                        "deployment",
                        deployment,
                        "group",
                        group,
                        "size_mb",
                        Long.parseLong(size),
                        "allow_shrink",
                        call.flag("allow_shrink"));
        for (Map.Entry<String, String> key :
                Map.of("instance", "instance", "disk", "name").entrySet()) {
            String value = call.query(key.getKey());
            if (value != null) {
                payload.put(key.getValue(), value);
            }
        }
        return task(
                call,
                RESIZE,
                "resize disks of '" + group + "' to " + size + " MB",
                deployment,
                payload);
    }

    private Reply task(
            Call call,
            String type,
            String description,
            @Nullable String deployment,
            Map<String, Object> payload) {
        return Reply.task(
                tasks.enqueue(
                                type,
                                description,
                                call.userName(),
                                deployment,
                                call.contextId(),
                                payload)
                        .id());
    }

    private Reply list(Call call) {
        return Reply.json(orphans.list().stream().map(DisksApi::json).toList());
    }

    private static Map<String, Object> json(Rows.Disk disk) {
        Map<String, Object> json =
                Json.of(
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
        if (!disk.name().isEmpty()) {
            json.put("name", disk.name()); // Berth's own
        }
        return json;
    }

    private Reply delete(Call call) {
        var cid = new DiskCid(call.parameter("cid"));
        if (call.flag("orphan")) {
            String deployment =
                    store.read(s -> s.disk(cid))
                            .map(Rows.Disk::deployment)
                            .filter(d -> store.read(s -> s.deployment(d)).isPresent())
                            .orElse(null);
            return task(call, ORPHAN, "orphan disk", deployment, Json.of("cid", cid.value()));
        }
        return Reply.task(orphans.delete(cid, call.userName(), call.contextId()).id());
    }
}
