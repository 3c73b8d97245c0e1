package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.planner.Plan.GroupPlan;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.store.Rows;
import dev.berth.wire.AgentState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes back, after a failed update of a group, what the task changed in the containers of its
 * instances: each agent goes back to the containers that ran there last. VMs and disks stay as the
 * update left them. The journal tells which instances were reached and what was recorded of them
 * before, so a director killed on the way goes on with it. One use.
 */
final class Rollback {
    /** The agent's action, and the kind of its intent. */
    static final String KIND = "roll back";

    private final Hands hands;
    private final DeployScope scope;
    private final TaskContext task;
    private final GroupPlan group;

    Rollback(Hands hands, DeployScope scope, TaskContext task, GroupPlan group) {
        this.hands = hands;
        this.scope = scope;
        this.task = task;
        this.group = group;
    }

    /** Whether this task began one before the director was killed. */
    boolean wasBegun() {
        return intents(KIND).stream().anyMatch(i -> instance(i.instance()) != null);
    }

    /**
     * @param cause of the failed update
     * @return what to fail with: the cause, and what became of each instance
     */
    ProblemException after(String cause, int code) throws Exception {
        Map<InstancePlan, Map<String, Object>> reached = reached();
        List<String> back = Collections.synchronizedList(new ArrayList<>());
        List<String> lost = Collections.synchronizedList(new ArrayList<>());
        if (!reached.isEmpty()) {
            TaskLog.Stage stage =
                    task.log()
                            .stage("Rolling back instance", List.of(group.group()), reached.size());
            hands.parallel()
                    .forEach(
                            reached.entrySet(),
                            group.maxInFlight(),
                            entry -> {
                                InstancePlan plan = entry.getKey();
                                try {
                                    stage.step(plan.text(), log -> restore(plan, entry.getValue()));
                                    back.add(plan.text());
                                } catch (DirectorStopping | TaskCancelled e) {
                                    throw e;
                                } catch (RuntimeException e) {
                                    lost.add(plan.text() + " (" + Failures.message(e) + ")");
                                }
                            });
        }
        return new ProblemException(
                List.of(new Problem(code, null, cause + outcome(back, lost), null)));
    }

    private static String outcome(List<String> back, List<String> lost) {
        var text = new StringBuilder();
        if (!back.isEmpty()) {
            text.append(". Rolled back, running the containers of before: ")
                    .append(String.join(", ", back.stream().sorted().toList()));
        }
        if (!lost.isEmpty()) {
            text.append(". Could not be rolled back: ")
                    .append(String.join(", ", lost.stream().sorted().toList()));
        }
        return text.toString();
    }

    /** The instances that were told of new containers, with what was recorded of them before. */
    private Map<InstancePlan, Map<String, Object>> reached() {
        var reached = new LinkedHashMap<InstancePlan, Map<String, Object>>();
        for (Rows.Intent intent : intents("apply")) {
            InstancePlan plan = instance(intent.instance());
            Map<String, Object> before =
                    Fields.of(intent.payload(), intent.kind()).object("before").tree();
            if (plan != null && !before.isEmpty()) {
                reached.putIfAbsent(plan, before);
            }
        }
        return reached;
    }

    private List<Rows.Intent> intents(String kind) {
        return hands.store().read(s -> s.intents(task.id())).stream()
                .filter(i -> i.kind().equals(kind))
                .toList();
    }

    private @Nullable InstancePlan instance(@Nullable InstanceId id) {
        return group.instances().stream().filter(i -> i.id().equals(id)).findFirst().orElse(null);
    }

    private void restore(InstancePlan plan, Map<String, Object> recorded)
            throws InterruptedException {
        var on = new InstanceContext(hands, scope, task, plan);
        var containers = new ContainerActs(on, group.updateWatch());
        on.agentAct(KIND, "roll_back", List.of(), hands.patience().longCall());
        if (plan.wishedState().equals("started")) {
            on.agentAct("start", "start", List.of(), hands.patience().agentCall());
            containers.awaitRunning();
        }
        AgentState state =
                AgentState.fromTree(
                        on.call(on.vm(), "get_state", List.of(), hands.patience().agentCall()));
        String wished = Fields.of(recorded, "recorded spec").string("configuration_hash", "");
        if (!state.configurationHash().equals(wished)) {
            throw new ProblemException(
                    100, "its agent knows other containers of before than were recorded");
        }
        hands.store()
                .update(s ->
                        s.instance(plan.id())
                                .ifPresent(i ->
                                        s.saveInstance(i.ofSpec(recorded).updateCompleted(true))));
    }
}
