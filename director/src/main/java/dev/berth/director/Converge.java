package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.planner.Desired;
import dev.berth.planner.Observation;
import dev.berth.planner.Plan;
import dev.berth.planner.PlanOptions;
import dev.berth.planner.PlanText;
import dev.berth.planner.Planner;
import dev.berth.planner.Recorded;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Brings a deployment from where it is to where it should be: the one way of every deploy, change
 * of state, repair and delete. Settles open intents, reads what is wished, looks, plans, acts.
 * Started again after a crash it does the same and so goes on from wherever it stood. Thread-safe;
 * the deployment's lock is held by the task.
 */
final class Converge {
    /** More would mean that what is recorded and what is there never meet. */
    private static final int MOST_CORRECTIONS = 3;

    private final Hands hands;
    private final DeploymentReader reader;
    private final Observer observer;
    private final Planner planner;
    private final ImageSupply images;
    private final RecordKeeper keeper;

    Converge(
            Hands hands,
            DeploymentReader reader,
            ImageSupply images,
            Observer observer,
            RecordKeeper keeper) {
        this.hands = hands;
        this.reader = reader;
        this.images = images;
        this.keeper = keeper;
        this.observer = observer;
        this.planner = new Planner(() -> new InstanceId(hands.ids().get()));
    }

    /** {@code update_deployment}: a deploy, or a change of state on the manifest deployed last. */
    TaskJob deploy(Map<String, Object> payload) {
        return task -> {
            Fields wish = Fields.of(payload, "payload");
            String deployment = wish.string("deployment");
            Fields options = wish.object("options");
            boolean dry = options.flag("dry_run", false);
            var reading = prepared(task, () -> reader.read(wish, task.log(), !dry));
            boolean again = wish.has("state_change");
            PlanOptions how =
                    PlanOptions.deploy(hands.cpi().growsAttachedDisks())
                            .withRecreate(options.flag("recreate", false))
                            .withFix(options.flag("fix", false))
                            .withDisks(
                                    disks(options.flag("allow_shrink", false), again, Map.of())
                                            .withRenewal(renewal(task, options)));
            Plan plan = plan(task, reading.desired(), how.withFulfilled(fulfilled(task)));
            if (dry) {
                PlanText.lines(plan)
                        .forEach(line -> task.log().result(Json.write(Json.of("plan", line))));
            } else {
                images.bring(task, plan, reading.images(), reading.registries());
                hands.store().update(s -> register(s, deployment));
                told(
                        task,
                        isFirst(deployment) ? "create" : "update",
                        deployment,
                        () -> {
                            carryOut(task, reading, plan, how);
                            if (!again) {
                                hands.store().update(s -> deployed(s, reading));
                            }
                            keeper.hand(task, deployment);
                        });
            }
            return "/deployments/" + deployment;
        };
    }

    /**
     * Carries the plan out; where it turns out that it rests on what is not so, another is made.
     */
    private void carryOut(
            TaskContext task, DeploymentReader.Reading reading, Plan first, PlanOptions how)
            throws Exception {
        Plan plan = first;
        for (int left = MOST_CORRECTIONS; ; left--) {
            try {
                new PlanRun(hands, reading.scope(), task, plan).run();
                return;
            } catch (RecordsCorrected e) {
                if (left == 0) {
                    throw e;
                }
                task.log().warning(e.getMessage() + "; a new plan is made");
                plan = plan(task, reading.desired(), how.withFulfilled(fulfilled(task)));
            }
        }
    }

    /** The task's own: when it goes on after a crash, what it has renewed is new. */
    private static String renewal(TaskContext task, Fields options) {
        return options.flag("recreate_persistent_disks", false) ? "task " + task.id() : "";
    }

    private PlanOptions.Disks disks(
            boolean allowShrink, boolean keepsGiven, Map<PlanOptions.DiskOf, Long> sizes) {
        return new PlanOptions.Disks(
                hands.cpi().resizesDisks(),
                hands.cpi().movesDisksBetweenAzs(),
                allowShrink,
                keepsGiven,
                sizes);
    }

    /** What a person gave a disk against an earlier manifest is what this one says now. */
    private static void deployed(StoreSession session, DeploymentReader.Reading reading) {
        session.saveDeployment(reading.deployed());
        Desired desired = reading.desired();
        for (Rows.Disk disk : session.disksOf(desired.deployment())) {
            if (disk.active() && DiskRecords.manifestMb(disk) != 0) {
                session.instance(Objects.requireNonNull(disk.instance()))
                        .filter(i -> wishes(desired, i.group(), disk))
                        .ifPresent(i -> session.saveDisk(ruledByManifest(disk)));
            }
        }
    }

    private static boolean wishes(Desired desired, String group, Rows.Disk disk) {
        return desired.groups().stream()
                .filter(g -> g.name().equals(group))
                .flatMap(g -> g.disks().stream())
                .anyMatch(d -> d.name().equals(disk.name()) && d.sizeMb() == disk.sizeMb());
    }

    private static Rows.Disk ruledByManifest(Rows.Disk disk) {
        return disk.as(disk.sizeMb(), disk.type(), DiskRecords.given(disk.options(), 0));
    }

    /** {@code resize_disk}: the disks of one instance, or of all of a group. */
    TaskJob resize(Map<String, Object> payload) {
        return task -> {
            Fields wish = Fields.of(payload, "payload");
            String deployment = wish.string("deployment");
            var reading = prepared(task, () -> reader.readDeployed(deployment, task.log()));
            Map<PlanOptions.DiskOf, Long> sizes =
                    new ResizeWish(wish).sizes(hands.store(), reading.desired());
            Set<InstanceId> only =
                    sizes.keySet().stream()
                            .map(PlanOptions.DiskOf::instance)
                            .collect(Collectors.toSet());
            PlanOptions how =
                    PlanOptions.deploy(hands.cpi().growsAttachedDisks())
                            .withOnly(only)
                            .withDisks(disks(wish.flag("allow_shrink", false), true, sizes));
            Plan plan = plan(task, reading.desired(), how);
            images.bring(task, plan, reading.images(), reading.registries());
            told(
                    task,
                    "resize-disk",
                    deployment,
                    () -> {
                        carryOut(task, reading, plan, how);
                        keeper.hand(task, deployment);
                    });
            return plan.isEmpty()
                    ? "nothing to do: every disk has " + wish.integer("size_mb") + " MB"
                    : "resized " + sizes.size() + " disk(s)";
        };
    }

    /** The request has done so; a task that deleted the deployment may have run since. */
    private void register(StoreSession session, String deployment) {
        if (session.deployment(deployment).isEmpty()) {
            session.saveDeployment(
                    new Rows.Deployment(
                            deployment,
                            null,
                            List.of(),
                            List.of(),
                            List.of(),
                            Map.of(),
                            hands.clock().now()));
        }
    }

    /** {@code cck_scan_and_fix}: the named instances, on the manifest deployed last. */
    TaskJob repair(Map<String, Object> payload) {
        return task -> {
            Fields wish = Fields.of(payload, "payload");
            String deployment = wish.string("deployment");
            Set<InstanceId> only = new HashSet<>();
            named(payload).forEach(id -> only.add(new InstanceId(id)));
            var reading = prepared(task, only, () -> reader.readDeployed(deployment, task.log()));
            PlanOptions how =
                    PlanOptions.repair(only, hands.cpi().growsAttachedDisks())
                            .withDisks(disks(false, true, Map.of()));
            new Ladder(task, reading, how, Ladder.Rung.of(wish)).climb();
            keeper.hand(task, deployment);
            return "scan and fix complete";
        };
    }

    /** The instances that a repair is about. */
    static Set<String> named(Map<String, Object> payload) {
        Set<String> ids = new HashSet<>();
        Fields.of(payload, "payload")
                .object("jobs")
                .tree()
                .values()
                .forEach(list -> Json.asList(list).forEach(id -> ids.add(id.toString())));
        return ids;
    }

    /**
     * The director's part of healing: what is gone is made, what is off is switched on; a VM that
     * is there and silent is rebooted first, and replaced when that does not help.
     */
    private final class Ladder {
        /** Which means may be used against a silent VM. */
        enum Rung {
            REBOOT,
            /** Also of a VM whose agent answers. */
            REBOOT_ALL,
            REPLACE,
            REBOOT_THEN_REPLACE;

            static Rung of(Fields wish) {
                return switch (wish.string("silent", "")) {
                    case "reboot" -> REBOOT;
                    case "reboot-all" -> REBOOT_ALL;
                    case "replace" -> REPLACE;
                    default -> REBOOT_THEN_REPLACE;
                };
            }
        }

        private final TaskContext task;
        private final DeploymentReader.Reading reading;
        private final PlanOptions how;
        private final Rung rung;
        private final Set<InstanceId> rebooted = ConcurrentHashMap.newKeySet();

        Ladder(TaskContext task, DeploymentReader.Reading reading, PlanOptions how, Rung rung) {
            this.task = task;
            this.reading = reading;
            this.how = how;
            this.rung = rung;
        }

        void climb() throws Exception {
            boolean reboots = rung != Rung.REPLACE;
            Map<InstanceId, Exception> failed = new HashMap<>(step(how, reboots, true));
            Set<InstanceId> next = new HashSet<>(rebooted);
            next.retainAll(failed.keySet());
            if (rung == Rung.REBOOT_THEN_REPLACE && !next.isEmpty()) {
                for (InstanceId id : next) {
                    task.log()
                            .warning(
                                    "instance "
                                            + id
                                            + ": a reboot of its VM did not help ("
                                            + Failures.message(
                                                    Objects.requireNonNull(failed.remove(id)))
                                            + "); the VM is replaced");
                }
                failed.putAll(step(how.withOnly(next), false, true));
            }
            if (!failed.isEmpty()) {
                throw failure(failed);
            }
        }

        /**
         * @param again whether whose VM vanishes meanwhile is looked at once more
         */
        private Map<InstanceId, Exception> step(PlanOptions options, boolean reboots, boolean again)
                throws Exception {
            for (int left = MOST_CORRECTIONS; ; left--) {
                try {
                    Plan plan = plan(task, reading.desired(), options, reboots ? this : null);
                    images.bring(task, plan, reading.images(), reading.registries());
                    return new PlanRun(hands, reading.scope(), task, plan)
                            .repair((id, e) -> again ? vanished(id, e, reboots) : e);
                } catch (RecordsCorrected e) {
                    if (left == 0) {
                        throw e;
                    }
                    task.log().warning(e.getMessage() + "; a new plan is made");
                }
            }
        }

        /**
         * A VM that is being removed is switched off first: what was to be started may be gone. A
         * look shows what is left to do, and others are not waited for.
         */
        private @Nullable Exception vanished(InstanceId id, Exception e, boolean reboots)
                throws Exception {
            if (!(e instanceof CpiException cpi) || cpi.type() != CpiException.Type.VM_NOT_FOUND) {
                return e;
            }
            task.log()
                    .warning(
                            "instance "
                                    + id
                                    + ": its VM vanished while it was repaired; it is looked at"
                                    + " anew");
            try {
                return step(how.withOnly(Set.of(id)), reboots, false).get(id);
            } catch (DirectorStopping | TaskCancelled | InterruptedException stop) {
                throw stop;
            } catch (Exception again) {
                return again;
            }
        }

        /** A VM that is to be rebooted is planned with as one that is off. */
        Map<InstanceId, Observation> asIfOff(Map<InstanceId, Observation> seen) {
            var changed = new HashMap<>(seen);
            seen.forEach((id, observation) -> {
                if (rung == Rung.REBOOT_ALL && observation instanceof Observation.Answers) {
                    changed.put(id, new Observation.Stopped());
                    task.log().warning("instance " + id + ": its VM is rebooted, as was asked");
                } else if (observation instanceof Observation.Silent silent) {
                    rebooted.add(id);
                    changed.put(id, new Observation.Stopped());
                    task.log()
                            .warning(
                                    "instance "
                                            + id
                                            + ": its VM is there and its agent is silent (last"
                                            + " seen "
                                            + silent.lastSeen()
                                            + "); the VM is rebooted");
                }
            });
            return changed;
        }

        private static Exception failure(Map<InstanceId, Exception> failed) {
            if (failed.size() == 1) {
                return failed.values().iterator().next();
            }
            String all =
                    failed.entrySet().stream()
                            .map(e -> e.getKey() + ": " + Failures.message(e.getValue()))
                            .sorted()
                            .collect(Collectors.joining("; "));
            return new ProblemException(
                    Failures.code(failed.values().iterator().next()),
                    failed.size() + " instances could not be repaired: " + all);
        }
    }

    /** {@code delete_deployment}: VMs go, disks become orphans (rule R3). */
    TaskJob delete(Map<String, Object> payload) {
        return task -> {
            String deployment = Fields.of(payload, "payload").string("deployment");
            boolean force = Fields.of(payload, "payload").object("options").flag("force", false);
            settle(task, deployment, force);
            Desired nothing = new Desired(deployment, List.of(), Map.of());
            DeployScope scope = new DeployScope(deployment, Map.of(), Map.of());
            Plan plan = plan(task, nothing, PlanOptions.deploy(false).withFix(true));
            told(
                    task,
                    "delete",
                    deployment,
                    () -> {
                        new PlanRun(hands, scope, task, plan).deleteAll(force);
                        task.log()
                                .stage("Removing deployment artifacts", List.of(), 1)
                                .step("Destroying deployment", step -> forget(deployment));
                    });
            return "/deployments/" + deployment;
        };
    }

    /** By force, what the cloud cannot tell of may be left over in it. */
    private void settle(TaskContext task, String deployment, boolean force) {
        try {
            new Settlement(hands).settle(task.id(), deployment);
        } catch (CpiException e) {
            if (!force) {
                throw e;
            }
            task.log().warning("what was left open cannot be looked at: " + e.getMessage());
        }
    }

    private void forget(String deployment) {
        hands.store().update(s -> s.deleteDeployment(deployment));
    }

    private boolean isFirst(String deployment) {
        return hands.store()
                .read(s -> s.deployment(deployment))
                .filter(d -> d.manifest() != null)
                .isEmpty();
    }

    /** Changing a whole deployment. */
    private interface Work {
        void run() throws Exception;
    }

    private void told(TaskContext task, String action, String deployment, Work work)
            throws Exception {
        hands.trail()
                .around(
                        task,
                        new AuditTrail.Act(action, "deployment", deployment, null, Map.of()),
                        () -> {
                            work.run();
                            return deployment;
                        });
    }

    /** Work of the stage that every deploy begins with. */
    private interface Preparation {
        DeploymentReader.Reading read() throws Exception;
    }

    private DeploymentReader.Reading prepared(TaskContext task, Preparation preparation)
            throws Exception {
        return prepared(task, null, preparation);
    }

    private DeploymentReader.Reading prepared(
            TaskContext task, @Nullable Set<InstanceId> only, Preparation preparation)
            throws Exception {
        var found =
                new java.util.concurrent.atomic.AtomicReference<
                        DeploymentReader.@Nullable Reading>();
        task.log()
                .stage("Preparing deployment", List.of(), 1)
                .step(
                        "Preparing deployment",
                        step -> {
                            DeploymentReader.Reading reading = preparation.read();
                            new Settlement(hands)
                                    .settle(task.id(), reading.scope().deployment(), only);
                            found.set(reading);
                        });
        DeploymentReader.Reading reading = found.get();
        if (reading == null) {
            throw new IllegalStateException("preparing ended without a result");
        }
        return reading;
    }

    private Plan plan(TaskContext task, Desired desired, PlanOptions options) throws Exception {
        return plan(task, desired, options, null);
    }

    private Plan plan(
            TaskContext task, Desired desired, PlanOptions options, @Nullable Ladder ladder)
            throws Exception {
        new LiveDisks(hands).settle(desired.deployment(), options.only(), task.log());
        Recorded recorded = Records.of(hands.store(), desired.deployment());
        Observer.Seen seen = observer.look(desired.deployment(), recorded, options.only());
        Plan plan =
                planner.plan(
                        desired,
                        ladder == null ? seen.observations() : ladder.asIfOff(seen.observations()),
                        recorded,
                        options.withGoneVms(seen.gone()));
        plan.warnings().forEach(task.log()::warning);
        PlanText.lines(plan).forEach(task.log()::debug);
        return plan;
    }

    /**
     * Requests to restart or recreate that this very task carried out before, by an earlier plan or
     * process: done once is done.
     */
    private Set<InstanceId> fulfilled(TaskContext task) {
        Set<InstanceId> touched =
                hands.store().read(s -> s.intents(task.id())).stream()
                        .filter(i ->
                                Journal.DONE.equals(i.outcome())
                                        && (i.kind().equals("create vm")
                                                || i.kind().equals("start")))
                        .map(Rows.Intent::instance)
                        .filter(java.util.Objects::nonNull)
                        .collect(Collectors.toSet());
        touched.removeIf(id -> hands.store().read(s -> s.instance(id)).isEmpty());
        return touched;
    }

    static ProblemException neverDeployed() {
        return new ProblemException(440001, "No successful BOSH deployment manifest available");
    }
}
