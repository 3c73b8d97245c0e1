package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.planner.Plan;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.store.Rows;
import dev.berth.wire.AgentState;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is done with the containers of one instance, through its agent. */
final class ContainerActs {
    private final InstanceContext on;
    private final Hands hands;
    private final DeployScope scope;
    private final TaskContext task;
    private final InstancePlan plan;
    private final Plan.WatchTime watch;

    ContainerActs(InstanceContext on, Plan.WatchTime watch) {
        this.on = on;
        this.hands = on.hands();
        this.scope = on.scope();
        this.task = on.task();
        this.plan = on.plan();
        this.watch = watch;
    }

    void stopContainers(boolean leaving) {
        Rows.Vm vm = on.vm();
        String next = leaving ? "delete" : "keep";
        IntentId intent = on.begin("stop containers", Json.of("leaving", leaving), session -> {});
        Map<String, Object> env =
                Json.of(
                        "env",
                        Json.of(
                                "BOSH_VM_NEXT_STATE",
                                next,
                                "BOSH_INSTANCE_NEXT_STATE",
                                next,
                                "BOSH_DEPLOYMENT_NEXT_STATE",
                                "keep"));
        on.tolerantCall(vm, "run_script", List.of("pre-stop", env));
        on.call(
                vm,
                "drain",
                List.of("shutdown", scope.full(plan).toTree()),
                hands.patience().stop());
        on.call(vm, "stop", List.of(), hands.patience().stop());
        on.tolerantCall(vm, "run_script", List.of("post-stop", Json.of()));
        on.end(intent, Journal.DONE, session -> {});
    }

    /** What became of the Docker daemon's settings, in the agent's words; empty: nothing. */
    static String daemonWords(@Nullable Object answer) {
        return answer instanceof Map<?, ?> told && told.get("daemon") instanceof String words
                ? words
                : "";
    }

    String prepare() {
        return daemonWords(
                on.agentAct(
                        "prepare",
                        "prepare",
                        List.of(scope.full(plan).toTree()),
                        hands.patience().longCall()));
    }

    String apply() {
        Map<String, Object> before =
                hands.store()
                        .read(s -> s.instance(plan.id()))
                        .map(Rows.Instance::spec)
                        .orElse(Map.of());
        Object answer =
                on.agentAct(
                        "apply",
                        Json.of("before", before), // what a rollback records again
                        "apply",
                        List.of(scope.full(plan).toTree()),
                        hands.patience().longCall());
        holdStopped();
        return daemonWords(answer);
    }

    /** Before anything starts: a new VM knows nothing of what a person stopped on the old one. */
    private void holdStopped() {
        List<String> wished = names();
        List<String> held =
                hands.store()
                        .read(s -> s.instance(plan.id()))
                        .map(HeldContainers::of)
                        .orElse(List.of());
        for (String container : held) {
            if (wished.contains(container)) {
                on.agentAct(
                        "stop container",
                        "stop_container",
                        List.of(container),
                        hands.patience().agentCall());
            }
        }
    }

    private List<String> names() {
        return Fields.of(scope.summary(plan), "summary").objects("containers").stream()
                .map(c -> c.string("name"))
                .toList();
    }

    void startContainers() {
        on.tolerantCall(on.vm(), "run_script", List.of("pre-start", Json.of()));
        on.agentAct("start", "start", List.of(), hands.patience().agentCall());
    }

    void awaitRunning() throws InterruptedException {
        hands.clock().sleep(Duration.ofMillis(watch.minMillis()));
        Instant giveUp =
                hands.clock()
                        .steady()
                        .plusMillis(Math.max(0, watch.maxMillis() - watch.minMillis()));
        Instant begun = hands.clock().steady();
        var failures = new HashMap<String, String>();
        while (true) {
            task.checkCancelled();
            AgentState state =
                    AgentState.fromTree(
                            on.call(on.vm(), "get_state", List.of(), hands.patience().agentCall()));
            if (state.jobState().equals("running")) {
                on.tolerantCall(on.vm(), "run_script", List.of("post-start", Json.of()));
                return;
            }
            remember(failures, state);
            if (!hands.clock().steady().isBefore(giveUp)) {
                throw notRunning(state, failures);
            }
            hands.clock().sleep(pause(Duration.between(begun, hands.clock().steady())));
        }
    }

    /**
     * A sixteenth of the time waited so far: what waits long is asked less, and none waits in vain
     * for long.
     */
    private static Duration pause(Duration waited) {
        return Duration.ofMillis(Math.clamp(waited.toMillis() / 16, 20, 1000));
    }

    /** One that is being tried once more does not say any longer what went wrong. */
    private static void remember(Map<String, String> failures, AgentState state) {
        for (AgentState.ContainerState c :
                java.util.Objects.requireNonNullElse(
                        state.containers(), List.<AgentState.ContainerState>of())) {
            boolean trying = List.of("preparing", "creating", "starting").contains(c.state());
            if (!trying && !c.reason().isEmpty()) {
                failures.put(c.name(), c.reason());
            } else if (!trying) {
                failures.remove(c.name());
            }
        }
    }

    private ProblemException notRunning(AgentState state, Map<String, String> failures) {
        List<AgentState.ContainerState> failing =
                state.containers() == null
                        ? List.of()
                        : state.containers().stream()
                                .filter(c -> !c.state().equals("up") && !c.state().equals("done"))
                                .toList();
        String names =
                failing.stream()
                        .map(AgentState.ContainerState::name)
                        .collect(Collectors.joining(", "));
        String why =
                failing.stream()
                        .map(c -> Map.entry(c.name(), failures.getOrDefault(c.name(), c.reason())))
                        .filter(c -> !c.getValue().isEmpty())
                        .map(c -> c.getKey() + ": " + c.getValue())
                        .collect(Collectors.joining("; "));
        return new ProblemException(
                List.of(
                        new Problem(
                                400007,
                                null,
                                "'"
                                        + plan.text()
                                        + "' is not running after update."
                                        + (names.isEmpty()
                                                ? ""
                                                : " Review logs for failed jobs: " + names),
                                why.isEmpty() ? null : why)));
    }

    /** The reached state; addresses of before are free only now that nothing uses them. */
    void recordState(String state) {
        hands.store()
                .update(session -> {
                    session.instance(plan.id())
                            .ifPresent(i -> {
                                var spec = new LinkedHashMap<>(scope.summary(plan));
                                HeldContainers.keep(i, spec, names());
                                session.saveInstance(i.updated(state, plan.bootstrap(), spec));
                            });
                    session.ips(plan.id()).stream()
                            .map(Rows.Ip::address)
                            .filter(a -> !plan.addresses().containsValue(a))
                            .forEach(session::releaseIp);
                });
    }
}
