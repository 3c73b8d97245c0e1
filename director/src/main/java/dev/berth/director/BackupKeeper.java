package dev.berth.director;

import dev.berth.model.BackupPolicy;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Backups that are made because their time has come, and the end of any. An old one goes only after
 * the new one is whole, and only what the schedule made goes by itself. What fails is told as an
 * alert, for nobody may be looking. Thread-safe.
 */
final class BackupKeeper {
    static final String DELETE = "delete_backup";
    static final String MANUAL = "manual";
    static final String SCHEDULE = "schedule";
    private static final String SCHEDULER = "scheduler";
    private static final Duration LOOK = Duration.ofMinutes(1);

    /** After a failure the next try is not put off for as long as a day. */
    private static final Duration AGAIN = Duration.ofHours(1);

    /** Of tasks that are looked at; what is older has ended, and its backup is in the list. */
    private static final int TASKS = 1000;

    private final Hands hands;
    private final Tasks tasks;
    private final BackupPlaces places;
    private final CopyAlarms alarms;

    /**
     * Registers its kinds of task.
     *
     * @param backups makes the job that makes one backup
     */
    BackupKeeper(
            Hands hands,
            Tasks tasks,
            BackupPlaces places,
            CopyAlarms alarms,
            Function<Map<String, Object>, TaskJob> backups) {
        this.hands = hands;
        this.tasks = tasks;
        this.places = places;
        this.alarms = alarms;
        tasks.register(
                BackupJob.TASK,
                payload -> {
                    TaskJob job = backups.apply(payload);
                    Fields wish = Fields.of(payload, "payload");
                    return wish.has("keep") ? task -> scheduled(task, job, wish) : job;
                });
        tasks.register(DELETE, payload -> task -> delete(task, Fields.of(payload, "payload")));
    }

    // --- by the clock

    /**
     * Has backups made where their time has come.
     *
     * @return when to come again
     */
    Instant turn() {
        Instant now = hands.clock().now();
        for (Rows.Deployment deployment : hands.store().read(s -> s.deployments())) {
            BackupPolicy policy = policy(deployment);
            if (policy != null && isDue(deployment.name(), policy, now)) {
                begin(deployment.name(), policy, now);
            }
        }
        return now.plus(LOOK);
    }

    private static @Nullable BackupPolicy policy(Rows.Deployment deployment) {
        String manifest = deployment.manifest();
        if (manifest == null || !manifest.contains("x-berth")) {
            return null;
        }
        return BackupPolicy.of(Fields.of(YamlDocument.parse(manifest).tree(), "manifest"));
    }

    /** A failed one is tried again before the next one's time, so that a day is not lost. */
    private boolean isDue(String deployment, BackupPolicy policy, Instant now) {
        boolean fresh =
                ofSchedule(deployment).stream()
                        .anyMatch(b -> due(b).plus(policy.every()).isAfter(now));
        Duration again = policy.every().compareTo(AGAIN) < 0 ? policy.every() : AGAIN;
        return !fresh
                && hands
                        .store()
                        .read(s -> s.tasks(null, List.of(BackupJob.TASK), null, TASKS))
                        .stream()
                        .filter(t -> t.user().equals(SCHEDULER))
                        .filter(t -> deployment.equals(t.payload().get("deployment")))
                        .noneMatch(t ->
                                t.finishedAt() == null || t.queuedAt().plus(again).isAfter(now));
    }

    /** Newest first. */
    private List<Rows.Backup> ofSchedule(String deployment) {
        return hands.store().read(s -> s.backups(deployment)).stream()
                .filter(b -> SCHEDULE.equals(b.content().get("origin")))
                .toList();
    }

    /** When its time had come: that it takes a while must not put off the next one. */
    private static Instant due(Rows.Backup backup) {
        return Instant.parse(
                Fields.of(backup.content(), "content")
                        .string("due", backup.createdAt().toString()));
    }

    private void begin(String deployment, BackupPolicy policy, Instant now) {
        String id = BackupJob.newId(deployment, now, java.util.UUID.randomUUID().toString());
        Rows.Task ignored =
                tasks.enqueue(
                        BackupJob.TASK,
                        "back up deployment " + deployment,
                        SCHEDULER,
                        null,
                        "",
                        Json.of(
                                "deployment",
                                deployment,
                                "id",
                                id,
                                "to",
                                policy.to(),
                                "origin",
                                SCHEDULE,
                                "due",
                                now.toString(),
                                "keep",
                                policy.keep()));
    }

    private String scheduled(TaskContext task, TaskJob job, Fields wish) throws Exception {
        String deployment = wish.string("deployment");
        String said;
        try {
            said = job.run(task);
        } catch (TaskCancelled | DirectorStopping | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            alarms.failed(
                    "backup/" + deployment,
                    "no backup of deployment " + deployment,
                    task.log().redacted(Failures.message(e)),
                    deployment);
            throw e;
        }
        alarms.works("backup/" + deployment);
        return said + prune(task, deployment, wish.integer("keep"));
    }

    /** One that cannot be deleted does not make the new one a failure. */
    private String prune(TaskContext task, String deployment, long keep) {
        String alarm = "backup/" + deployment + "/old";
        int gone = 0;
        List<Rows.Backup> old = ofSchedule(deployment).stream().skip(keep).toList();
        for (Rows.Backup each : old) {
            try {
                destroy(task, each);
                gone++;
            } catch (IOException | RuntimeException e) {
                alarms.failed(
                        alarm,
                        "old backups of deployment " + deployment + " cannot be deleted",
                        task.log().redacted(each.id() + ": " + Failures.message(e)),
                        deployment);
            }
        }
        if (gone == old.size()) {
            alarms.works(alarm);
        }
        return gone == 0 ? "" : ", " + gone + " old one(s) deleted";
    }

    // --- deleting

    private String delete(TaskContext task, Fields wish) throws Exception {
        String id = wish.string("backup");
        Optional<Rows.Backup> row = hands.store().read(s -> s.backup(id));
        if (row.isEmpty()) {
            return "backup " + id + " is deleted already";
        }
        refuseWhileRead(id);
        task.log()
                .stage("Deleting backup", List.of(), 1)
                .step(id, step -> destroy(task, row.get()));
        return "backup " + id + " deleted";
    }

    private void refuseWhileRead(String id) {
        List<String> readers = List.of(RestoreJob.RESTORE, RestoreJob.VERIFY);
        hands.store().read(s -> s.tasks(null, readers, null, TASKS)).stream()
                .filter(t -> t.finishedAt() == null && id.equals(t.payload().get("backup")))
                .findFirst()
                .ifPresent(t -> {
                    throw new ProblemException(
                            520000,
                            "backup "
                                    + id
                                    + " is being read by task "
                                    + t.id()
                                    + "; delete it when that has ended");
                });
    }

    /** First what is there, then the row: what could not be deleted stays in the list. */
    private void destroy(TaskContext task, Rows.Backup row) throws IOException {
        String to = Fields.of(row.content(), "content").string("to", "");
        hands.trail()
                .around(
                        task,
                        new AuditTrail.Act("delete", "backup", row.id(), null, Map.of()),
                        () -> {
                            places.at(to).delete(row.id());
                            hands.store().update(s -> s.deleteBackup(row.id()));
                            return row.id();
                        });
    }
}
