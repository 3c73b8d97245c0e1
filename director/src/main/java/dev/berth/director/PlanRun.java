package dev.berth.director;

import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.planner.Plan;
import dev.berth.planner.Plan.GroupPlan;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Carries out a plan in BOSH's order: unneeded instances go, missing VMs are created ahead, then
 * group by group: obsolete instances, canaries, the rest, {@code max_in_flight} at a time. After a
 * failure nothing new is started.
 */
final class PlanRun {
    /** VMs created at once ahead of their groups' turns: more only queue up in the IaaS. */
    private static final int CREATIONS_AT_ONCE = 16;

    /** Repairs at once: what is down serves nobody, so that no canary has to go ahead. */
    private static final int REPAIRS_AT_ONCE = 16;

    private static final Plan.WatchTime UNWATCHED = new Plan.WatchTime(0, 0);

    private final Hands hands;
    private final DeployScope scope;
    private final TaskContext task;
    private final Plan plan;

    PlanRun(Hands hands, DeployScope scope, TaskContext task, Plan plan) {
        this.hands = hands;
        this.scope = scope;
        this.task = task;
        this.plan = plan;
    }

    void run() throws Exception {
        bind();
        delete("Deleting unneeded instances", List.of(), plan.unneeded(), 10);
        create();
        for (List<GroupPlan> batch : plan.batches()) {
            hands.parallel().forEach(batch, batch.size(), this::update);
        }
    }

    /** What is done at once about an instance whose repair failed. */
    interface Again {
        /**
         * @return what remains of the failure; null: nothing
         */
        @Nullable Exception after(InstanceId instance, Exception failure) throws Exception;
    }

    /**
     * For a repair: side by side across groups, each on its own; one that fails keeps no other from
     * being repaired.
     *
     * @return what became of those that could not be repaired
     */
    Map<InstanceId, Exception> repair(Again again) throws Exception {
        bind();
        var watch = new HashMap<InstanceId, Plan.WatchTime>();
        var work = new ArrayList<InstancePlan>();
        for (GroupPlan group : plan.batches().stream().flatMap(List::stream).toList()) {
            group.changed().forEach(i -> watch.put(i.id(), group.updateWatch()));
            work.addAll(group.changed());
        }
        var failed = new ConcurrentHashMap<InstanceId, Exception>();
        if (work.isEmpty()) {
            return failed;
        }
        TaskLog.Stage stage = task.log().stage("Repairing instances", List.of(), work.size());
        hands.parallel()
                .forEach(
                        work,
                        REPAIRS_AT_ONCE,
                        i -> {
                            try {
                                repair(stage, i, watch.getOrDefault(i.id(), UNWATCHED));
                            } catch (DirectorStopping
                                    | TaskCancelled
                                    | RecordsCorrected
                                    | InterruptedException e) {
                                throw e;
                            } catch (Exception e) {
                                task.log().debug("repair of " + i.text() + " failed", e);
                                Exception left = again.after(i.id(), e);
                                if (left != null) {
                                    failed.put(i.id(), left);
                                }
                            }
                        });
        return failed;
    }

    private void repair(TaskLog.Stage stage, InstancePlan instance, Plan.WatchTime watch)
            throws Exception {
        var steps = new ArrayList<>(instance.creation());
        steps.addAll(instance.steps());
        perform(stage, instance.text(), instance, action(instance), watch, steps);
    }

    /**
     * For a deployment that goes as a whole. {@code force}: an instance that resists is told of and
     * passed over.
     */
    void deleteAll(boolean force) throws Exception {
        if (plan.unneeded().isEmpty()) {
            return;
        }
        TaskLog.Stage stage =
                task.log().stage("Deleting instances", List.of(), plan.unneeded().size());
        hands.parallel()
                .forEach(
                        plan.unneeded(),
                        10,
                        i -> {
                            try {
                                perform(stage, i.text(), i, "delete", UNWATCHED);
                            } catch (RuntimeException e) {
                                if (!force) {
                                    throw e;
                                }
                                task.log().warning(i.text() + ": " + e.getMessage());
                            }
                        });
    }

    /** Ids and addresses are recorded before anything is made that uses them (rule R4). */
    private void bind() {
        hands.store()
                .update(session -> {
                    for (InstancePlan instance : plan.all().toList()) {
                        bind(session, instance);
                    }
                });
    }

    private void bind(StoreSession session, InstancePlan instance) {
        if (instance.isNew()) {
            session.saveInstance(
                    new Rows.Instance(
                            instance.id(),
                            scope.deployment(),
                            instance.group(),
                            instance.index(),
                            instance.az(),
                            instance.wishedState(),
                            instance.bootstrap(),
                            false,
                            false,
                            Map.of(),
                            hands.clock().now()));
        }
        var held = session.ips(instance.id()).stream().map(Rows.Ip::address).toList();
        instance.addresses()
                .forEach((network, address) -> {
                    if (!held.contains(address)
                            && !session.reserveIp(
                                    new Rows.Ip(address, network, instance.id(), false))) {
                        throw new dev.berth.model.ProblemException(
                                130008,
                                "Failed to reserve IP '"
                                        + address
                                        + "' for instance '"
                                        + instance.text()
                                        + "': already reserved");
                    }
                });
    }

    private void create() throws Exception {
        List<InstancePlan> missing = plan.all().filter(i -> !i.creation().isEmpty()).toList();
        if (missing.isEmpty()) {
            return;
        }
        TaskLog.Stage stage = task.log().stage("Creating missing vms", List.of(), missing.size());
        hands.parallel()
                .forEach(
                        missing,
                        CREATIONS_AT_ONCE,
                        i -> stage.step(i.text(), log -> run(i, UNWATCHED).run(i.creation(), log)));
    }

    private void update(GroupPlan group) throws Exception {
        if (!group.rollsBack()) {
            updateInstances(group);
            return;
        }
        var rollback = new Rollback(hands, scope, task, group);
        if (rollback.wasBegun()) {
            throw rollback.after(
                    "The update of group '"
                            + group.group()
                            + "' had failed before the director was started again",
                    Failures.UNCLASSIFIED);
        }
        try {
            updateInstances(group);
        } catch (DirectorStopping | TaskCancelled | RecordsCorrected | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw rollback.after(Failures.message(e), Failures.code(e));
        }
    }

    private void updateInstances(GroupPlan group) throws Exception {
        delete(
                "Deleting unneeded instances",
                List.of(group.group()),
                group.obsolete(),
                group.maxInFlight());
        List<List<InstancePlan>> waves =
                group.waves().stream()
                        .map(wave -> wave.stream().filter(i -> !i.steps().isEmpty()).toList())
                        .filter(wave -> !wave.isEmpty())
                        .toList();
        int changed = waves.stream().mapToInt(List::size).sum();
        if (changed == 0) {
            return;
        }
        TaskLog.Stage stage =
                task.log().stage("Updating instance", List.of(group.group()), changed);
        boolean canaries = group.canaries() > 0;
        for (List<InstancePlan> wave : waves) {
            String suffix = canaries ? " (canary)" : "";
            Plan.WatchTime watch = canaries ? group.canaryWatch() : group.updateWatch();
            hands.parallel()
                    .forEach(
                            wave,
                            group.maxInFlight(),
                            i -> perform(stage, i.text() + suffix, i, action(i), watch));
            canaries = false;
        }
    }

    private void delete(String title, List<String> tags, List<InstancePlan> instances, int atOnce)
            throws Exception {
        if (instances.isEmpty()) {
            return;
        }
        TaskLog.Stage stage = task.log().stage(title, tags, instances.size());
        hands.parallel()
                .forEach(instances, atOnce, i -> perform(stage, i.text(), i, "delete", UNWATCHED));
    }

    private void perform(
            TaskLog.Stage stage,
            String name,
            InstancePlan instance,
            String action,
            Plan.WatchTime watch)
            throws Exception {
        perform(stage, name, instance, action, watch, instance.steps());
    }

    private void perform(
            TaskLog.Stage stage,
            String name,
            InstancePlan instance,
            String action,
            Plan.WatchTime watch,
            List<Step> steps)
            throws Exception {
        var act =
                new AuditTrail.Act(
                        action, "instance", instance.name(), instance.name(), context(instance));
        stage.step(
                name,
                log ->
                        hands.trail()
                                .around(
                                        task,
                                        act,
                                        () -> {
                                            run(instance, watch).run(steps, log);
                                            return instance.name();
                                        }));
    }

    private InstanceRun run(InstancePlan instance, Plan.WatchTime watch) {
        return new InstanceRun(hands, scope, task, instance, watch);
    }

    /** What BOSH's audit events call it. */
    private static String action(InstancePlan instance) {
        if (instance.isNew()) {
            return "create";
        }
        List<String> kinds = instance.changes().stream().map(Plan.Change::kind).toList();
        if (kinds.contains("recreate") || kinds.contains("restart")) {
            return kinds.contains("recreate") ? "recreate" : "restart";
        }
        if (!kinds.equals(List.of("state"))) {
            return "update";
        }
        return instance.wishedState().equals("started") ? "start" : "stop";
    }

    private static Map<String, Object> context(InstancePlan instance) {
        return Json.of(
                "az",
                instance.az(),
                "changes",
                instance.changes().stream().map(Plan.Change::reason).toList());
    }
}
