package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code /tasks}: what ran, what it said, and stopping it. */
final class TasksApi {
    /** The types shown without {@code --all}. */
    private static final List<String> IMPORTANT =
            List.of(
                    "update_deployment",
                    "delete_deployment",
                    "update_instance",
                    ContainerChange.TASK,
                    "update_release",
                    "delete_release",
                    "export_release",
                    "update_stemcell",
                    "delete_stemcell",
                    "run_errand",
                    "attach_disk",
                    "snapshot_deployment",
                    "create_snapshot",
                    "delete_snapshot",
                    BackupJob.TASK,
                    RestoreJob.RESTORE,
                    RestoreJob.VERIFY);

    private static final List<String> CANCELLABLE = List.of("queued", "processing");

    private final Store store;
    private final Tasks tasks;

    TasksApi(Store store, Tasks tasks) {
        this.store = store;
        this.tasks = tasks;
    }

    void addTo(Router router) {
        router.get("/tasks", Access.READ, this::list);
        router.get("/tasks/{id}", Access.READ, call -> Reply.json(json(find(call))));
        router.get("/tasks/{id}/output", Access.READ, this::output);
        router.delete("/task/{id}", Access.ADMIN, this::cancel);
        router.on("POST", "/tasks/cancel", "application/json", Access.ADMIN, this::cancelMany);
    }

    private Reply list(Call call) {
        String state = call.query("state");
        List<String> states = state == null || state.isEmpty() ? null : List.of(state.split(","));
        List<String> types = "2".equals(call.query("verbose")) ? null : IMPORTANT;
        String context = call.query("context_id");
        int limit = limit(call.query("limit"));
        List<Rows.Task> rows =
                store.read(s ->
                        s.tasks(
                                states,
                                types,
                                call.query("deployment"),
                                context == null ? limit : Integer.MAX_VALUE));
        return Reply.json(
                rows.stream()
                        .filter(task -> context == null || task.contextId().equals(context))
                        .limit(limit)
                        .map(TasksApi::json)
                        .toList());
    }

    private static int limit(@Nullable String text) {
        if (text == null) {
            return Integer.MAX_VALUE;
        }
        try {
            return Math.max(1, Integer.parseInt(text));
        } catch (NumberFormatException e) {
            return 1;
        }
    }

    static Map<String, Object> json(Rows.Task task) {
        return Json.of(
                "id",
                task.id(),
                "state",
                task.state(),
                "description",
                task.description(),
                "timestamp",
                Times.unix(task.finishedAt()),
                "started_at",
                Times.unix(task.startedAt()),
                "result",
                task.result(),
                "user",
                task.user().isEmpty() ? "admin" : task.user(),
                "deployment",
                task.deployment(),
                "context_id",
                task.contextId());
    }

    private Rows.Task find(Call call) {
        String id = call.parameter("id");
        Optional<Rows.Task> task =
                id.matches("\\d{1,18}")
                        ? store.read(s -> s.task(Long.parseLong(id)))
                        : Optional.empty();
        return task.orElseThrow(() -> new ProblemException(10000, "Task " + id + " not found"));
    }

    private Reply output(Call call) throws IOException {
        Rows.Task task = find(call);
        String type = call.query("type");
        String name = type == null || type.isEmpty() ? "debug" : type;
        if (name.equals("none")) {
            return new Reply.Empty(204);
        }
        TaskOutput.Kind kind =
                TaskOutput.Kind.of(name)
                        .orElseThrow(
                                () -> new ProblemException(600000, "Unknown output type: " + name));
        boolean internal = kind == TaskOutput.Kind.DEBUG || kind == TaskOutput.Kind.CPI;
        if (internal && (call.user() == null || !call.user().admin())) {
            throw new ProblemException(600000, "Require one of the scopes: bosh.admin");
        }
        Optional<TaskOutput.Text> text = TaskOutput.text(tasks.folder(task.id()), kind);
        return text.isEmpty() || text.get().size() == 0
                ? new Reply.Empty(204)
                : new Reply.File(
                        text.get().file(), text.get().size(), "text/plain;charset=utf-8", true);
    }

    private Reply cancel(Call call) {
        Rows.Task task = find(call);
        return switch (tasks.cancel(task.id())) {
            case Tasks.Cancel.Accepted ignored -> new Reply.Empty(204);
            case Tasks.Cancel.Unknown ignored ->
                    throw new ProblemException(10000, "Task " + task.id() + " not found");
            case Tasks.Cancel.Refused refused ->
                    Reply.text(
                            400,
                            "Cannot cancel task "
                                    + task.id()
                                    + ": invalid state ("
                                    + refused.state()
                                    + ")");
        };
    }

    private Reply cancelMany(Call call) throws IOException {
        Fields body = call.json();
        List<String> states = body.has("states") ? body.strings("states") : List.of("queued");
        if (!CANCELLABLE.containsAll(states)) {
            return Reply.text(
                    400, "Only tasks in the states queued and processing can be cancelled");
        }
        List<String> types = body.strings("types").isEmpty() ? null : body.strings("types");
        List<Rows.Task> found =
                store.read(s ->
                        s.tasks(
                                states,
                                types,
                                body.optionalString("deployment"),
                                Integer.MAX_VALUE));
        // Queued ones first: else the end of one that runs would let the next begin.
        found.stream().filter(t -> t.state().equals("queued")).forEach(t -> tasks.cancel(t.id()));
        found.stream().filter(t -> !t.state().equals("queued")).forEach(t -> tasks.cancel(t.id()));
        return new Reply.Empty(204);
    }
}
