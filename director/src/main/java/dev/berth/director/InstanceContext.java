package dev.berth.director;

import static java.util.stream.Collectors.joining;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.planner.Plan.Change;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What acting on one instance needs: the ports, what is wished, and the journal of its acts. Not
 * thread-safe; one at a time per instance, which the deployment's lock guarantees.
 */
record InstanceContext(Hands hands, DeployScope scope, TaskContext task, InstancePlan plan) {
    /**
     * An agent act with its intent. The agent's acts are idempotent, so an open one is settled by
     * planning anew.
     */
    @Nullable Object agentAct(String kind, String method, List<Object> arguments, Duration limit) {
        return agentAct(kind, Json.of(), method, arguments, limit);
    }

    /**
     * @param payload to be remembered with the intent; no secret
     */
    @Nullable Object agentAct(
            String kind,
            Map<String, Object> payload,
            String method,
            List<Object> arguments,
            Duration limit) {
        IntentId intent = begin(kind, payload, session -> {});
        Object answer;
        try {
            answer = call(vm(), method, arguments, limit);
        } catch (AgentException e) {
            if (e.kind() != AgentException.Kind.TIMEOUT) {
                end(intent, "failed", session -> {});
            }
            throw e;
        }
        end(intent, Journal.DONE, session -> {});
        return answer;
    }

    @Nullable Object call(Rows.Vm vm, String method, List<Object> arguments, Duration limit) {
        return call(vm, method, arguments, limit, progress -> {});
    }

    /**
     * @param progress is told what the agent says of how far it is
     */
    @Nullable Object call(
            Rows.Vm vm,
            String method,
            List<Object> arguments,
            Duration limit,
            Consumer<Map<String, Object>> progress) {
        try {
            return hands.agents()
                    .call(vm.agent(), method, arguments, limit, task::cancelled, progress);
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.CANCELLED) {
                task.checkCancelled();
            }
            throw new AgentException(
                    e.kind(), plan.name() + " (" + method + "): " + e.getMessage());
        }
    }

    /** For actions old agents lack. */
    void tolerantCall(Rows.Vm vm, String method, List<Object> arguments) {
        try {
            call(vm, method, arguments, hands.patience().stop());
        } catch (AgentException e) {
            if (e.kind() != AgentException.Kind.UNKNOWN_METHOD) {
                throw e;
            }
        }
    }

    IntentId begin(String kind, Map<String, Object> payload, Consumer<StoreSession> claim) {
        return hands.journal().begin(task.id(), plan.id(), kind, payload, claim);
    }

    void end(IntentId intent, String outcome, Consumer<StoreSession> effect) {
        hands.journal().end(intent, outcome, effect);
    }

    void endUnlessUnknown(IntentId intent, CpiException e) {
        if (e.type() != CpiException.Type.UNKNOWN) {
            end(intent, "failed: " + e.getMessage(), session -> {});
        }
    }

    List<Rows.Vm> vms() {
        return hands.store().read(s -> s.vms(plan.id()));
    }

    Rows.Vm vm() {
        return hands.store()
                .read(s -> s.activeVm(plan.id()))
                .orElseThrow(() -> new IllegalStateException(plan.text() + " has no VM"));
    }

    /** The live disk of that name. */
    Rows.Disk disk(String name) {
        return hands.store().read(s -> s.disks(plan.id())).stream()
                .filter(d -> d.active() && d.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException(
                                plan.text() + " has no persistent disk '" + name + "'"));
    }

    Rows.Disk disk(DiskCid cid) {
        return hands.store()
                .read(s -> s.disk(cid))
                .orElseThrow(() -> new IllegalStateException(plan.text() + " has no disk " + cid));
    }

    /** Disks of that name that a copy has left, or goes on with. */
    List<Rows.Disk> leftOver(String name) {
        return hands.store().read(s -> s.disks(plan.id())).stream()
                .filter(d -> !d.active() && d.name().equals(name))
                .toList();
    }

    /** What an operator will one day ask of disks is kept in the audit trail. */
    DiskCid told(String action, String type, Supplier<DiskCid> work) {
        var done = new ArrayList<DiskCid>();
        String reason = plan.changes().stream().map(Change::reason).collect(joining("; "));
        hands.trail()
                .around(
                        task,
                        new AuditTrail.Act(
                                action, type, null, plan.name(), Map.of("reason", reason)),
                        () -> {
                            done.add(work.get());
                            return done.getFirst().value();
                        });
        return done.getFirst();
    }
}
