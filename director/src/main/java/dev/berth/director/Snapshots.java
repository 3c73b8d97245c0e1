package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.SnapshotCid;
import dev.berth.model.SnapshotPolicy;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots of a deployment's disks: taken because a person asked or because their time has come,
 * listed, deleted. The only place where they are deleted, but for those of orphaned disks, which go
 * with their disk. Thread-safe.
 */
final class Snapshots {
    static final String OF_DEPLOYMENT = "snapshot_deployment";
    static final String OF_INSTANCE = "create_snapshot";
    static final String DELETE = "delete_snapshot";
    static final String DELETE_ALL = "delete_deployment_snapshots";

    static final String MANUAL = "manual";
    static final String SCHEDULE = "schedule";
    private static final String SCHEDULER = "scheduler";
    private static final Duration LOOK = Duration.ofMinutes(1);

    private final Hands hands;
    private final Tasks tasks;
    private final CopyAlarms alarms;

    /** Registers its kinds of task. */
    Snapshots(Hands hands, Tasks tasks, CopyAlarms alarms) {
        this.hands = hands;
        this.tasks = tasks;
        this.alarms = alarms;
        tasks.register(
                OF_DEPLOYMENT, payload -> task -> ofDeployment(task, new Fields(payload, "")));
        tasks.register(OF_INSTANCE, payload -> task -> ofInstance(task, new Fields(payload, "")));
        tasks.register(DELETE, payload -> task -> delete(task, new Fields(payload, "")));
        tasks.register(DELETE_ALL, payload -> task -> delete(task, new Fields(payload, "")));
    }

    // --- by the clock

    /**
     * Has snapshots taken where their time has come.
     *
     * @return when to come again
     */
    Instant turn() {
        Instant now = hands.clock().now();
        for (Rows.Deployment deployment : hands.store().read(s -> s.deployments())) {
            SnapshotPolicy policy = policy(deployment);
            if (policy != null && isDue(deployment.name(), policy, now)) {
                tasks.enqueue(
                        OF_DEPLOYMENT,
                        "snapshot deployment",
                        SCHEDULER,
                        deployment.name(),
                        "",
                        Json.of("deployment", deployment.name(), "keep", policy.keep()));
            }
        }
        return now.plus(LOOK);
    }

    private static @Nullable SnapshotPolicy policy(Rows.Deployment deployment) {
        String manifest = deployment.manifest();
        if (manifest == null || !manifest.contains("x-berth")) {
            return null;
        }
        return SnapshotPolicy.of(Fields.of(YamlDocument.parse(manifest).tree(), "manifest"));
    }

    private boolean isDue(String deployment, SnapshotPolicy policy, Instant now) {
        return hands
                .store()
                .read(s -> s.tasks(null, List.of(OF_DEPLOYMENT), deployment, 100))
                .stream()
                .filter(t -> t.user().equals(SCHEDULER))
                .noneMatch(t ->
                        t.finishedAt() == null || t.queuedAt().plus(policy.every()).isAfter(now));
    }

    // --- taking

    private String ofDeployment(TaskContext task, Fields payload) throws Exception {
        String deployment = payload.string("deployment");
        long keep = payload.integer("keep", 0);
        new Settlement(hands).settle(task.id(), deployment);
        List<Rows.Instance> instances =
                hands.store().read(s -> s.instances(deployment)).stream()
                        .filter(i -> !hands.store().read(s -> s.disks(i.id())).isEmpty())
                        .toList();
        var failures = new ArrayList<String>();
        TaskLog.Stage stage =
                task.log().stage("Snapshotting deployment", List.of(), instances.size());
        for (Rows.Instance instance : instances) {
            task.checkCancelled();
            try {
                stage.step(
                        instance.group() + "/" + instance.id(),
                        step -> {
                            take(task, instance, keep > 0 ? SCHEDULE : MANUAL);
                            if (keep > 0) {
                                prune(task, instance, keep);
                            }
                        });
                alarms.works(alarm(instance));
            } catch (TaskCancelled | DirectorStopping | InterruptedException e) {
                throw e;
            } catch (Exception e) {
                // The others are worth their snapshots all the same.
                failures.add(instance.group() + "/" + instance.id());
                alarms.failed(
                        alarm(instance),
                        "no snapshot of " + instance.group() + "/" + instance.id(),
                        task.log().redacted(Failures.message(e)),
                        deployment);
            }
        }
        return "snapshots of deployment '"
                + deployment
                + "' created"
                + (failures.isEmpty() ? "" : ", with " + failures.size() + " failure(s)");
    }

    private String ofInstance(TaskContext task, Fields payload) throws Exception {
        new Settlement(hands).settle(task.id(), payload.string("deployment"));
        Rows.Instance instance =
                hands.store()
                        .read(s -> s.instance(new InstanceId(payload.string("instance"))))
                        .orElseThrow(() ->
                                new ProblemException(70001, "The instance doesn't exist any more"));
        var taken = new ArrayList<String>();
        task.log()
                .stage("Snapshotting instance", List.of(), 1)
                .step(
                        instance.group() + "/" + instance.id(),
                        step ->
                                take(task, instance, MANUAL)
                                        .forEach(s -> taken.add(s.cid().value())));
        return "snapshot(s) " + String.join(", ", taken) + " created";
    }

    private List<Rows.Snapshot> take(TaskContext task, Rows.Instance instance, String origin) {
        var taken = new ArrayList<Rows.Snapshot>();
        hands.trail()
                .around(
                        task,
                        new AuditTrail.Act(
                                "create",
                                "snapshot",
                                null,
                                instance.group() + "/" + instance.id(),
                                Map.of()),
                        () -> {
                            try {
                                taken.addAll(
                                        new InstanceSnapshot(hands, task, instance, origin).take());
                            } catch (CpiException e) {
                                throw explained(e);
                            }
                            return taken.isEmpty() ? null : taken.getFirst().cid().value();
                        });
        return taken;
    }

    private static RuntimeException explained(CpiException e) {
        return e.type() == CpiException.Type.NOT_IMPLEMENTED
                        || e.type() == CpiException.Type.NOT_SUPPORTED
                ? new ProblemException(520000, "This CPI takes no snapshots: " + e.getMessage())
                : e;
    }

    private static String alarm(Rows.Instance instance) {
        return "snapshot/" + instance.id();
    }

    /** Only what the schedule took: what a person asked for is theirs. */
    private void prune(TaskContext task, Rows.Instance instance, long keep) {
        for (Rows.Disk disk : hands.store().read(s -> s.disks(instance.id()))) {
            List<Rows.Snapshot> own =
                    hands.store().read(s -> s.snapshots(disk.cid())).stream()
                            .filter(s -> s.origin().equals(SCHEDULE))
                            .toList();
            own.stream()
                    .limit(Math.max(0, own.size() - keep))
                    .forEach(s -> destroy(hands, task, s.cid()));
        }
    }

    // --- deleting

    private String delete(TaskContext task, Fields payload) throws Exception {
        String deployment = payload.string("deployment");
        Optional<String> one = Optional.ofNullable(payload.optionalString("cid"));
        hands.journal().settleForRepeat(task.id());
        List<SnapshotCid> all =
                hands.store().read(s -> s.snapshotsOf(deployment)).stream()
                        .map(Rows.Snapshot::cid)
                        .filter(cid -> one.isEmpty() || one.get().equals(cid.value()))
                        .toList();
        TaskLog.Stage stage = task.log().stage("Deleting snapshots", List.of(), all.size());
        for (SnapshotCid cid : all) {
            task.checkCancelled();
            stage.step(
                    cid.value(),
                    step ->
                            hands.trail()
                                    .around(
                                            task,
                                            new AuditTrail.Act(
                                                    "delete",
                                                    "snapshot",
                                                    cid.value(),
                                                    null,
                                                    Map.of()),
                                            () -> {
                                                destroy(hands, task, cid);
                                                return cid.value();
                                            }));
        }
        return one.map(cid -> "snapshot(s) " + cid + " deleted")
                .orElse("snapshots of deployment '" + deployment + "' deleted");
    }

    /** Gone already is success. */
    static void destroy(Hands hands, TaskContext task, SnapshotCid cid) {
        hands.journal()
                .perform(
                        task.id(),
                        "delete snapshot",
                        Json.of("cid", cid.value()),
                        intent -> {
                            task.log().cpi("delete_snapshot " + cid);
                            try {
                                hands.cpi().deleteSnapshot(hands.context(intent, null), cid);
                            } catch (CpiException e) {
                                if (e.type() != CpiException.Type.DISK_NOT_FOUND) {
                                    throw e;
                                }
                            }
                            return cid;
                        },
                        (session, gone) -> session.deleteSnapshot(gone));
    }
}
