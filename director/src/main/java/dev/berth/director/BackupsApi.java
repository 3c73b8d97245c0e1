package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Berth's own {@code /backups}: making, listing, restoring, trying and deleting them. */
final class BackupsApi {
    private static final int LONGEST = 1000;

    private final Store store;
    private final Tasks tasks;

    BackupsApi(Store store, Tasks tasks) {
        this.store = store;
        this.tasks = tasks;
    }

    void addTo(Router router) {
        router.get("/backups", Access.ADMIN, this::list);
        router.delete("/backups/{id}", Access.ADMIN, this::delete);
        router.on(
                "POST", "/deployments/{d}/backups", "application/json", Access.ADMIN, this::backup);
        router.on("POST", "/restores", "application/json", Access.ADMIN, this::restore);
        router.on("POST", "/backup_trials", "application/json", Access.ADMIN, this::verify);
    }

    private Reply list(Call call) {
        @Nullable String deployment = call.query("deployment");
        return Reply.json(
                store.read(s -> s.backups(deployment)).stream().map(BackupsApi::json).toList());
    }

    private static Map<String, Object> json(Rows.Backup row) {
        return Json.of(
                "id",
                row.id(),
                "deployment",
                row.deployment(),
                "location",
                row.location(),
                "created_at",
                Times.utc(row.createdAt()),
                "bytes",
                row.bytes(),
                "origin",
                row.content().getOrDefault("origin", BackupKeeper.MANUAL),
                "disks",
                row.content().get("disks"),
                "verified_at",
                row.verifiedAt() == null ? null : Times.utc(row.verifiedAt()),
                "verify_error",
                row.verifyError());
    }

    private Reply backup(Call call) throws IOException {
        String deployment = DeploymentsApi.find(store, call.parameter("d")).name();
        String to = text(call.json(), "to", "");
        String id =
                BackupJob.newId(
                        deployment, tasks.clock().now(), java.util.UUID.randomUUID().toString());
        return task(
                call,
                BackupJob.TASK,
                "back up deployment " + deployment,
                Json.of("deployment", deployment, "id", id, "to", to));
    }

    private Reply restore(Call call) throws IOException {
        Fields wish = call.json();
        String backup = text(wish, "backup", null);
        String into = text(wish, "deployment", "");
        String deployment =
                into.isEmpty()
                        ? store.read(s -> s.backup(backup))
                                .map(Rows.Backup::deployment)
                                .orElseThrow(() ->
                                        new ProblemException(
                                                40001,
                                                "'"
                                                        + backup
                                                        + "' is not of this director's list:"
                                                        + " say into which deployment"))
                        : into;
        return task(
                call,
                RestoreJob.RESTORE,
                "restore deployment " + deployment,
                Json.of("backup", backup, "deployment", deployment));
    }

    private Reply verify(Call call) throws IOException {
        String backup = text(call.json(), "backup", null);
        return task(call, RestoreJob.VERIFY, "verify backup " + backup, Json.of("backup", backup));
    }

    private Reply delete(Call call) {
        String id = call.parameter("id");
        if (store.read(s -> s.backup(id)).isEmpty()) {
            throw new ProblemException(
                    70008, "Backup '" + id + "' is not in the list of this director");
        }
        return task(call, BackupKeeper.DELETE, "delete backup " + id, Json.of("backup", id));
    }

    private static String text(Fields wish, String name, @Nullable String otherwise) {
        String text = wish.optionalString(name);
        if (text == null && otherwise == null || text != null && text.length() > LONGEST) {
            throw new ProblemException(40001, "'" + name + "' is to be a text of the body");
        }
        return text == null ? Objects.requireNonNull(otherwise) : text;
    }

    /**
     * Of no deployment: they take its lock for moments only, so that it can be healed meanwhile.
     */
    private Reply task(Call call, String type, String description, Map<String, Object> payload) {
        return Reply.task(
                tasks.enqueue(type, description, call.userName(), null, call.contextId(), payload)
                        .id());
    }
}
