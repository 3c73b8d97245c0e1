package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.planner.Observation;
import dev.berth.planner.PlanOptions;
import dev.berth.store.Rows;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The director's part of healing: what is gone is made, what is off is switched on; a VM that is
 * there and silent is rebooted first, and replaced when that does not help, unless its agent shows
 * that it lives. An event tells of each step and its cause. Of one task.
 */
final class Ladder {
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

    /** What is done, as events say it. */
    enum Step {
        PING("ping"),
        START("start"),
        REBOOT("reboot"),
        REPLACE("replace");

        private final String word;

        Step(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    /** Makes a plan by what was seen, taken as the argument says. */
    @FunctionalInterface
    interface Planning {
        PlanRun plan(PlanOptions options, UnaryOperator<Map<InstanceId, Observation>> seen)
                throws Exception;
    }

    private final Hands hands;
    private final TaskContext task;
    private final PlanOptions how;
    private final Rung rung;
    private final Planning planning;
    private final Set<InstanceId> rebooted = ConcurrentHashMap.newKeySet();

    /** Another plan of the same task tells nothing twice. */
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    Ladder(Hands hands, TaskContext task, PlanOptions how, Rung rung, Planning planning) {
        this.hands = hands;
        this.task = task;
        this.how = how;
        this.rung = rung;
        this.planning = planning;
    }

    void climb() throws Exception {
        UnaryOperator<Map<InstanceId, Observation>> seen =
                rung == Rung.REPLACE ? this::asItIs : this::asIfOff;
        Map<InstanceId, Exception> failed = new HashMap<>(step(how, seen, true));
        Set<InstanceId> next = new HashSet<>(rebooted);
        next.retainAll(failed.keySet());
        next.removeIf(this::isLockedOut);
        if (rung == Rung.REBOOT_THEN_REPLACE && !next.isEmpty()) {
            for (InstanceId id : next) {
                String why =
                        "a reboot of its VM did not help ("
                                + Failures.message(Objects.requireNonNull(failed.remove(id)))
                                + ")";
                task.log().warning("instance " + id + ": " + why + "; the VM is replaced");
                tell(id, Step.REPLACE, why);
            }
            failed.putAll(step(how.withOnly(next), UnaryOperator.identity(), true));
        }
        if (!failed.isEmpty()) {
            throw failure(failed);
        }
    }

    /** It came up and is refused by the bus: another VM would be no better off. */
    private boolean isLockedOut(InstanceId id) {
        var refusal = Refused.instance(hands, id);
        refusal.ifPresent(r ->
                task.log()
                        .warning(
                                "instance "
                                        + id
                                        + ": its agent lives and is locked out of the bus ("
                                        + r.reason()
                                        + "); the VM is not replaced"));
        return refusal.isPresent();
    }

    /**
     * @param again whether whose VM vanishes meanwhile is looked at once more
     */
    private Map<InstanceId, Exception> step(
            PlanOptions options, UnaryOperator<Map<InstanceId, Observation>> seen, boolean again)
            throws Exception {
        for (int left = Converge.MOST_CORRECTIONS; ; left--) {
            try {
                return planning.plan(options, seen)
                        .repair((id, e) -> again ? vanished(id, e, seen) : e);
            } catch (RecordsCorrected e) {
                if (left == 0) {
                    throw e;
                }
                task.log().warning(e.getMessage() + "; a new plan is made");
            }
        }
    }

    /**
     * A VM that is being removed is switched off first: what was to be started may be gone. A look
     * shows what is left to do, and others are not waited for.
     */
    private @Nullable Exception vanished(
            InstanceId id, Exception e, UnaryOperator<Map<InstanceId, Observation>> seen)
            throws Exception {
        if (!(e instanceof CpiException cpi) || cpi.type() != CpiException.Type.VM_NOT_FOUND) {
            return e;
        }
        task.log()
                .warning(
                        "instance "
                                + id
                                + ": its VM vanished while it was repaired; it is looked at anew");
        try {
            return step(how.withOnly(Set.of(id)), seen, false).get(id);
        } catch (DirectorStopping | TaskCancelled | InterruptedException stop) {
            throw stop;
        } catch (Exception again) {
            return again;
        }
    }

    private Map<InstanceId, Observation> asItIs(Map<InstanceId, Observation> seen) {
        seen.forEach((id, observation) -> {
            tellOf(id, observation);
            if (observation instanceof Observation.Silent) {
                tell(id, Step.REPLACE, "its agent is silent, and that was asked for");
            }
        });
        return seen;
    }

    /** A VM that is to be rebooted is planned with as one that is off. */
    private Map<InstanceId, Observation> asIfOff(Map<InstanceId, Observation> seen) {
        var changed = new HashMap<>(seen);
        seen.forEach((id, observation) -> {
            tellOf(id, observation);
            if (rung == Rung.REBOOT_ALL && observation instanceof Observation.Answers) {
                changed.put(id, new Observation.Stopped());
                task.log().warning("instance " + id + ": its VM is rebooted, as was asked");
                tell(id, Step.REBOOT, "that was asked for");
            } else if (observation instanceof Observation.Silent silent) {
                rebooted.add(id);
                changed.put(id, new Observation.Stopped());
                String why =
                        "its VM is there and its agent is silent (last seen "
                                + silent.lastSeen()
                                + ")";
                task.log().warning("instance " + id + ": " + why + "; the VM is rebooted");
                tell(id, Step.PING, "its agent was silent; it did not answer");
                tell(id, Step.REBOOT, why);
            }
        });
        return changed;
    }

    private void tellOf(InstanceId id, Observation observation) {
        switch (observation) {
            case Observation.NoVm none -> tell(id, Step.REPLACE, "it has no VM");
            case Observation.Gone gone -> tell(id, Step.REPLACE, "the cloud says its VM is gone");
            case Observation.Unfinished half ->
                    tell(id, Step.REPLACE, "its VM was never made to the end");
            case Observation.Stopped off -> tell(id, Step.START, "its VM is switched off");
            case Observation.Answers answers ->
                    tell(id, Step.PING, "its agent answers: " + answers.jobState());
            case Observation.Silent silent -> {}
        }
    }

    private void tell(InstanceId id, Step step, String why) {
        Optional<Rows.Instance> row = hands.store().read(s -> s.instance(id));
        if (row.isEmpty() || !told.add(id + " " + step)) {
            return;
        }
        String name = row.get().group() + "/" + id;
        hands.trail()
                .record(
                        new AuditTrail.Entry(
                                null,
                                task.user(),
                                step.word(),
                                HealingView.OBJECT,
                                name,
                                task.id(),
                                row.get().deployment(),
                                name,
                                null,
                                Json.of("reason", why)));
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
