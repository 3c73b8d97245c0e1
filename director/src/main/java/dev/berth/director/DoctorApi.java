package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Store;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /doctor} and {@code POST /deployments/D/doctor}: a task that looks for differences
 * between records, cloud and agents. Body, if any: {@code {"fix": BOOLEAN, "yes": [SUBJECT, ...]}}.
 */
final class DoctorApi {
    /** A person names a few. */
    private static final int MOST_NAMES = 1000;

    private final Store store;
    private final Tasks tasks;

    DoctorApi(Store store, Tasks tasks) {
        this.store = store;
        this.tasks = tasks;
    }

    void addTo(Router router) {
        router.on("POST", "/doctor", "application/json", Access.ADMIN, call -> begin(call, null));
        router.on(
                "POST",
                "/deployments/{d}/doctor",
                "application/json",
                Access.ADMIN,
                call -> begin(call, DeploymentsApi.find(store, call.parameter("d")).name()));
    }

    private Reply begin(Call call, @Nullable String deployment) throws IOException {
        Fields body = call.json();
        boolean fix = body.flag("fix", false);
        List<String> yes = body.strings("yes");
        if (yes.size() > MOST_NAMES) {
            throw new ProblemException(40001, "'yes' may name " + MOST_NAMES + " subjects at most");
        }
        var payload = Json.of("fix", fix, "yes", yes);
        if (deployment != null) {
            payload.put("deployment", deployment);
        }
        // No deployment of the task: it takes the locks itself, when it knows what it touches.
        return Reply.task(
                tasks.enqueue(
                                fix ? Doctor.FIX : Doctor.LOOK,
                                (fix ? "doctor, with repairs" : "doctor")
                                        + (deployment == null ? "" : " of " + deployment),
                                call.userName(),
                                null,
                                call.contextId(),
                                payload)
                        .id());
    }
}
