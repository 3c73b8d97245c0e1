package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Store;
import java.io.IOException;

/** {@code /deployments/D/scans} and {@code /deployments/D/problems}. */
final class CloudCheckApi {
    private static final int MOST_RESOLUTIONS = 10_000;

    private final Store store;
    private final Tasks tasks;
    private final CloudProblems problems;

    CloudCheckApi(Store store, Tasks tasks) {
        this.store = store;
        this.tasks = tasks;
        this.problems = new CloudProblems(store);
    }

    void addTo(Router router) {
        router.on("POST", "/deployments/{d}/scans", "application/json", Access.ADMIN, this::scan);
        router.get("/deployments/{d}/problems", Access.ADMIN, this::list);
        router.on(
                "PUT", "/deployments/{d}/problems", "application/json", Access.ADMIN, this::apply);
    }

    private Reply scan(Call call) {
        String deployment = DeploymentsApi.find(store, call.parameter("d")).name();
        return Reply.task(
                tasks.enqueue(
                                CloudCheck.SCAN,
                                "scan cloud",
                                call.userName(),
                                deployment,
                                call.contextId(),
                                Json.of("deployment", deployment))
                        .id());
    }

    private Reply list(Call call) {
        String deployment = DeploymentsApi.find(store, call.parameter("d")).name();
        return Reply.json(problems.open(deployment).stream().map(CloudProblem::shown).toList());
    }

    private Reply apply(Call call) throws IOException {
        String deployment = DeploymentsApi.find(store, call.parameter("d")).name();
        Fields body = call.json();
        if (!body.has("resolutions")) {
            throw new ProblemException(40000, "'resolutions' is required: problem id to name");
        }
        Fields resolutions = body.object("resolutions");
        if (resolutions.tree().size() > MOST_RESOLUTIONS) {
            throw new ProblemException(
                    40001, "'resolutions' may name " + MOST_RESOLUTIONS + " problems at most");
        }
        return Reply.task(
                tasks.enqueue(
                                CloudCheck.APPLY,
                                "apply resolutions",
                                call.userName(),
                                deployment,
                                call.contextId(),
                                Json.of(
                                        "deployment",
                                        deployment,
                                        "resolutions",
                                        resolutions.tree()))
                        .id());
    }
}
