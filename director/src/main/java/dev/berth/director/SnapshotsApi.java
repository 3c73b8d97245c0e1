package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.List;
import java.util.Map;

/** Snapshots of a deployment or of one instance: listing, taking, deleting. */
final class SnapshotsApi {
    private static final String ALL = "/deployments/{d}/snapshots";
    private static final String OF_ONE = "/deployments/{d}/jobs/{g}/{i}/snapshots";

    private final Store store;
    private final Tasks tasks;

    SnapshotsApi(Store store, Tasks tasks) {
        this.store = store;
        this.tasks = tasks;
    }

    void addTo(Router router) {
        router.get(ALL, Access.ADMIN, this::list);
        router.get(OF_ONE, Access.ADMIN, this::listOfOne);
        router.on("POST", ALL, "", Access.ADMIN, this::take);
        router.on("POST", OF_ONE, "", Access.ADMIN, this::takeOfOne);
        router.delete(ALL, Access.ADMIN, this::deleteAll);
        router.delete(ALL + "/{cid}", Access.ADMIN, this::delete);
    }

    private String deployment(Call call) {
        return DeploymentsApi.find(store, call.parameter("d")).name();
    }

    private Rows.Instance instance(Call call) {
        return DeploymentsApi.find(
                store, deployment(call), call.parameter("g"), call.parameter("i"));
    }

    private Reply list(Call call) {
        String deployment = deployment(call);
        return Reply.json(
                store.read(s -> s.snapshotsOf(deployment)).stream()
                        .map(SnapshotsApi::json)
                        .toList());
    }

    private Reply listOfOne(Call call) {
        Rows.Instance instance = instance(call);
        String name = instance.group() + "/" + instance.id();
        return Reply.json(
                store.read(s -> s.snapshotsOf(instance.deployment())).stream()
                        .filter(s -> s.instanceName().equals(name))
                        .map(SnapshotsApi::json)
                        .toList());
    }

    private static Map<String, Object> json(Rows.Snapshot row) {
        int slash = row.instanceName().indexOf('/');
        return Json.of(
                "job",
                row.instanceName().substring(0, slash),
                "index",
                row.index(),
                "uuid",
                row.instanceName().substring(slash + 1),
                "snapshot_cid",
                row.cid().value(),
                "created_at",
                Times.utc(row.createdAt()),
                "clean",
                row.clean(),
                "disk_cid",
                row.disk().value(),
                "consistency",
                row.consistency(),
                "origin",
                row.origin());
    }

    private Reply take(Call call) {
        String deployment = deployment(call);
        return task(
                call,
                Snapshots.OF_DEPLOYMENT,
                "snapshot deployment",
                Json.of("deployment", deployment));
    }

    private Reply takeOfOne(Call call) {
        Rows.Instance instance = instance(call);
        return task(
                call,
                Snapshots.OF_INSTANCE,
                "create snapshot",
                Json.of("deployment", instance.deployment(), "instance", instance.id().value()));
    }

    private Reply deleteAll(Call call) {
        return task(
                call,
                Snapshots.DELETE_ALL,
                "delete deployment snapshots",
                Json.of("deployment", deployment(call)));
    }

    private Reply delete(Call call) {
        String deployment = deployment(call);
        String cid = call.parameter("cid");
        List<Rows.Snapshot> all = store.read(s -> s.snapshotsOf(deployment));
        if (all.stream().noneMatch(s -> s.cid().value().equals(cid))) {
            throw new ProblemException(
                    70008, "Snapshot '" + cid + "' of deployment '" + deployment + "' not found");
        }
        return task(
                call,
                Snapshots.DELETE,
                "delete snapshot",
                Json.of("deployment", deployment, "cid", cid));
    }

    private Reply task(Call call, String type, String description, Map<String, Object> payload) {
        return Reply.task(
                tasks.enqueue(
                                type,
                                description,
                                call.userName(),
                                call.parameter("d"),
                                call.contextId(),
                                payload)
                        .id());
    }
}
