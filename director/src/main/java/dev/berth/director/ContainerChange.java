package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.wire.AgentState;
import dev.berth.wire.AgentState.ContainerState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Stops, starts or restarts one container, its dependents with it, and waits for what comes of it:
 * the task {@code change_container}, whose payload says {@code deployment}, {@code instance} (id),
 * {@code container} and {@code state} ({@code started}, {@code stopped} or {@code restart}).
 */
final class ContainerChange {
    static final String TASK = "change_container";

    /** Words of the request, the agent's method, and what the audit trail calls it. */
    private static final Map<String, String> METHODS =
            Map.of(
                    "started", "start_container",
                    "stopped", "stop_container",
                    "restart", "restart_container");

    private static final Set<String> ARRIVED = Set.of("up", "done");
    private static final Set<String> MOVING =
            Set.of("waiting", "preparing", "creating", "starting", "stopping");
    private static final Duration MOST_PAUSE = Duration.ofMillis(500);

    private final Hands hands;

    ContainerChange(Hands hands) {
        this.hands = hands;
    }

    static boolean isState(@Nullable String state) {
        return state != null && METHODS.containsKey(state);
    }

    /** {@code restart container}: what a task and the audit trail call it. */
    static String verb(String state) {
        return METHODS.getOrDefault(state, state).replace("_container", "");
    }

    TaskJob job(Map<String, Object> payload) {
        return task -> {
            Fields wish = Fields.of(payload, "payload");
            var id = new InstanceId(wish.string("instance"));
            Rows.Instance instance =
                    hands.store()
                            .read(s -> s.instance(id))
                            .orElseThrow(() ->
                                    new ProblemException(
                                            70001, "Instance '" + id + "' doesn't exist any more"));
            String name = instance.group() + "/" + id;
            String container = wish.string("container");
            String verb = verb(wish.string("state"));
            task.log()
                    .stage(
                            Character.toUpperCase(verb.charAt(0))
                                    + verb.substring(1)
                                    + (verb.equals("stop") ? "ping" : "ing")
                                    + " container",
                            List.of(),
                            1)
                    .step(
                            name + "/" + container,
                            step ->
                                    hands.trail()
                                            .around(
                                                    task,
                                                    new AuditTrail.Act(
                                                            verb,
                                                            "container",
                                                            container,
                                                            name,
                                                            Map.of()),
                                                    () -> {
                                                        change(task, instance, wish);
                                                        return container;
                                                    }));
            return name + "/" + container;
        };
    }

    private void change(TaskContext task, Rows.Instance instance, Fields wish)
            throws InterruptedException {
        String container = wish.string("container");
        String state = wish.string("state");
        Rows.Vm vm = vm(instance);
        requireStarted(instance, state);
        ContainerState seen = seen(task, vm, container);
        Life before = earlier(task, instance).orElse(Life.of(seen));
        boolean stop = state.equals("stopped");
        IntentId intent =
                hands.journal()
                        .begin(
                                task.id(),
                                instance.id(),
                                verb(state) + " container",
                                Json.of(
                                        "container",
                                        container,
                                        "restarts",
                                        before.restarts,
                                        "started_at_ms",
                                        before.startedAtMillis),
                                session ->
                                        session.instance(instance.id())
                                                .map(i -> HeldContainers.with(i, container, stop))
                                                .ifPresent(session::saveInstance));
        boolean restarted = state.equals("restart") && !before.equals(Life.of(seen));
        if (!restarted) {
            call(task, vm, METHODS.getOrDefault(state, ""), List.of(container));
        }
        await(task, vm, container, state, before);
        hands.journal().end(intent, Journal.DONE, session -> {});
    }

    /** Which of its lives a container is in. */
    private record Life(long restarts, long startedAtMillis) {
        static Life of(ContainerState seen) {
            return new Life(seen.restarts(), seen.startedAtMillis());
        }
    }

    /**
     * The life it was in when a killed director began with this: by it is told whether a restart
     * was carried out, which is then not asked for twice, or was never sent.
     */
    private Optional<Life> earlier(TaskContext task, Rows.Instance instance) {
        return hands.store().read(s -> s.intents(task.id())).stream()
                .filter(i -> instance.id().equals(i.instance()))
                .map(i -> Fields.of(i.payload(), i.kind()))
                .map(f -> new Life(f.integer("restarts", 0), f.integer("started_at_ms", 0)))
                .findFirst();
    }

    private Rows.Vm vm(Rows.Instance instance) {
        return hands.store()
                .read(s -> s.activeVm(instance.id()))
                .orElseThrow(() ->
                        new ProblemException(
                                70013,
                                "Instance '"
                                        + instance.group()
                                        + "/"
                                        + instance.id()
                                        + "' has no VM; start the instance first"));
    }

    private static void requireStarted(Rows.Instance instance, String state) {
        if (!instance.state().equals("started") && !state.equals("stopped")) {
            throw new ProblemException(
                    70013,
                    "Instance '"
                            + instance.group()
                            + "/"
                            + instance.id()
                            + "' is "
                            + instance.state()
                            + " as a whole: start it, and its containers start with it");
        }
    }

    private @Nullable Object call(
            TaskContext task, Rows.Vm vm, String method, List<Object> arguments) {
        try {
            return hands.agents()
                    .call(
                            vm.agent(),
                            method,
                            arguments,
                            hands.patience().agentCall(),
                            task::cancelled);
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.CANCELLED) {
                task.checkCancelled();
            }
            throw e;
        }
    }

    private List<ContainerState> look(TaskContext task, Rows.Vm vm) {
        List<ContainerState> seen =
                AgentState.fromTree(call(task, vm, "get_state", List.of())).containers();
        return seen == null ? List.of() : seen;
    }

    private ContainerState seen(TaskContext task, Rows.Vm vm, String container) {
        List<ContainerState> all = look(task, vm);
        return all.stream()
                .filter(c -> c.name().equals(container))
                .findFirst()
                .orElseThrow(() ->
                        new ProblemException(
                                70014,
                                "This instance has no container '"
                                        + container
                                        + "', only "
                                        + all.stream()
                                                .map(ContainerState::name)
                                                .collect(Collectors.joining(", "))));
    }

    private void await(TaskContext task, Rows.Vm vm, String container, String state, Life before)
            throws InterruptedException {
        Instant begun = hands.clock().now();
        Instant giveUp = begun.plus(hands.patience().stop());
        while (true) {
            task.checkCancelled();
            List<ContainerState> all = look(task, vm);
            ContainerState now = seen(task, vm, container);
            if (isReached(state, before, now) && isQuiet(all, state)) {
                return;
            }
            if (!hands.clock().now().isBefore(giveUp)) {
                throw late(container, state, all);
            }
            long waited = Duration.between(begun, hands.clock().now()).toMillis();
            hands.clock()
                    .sleep(Duration.ofMillis(Math.clamp(waited / 8, 20, MOST_PAUSE.toMillis())));
        }
    }

    private static boolean isReached(String state, Life before, ContainerState now) {
        return switch (state) {
            case "stopped" -> now.state().equals("stopped") || now.state().equals("done");
            case "restart" -> ARRIVED.contains(now.state()) && !before.equals(Life.of(now));
            default -> ARRIVED.contains(now.state());
        };
    }

    /**
     * Its dependents have followed; after a stop they wait for it, and there only the stopping is
     * awaited.
     */
    private static boolean isQuiet(List<ContainerState> all, String state) {
        return all.stream()
                .noneMatch(c ->
                        state.equals("stopped")
                                ? c.state().equals("stopping")
                                : MOVING.contains(c.state()) && !c.state().equals("waiting"));
    }

    private static ProblemException late(String container, String state, List<ContainerState> all) {
        String seen =
                all.stream()
                        .filter(c -> c.name().equals(container) || MOVING.contains(c.state()))
                        .map(c ->
                                c.name()
                                        + " is "
                                        + c.state()
                                        + (c.reason().isEmpty() ? "" : " (" + c.reason() + ")"))
                        .collect(Collectors.joining(", "));
        return new ProblemException(
                List.of(
                        new Problem(
                                400007,
                                null,
                                "Container '"
                                        + container
                                        + "' was asked to "
                                        + verb(state)
                                        + " and has not done so: "
                                        + seen,
                                "see: berth why")));
    }
}
