package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.List;
import java.util.Map;

/** What runs where: {@code vms}, {@code instances} and {@code containers} of a deployment. */
final class FleetApi {
    /** Type of the tasks that list VMs or instances. */
    static final String TASK = "vms";

    private final Store store;
    private final Tasks tasks;
    private final Fleet fleet;

    FleetApi(Store store, Tasks tasks, Fleet fleet) {
        this.store = store;
        this.tasks = tasks;
        this.fleet = fleet;
        tasks.registerQuick(TASK, this::job);
    }

    void addTo(Router router) {
        router.get("/deployments/{d}/vms", Access.READ, call -> list(call, "vms"));
        router.get("/deployments/{d}/instances", Access.READ, call -> list(call, "instances"));
        router.get(
                "/deployments/{d}/containers",
                Access.READ,
                call -> Reply.json(fleet.containers(deployment(call))));
    }

    private String deployment(Call call) {
        Rows.Deployment row = DeploymentsApi.find(store, call.parameter("d"));
        return row.name();
    }

    private Reply list(Call call, String what) {
        String deployment = deployment(call);
        if (!"full".equals(call.query("format"))) {
            return Reply.json(
                    what.equals("vms")
                            ? fleet.shortVms(deployment)
                            : fleet.shortInstances(deployment));
        }
        return Reply.task(
                tasks.enqueue(
                                TASK,
                                "retrieve vm-stats",
                                call.userName(),
                                deployment,
                                call.contextId(),
                                Json.of("deployment", deployment, "what", what))
                        .id());
    }

    private TaskJob job(Map<String, Object> payload) {
        Fields fields = new Fields(payload, "task");
        String deployment = fields.string("deployment");
        return task -> {
            List<Map<String, Object>> lines =
                    fields.string("what").equals("vms")
                            ? fleet.vms(deployment)
                            : fleet.instances(deployment);
            lines.forEach(line -> task.log().result(Json.write(line)));
            return "";
        };
    }
}
