package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who is watched, found by instance, agent, VM and deployment; follows the director's snapshots.
 */
final class Watchlist {
    private final JudgeSettings settings;
    private final Alarms alarms;
    private final Strangers strangers;
    private final Zones zones;
    private final Map<InstanceId, Memory> recalled = new HashMap<>();

    /** Repairs of an earlier director that go on, of instances that are not known yet. */
    private final Set<InstanceId> underRepair = new HashSet<>();

    private final Map<InstanceId, Watched> byInstance = new HashMap<>();
    private final Map<AgentId, Watched> byAgent = new HashMap<>();
    private final Map<VmCid, Watched> byVm = new HashMap<>();
    private final Map<String, Releases> deployments = new HashMap<>();

    Watchlist(JudgeSettings settings, Alarms alarms, Strangers strangers, Zones zones) {
        this.settings = settings;
        this.alarms = alarms;
        this.strangers = strangers;
        this.zones = zones;
    }

    /** Taken over as each instance becomes known. */
    void recall(List<Memory> memories) {
        memories.forEach(m -> recalled.put(m.instance(), m));
    }

    /** Its repair goes on: taken over when it becomes known, and before anything is decided. */
    void underRepair(InstanceId id) {
        underRepair.add(id);
    }

    /** The repair that was gone on with ended before the instance became known. */
    void repairedUnseen(InstanceId id) {
        underRepair.remove(id);
    }

    /** Of whom there is something to remember. */
    List<Memory> memories(Instant now) {
        var all = new ArrayList<Memory>();
        for (Watched w : byInstance.values()) {
            InstanceId id = w.member.instance();
            Instant downAt = deploymentOf(w).lastDown(id, now);
            if (downAt != null || w.repairs > 0) {
                // To the minute: it changes as long as it is down, and is written each time.
                Instant minute = downAt == null ? null : downAt.truncatedTo(ChronoUnit.MINUTES);
                all.add(new Memory(id, w.repairs, w.notBefore, minute));
            }
        }
        return all;
    }

    @Nullable Watched of(InstanceId instance) {
        return byInstance.get(instance);
    }

    @Nullable Watched of(AgentId agent) {
        return byAgent.get(agent);
    }

    @Nullable Watched of(VmCid vm) {
        return byVm.get(vm);
    }

    Releases deployment(String name) {
        return deployments.computeIfAbsent(name, n -> new Releases(settings, alarms, zones, n));
    }

    Releases deploymentOf(Watched w) {
        return deployment(w.member.deployment());
    }

    List<Releases> deployments() {
        return List.copyOf(deployments.values());
    }

    Collection<Watched> withAgents() {
        return byAgent.values();
    }

    /** Takes over a snapshot; returns those to be judged anew. */
    List<Watched> follow(Fleet fleet, Instant now, List<Action> out) {
        var changed = new ArrayList<Watched>();
        Set<InstanceId> present = new HashSet<>();
        for (Fleet.Member member : fleet.members()) {
            present.add(member.instance());
            Watched w = byInstance.get(member.instance());
            if (w == null || !w.member.equals(member)) {
                changed.add(w == null ? join(member, now, out) : update(w, member, now, out));
            }
        }
        if (present.size() < byInstance.size()) {
            for (Watched w : List.copyOf(byInstance.values())) {
                if (!present.contains(w.member.instance())) {
                    leave(w, out);
                }
            }
        }
        for (Map.Entry<String, Releases> entry : deployments.entrySet()) {
            Releases releases = entry.getValue();
            String task = fleet.busy().get(entry.getKey());
            boolean turned = (task == null) != (releases.busyWith == null);
            releases.busyWith = task;
            if (turned) {
                changed.addAll(releases.members.values());
            }
        }
        return changed;
    }

    void forgetEmptyDeployments() {
        deployments.values().removeIf(d -> d.members.isEmpty());
    }

    private Watched join(Fleet.Member member, Instant now, List<Action> out) {
        var w = new Watched(settings, member, now);
        byInstance.put(member.instance(), w);
        index(w, out);
        Memory memory = recalled.remove(member.instance());
        if (memory != null) {
            w.repairs = memory.repairs();
            w.notBefore = memory.notBefore();
            if (memory.downAt() != null) {
                deploymentOf(w).recalled(member.instance(), memory.downAt());
                zones.recalled(w, memory.downAt());
            }
        }
        if (underRepair.remove(member.instance())) {
            deploymentOf(w).goesOn(w);
        }
        return w;
    }

    private Watched update(Watched w, Fleet.Member member, Instant now, List<Action> out) {
        boolean sameVm =
                Objects.equals(w.member.agent(), member.agent())
                        && Objects.equals(w.member.vm(), member.vm());
        boolean moved = !Objects.equals(w.member.az(), member.az());
        if (moved) {
            zones.left(w, out);
        }
        unindex(w);
        if (sameVm) {
            w.member = member;
        } else {
            w.replaced(member, now);
        }
        index(w, out);
        if (moved && w.repairing) {
            zones.started(w);
        }
        return w;
    }

    private void leave(Watched w, List<Action> out) {
        zones.left(w, out);
        unindex(w);
        byInstance.remove(w.member.instance());
        deploymentOf(w).removed(w.member.instance());
        alarms.resolve(out, w.alarm());
    }

    private void index(Watched w, List<Action> out) {
        deploymentOf(w).joined(w);
        zones.joined(w);
        if (w.member.vm() != null) {
            byVm.put(w.member.vm(), w);
        }
        if (w.member.agent() != null) {
            byAgent.put(w.member.agent(), w);
            Instant heard = strangers.joined(w.member.agent(), out);
            if (heard != null) {
                w.heardAt = heard;
            }
        }
    }

    private void unindex(Watched w) {
        if (w.member.vm() != null) {
            byVm.remove(w.member.vm(), w);
        }
        if (w.member.agent() != null) {
            byAgent.remove(w.member.agent(), w);
        }
    }
}
