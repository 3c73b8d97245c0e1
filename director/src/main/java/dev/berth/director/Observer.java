package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.planner.Observation;
import dev.berth.planner.Recorded;
import dev.berth.store.Rows;
import dev.berth.wire.AgentState;
import dev.berth.wire.Heartbeat;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the instances of a deployment before a plan is made: what their agents say on their own
 * if that is fresh, else a question, else the cloud. Thousands of healthy instances cost no
 * traffic.
 */
final class Observer {
    /** Long enough for a busy agent, short enough not to hold up a repair. */
    private static final Duration QUESTION = Duration.ofSeconds(10);

    private static final Duration PING = Duration.ofSeconds(1);
    private static final int AT_ONCE = 32;

    private final Hands hands;
    private final FleetView view;

    Observer(Hands hands, FleetView view) {
        this.hands = hands;
        this.view = view;
    }

    /**
     * @param gone VMs the cloud was asked about and has not
     */
    record Seen(Map<InstanceId, Observation> observations, Set<VmCid> gone) {}

    Seen look(String deployment, Recorded recorded, @Nullable Set<InstanceId> only)
            throws Exception {
        var observations = new ConcurrentHashMap<InstanceId, Observation>();
        var unfinished = new HashSet<VmCid>();
        hands.store().read(s -> s.vmsOf(deployment)).stream()
                .filter(v -> !Boolean.TRUE.equals(v.shape().get("welcomed")))
                .map(Rows.Vm::cid)
                .forEach(unfinished::add);
        List<Recorded.Instance> unsure = new ArrayList<>();
        for (Recorded.Instance instance : recorded.instances()) {
            Recorded.Vm vm = instance.vm();
            if (only != null && !only.contains(instance.id())) {
                continue; // not to be touched, so that how it is makes no difference
            }
            if (vm == null) {
                observations.put(instance.id(), new Observation.NoVm());
            } else if (unfinished.contains(vm.cid())) {
                observations.put(instance.id(), new Observation.Unfinished());
            } else {
                Optional<Observation> fresh =
                        only == null || !only.contains(instance.id())
                                ? fresh(instance, vm)
                                : Optional.empty();
                fresh.ifPresentOrElse(
                        o -> observations.put(instance.id(), o), () -> unsure.add(instance));
            }
        }
        Set<VmCid> gone = ConcurrentHashMap.newKeySet();
        if (!unsure.isEmpty()) {
            hands.parallel()
                    .forEach(
                            unsure,
                            AT_ONCE,
                            i -> observations.put(i.id(), ask(i, only != null, gone)));
        }
        holdersThatAreGone(recorded, gone);
        return new Seen(observations, gone);
    }

    private Optional<Observation> fresh(Recorded.Instance instance, Recorded.Vm vm) {
        if (!view.responsive(vm.agent())) {
            return Optional.empty();
        }
        return view.lastHeartbeat(vm.agent())
                .filter(h -> h.jobState().equals("running"))
                .map(h -> heard(instance, h));
    }

    private static Observation heard(Recorded.Instance instance, Heartbeat heartbeat) {
        Fields said = Fields.of(heartbeat.tree(), "heartbeat");
        return new Observation.Answers(
                heartbeat.jobState(),
                said.string("configuration_hash", instance.configurationHash()),
                said.has("disks") ? said.strings("disks") : null);
    }

    private Observation ask(Recorded.Instance instance, boolean repair, Set<VmCid> gone) {
        Recorded.Vm vm = instance.vm();
        if (vm == null) {
            return new Observation.NoVm();
        }
        Cpi.VmEvidence evidence = evidence(vm.cid());
        if (evidence == Cpi.VmEvidence.GONE) {
            gone.add(vm.cid());
            return new Observation.Gone();
        }
        if (evidence == Cpi.VmEvidence.STOPPED) {
            return new Observation.Stopped();
        }
        try {
            if (repair) {
                comeBack(vm.agent());
            }
            AgentState state =
                    AgentState.fromTree(
                            hands.agents().call(vm.agent(), "get_state", List.of(), QUESTION));
            Fields said = Fields.of(state.tree(), "agent state");
            return new Observation.Answers(
                    state.jobState(),
                    state.configurationHash(),
                    said.has("disks") ? said.strings("disks") : null);
        } catch (AgentException e) {
            boolean lives =
                    e.kind() != AgentException.Kind.TIMEOUT
                            || Refused.instance(hands, instance.id()).isPresent();
            if (repair && lives) {
                // It says no, or is locked out: that is no reason to take its VM away.
                return new Observation.Answers("unknown", instance.configurationHash(), null);
            }
            return new Observation.Silent(
                    view.lastHeartbeat(vm.agent())
                            .map(h -> "running as '" + h.jobState() + "'")
                            .orElse("never since the director started"));
        }
    }

    /**
     * An agent that is being started again hears no question that was asked before: it is pinged
     * until it answers, or its time is over.
     */
    private void comeBack(AgentId agent) {
        Instant giveUp = hands.clock().steady().plus(QUESTION);
        while (true) {
            try {
                hands.agents().call(agent, "ping", List.of(), PING);
                return;
            } catch (AgentException e) {
                boolean late = !hands.clock().steady().isBefore(giveUp);
                if (late || e.kind() != AgentException.Kind.TIMEOUT) {
                    throw e;
                }
            }
        }
    }

    private Cpi.VmEvidence evidence(VmCid vm) {
        try {
            return hands.cpi().vmEvidence(hands.looking(), vm);
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                return Cpi.VmEvidence.PRESENT;
            }
            throw e;
        }
    }

    /**
     * A disk may be recorded as held by a VM that no instance has any more: the cloud knows whether
     * it is there.
     */
    private void holdersThatAreGone(Recorded recorded, Set<VmCid> gone) {
        for (Recorded.Instance instance : recorded.instances()) {
            VmCid own = instance.vm() == null ? null : instance.vm().cid();
            for (Recorded.Disk disk : instance.disks()) {
                VmCid holder = disk.attachedTo();
                if (holder != null
                        && !holder.equals(own)
                        && !gone.contains(holder)
                        && evidence(holder) == Cpi.VmEvidence.GONE) {
                    gone.add(holder);
                }
            }
        }
    }
}
