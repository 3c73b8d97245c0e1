package dev.berth.director;

import dev.berth.alerts.Alarm;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.InstanceId;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Troubles whose end nobody will tell: those that an earlier director knew and that were over when
 * this one came, and what was told by agents that are no more. Their end is seen instead. Used
 * under the desk's lock.
 */
final class InheritedAlerts {
    /** An agent that belongs nowhere and was not heard for so long is not there any more. */
    private static final Duration STRANGER = Duration.ofMinutes(30);

    private final FleetView fleet;
    private final Clock clock;
    private final Set<String> known = new HashSet<>();
    private final Set<String> toldByAgents = new HashSet<>();
    private @Nullable Instant begun;

    InheritedAlerts(FleetView fleet, Clock clock) {
        this.fleet = fleet;
        this.clock = clock;
    }

    void begin(Collection<Alarm> troubles) {
        begun = clock.steady();
        troubles.forEach(alarm -> {
            known.add(alarm.key());
            watch(alarm);
        });
    }

    /** Whoever watches now knows of it, and will tell of its end. */
    void heard(String key) {
        known.remove(key);
    }

    void watch(Alarm alarm) {
        if (alarm.key().matches("instance/[^/]+/.+")) {
            toldByAgents.add(alarm.key());
        }
    }

    /** Forgets what is over; whether anything is left to look after. */
    boolean any(Set<String> on) {
        known.retainAll(on);
        toldByAgents.retainAll(on);
        return !known.isEmpty() || !toldByAgents.isEmpty();
    }

    /** What is over, each with the reason. */
    Map<String, String> over(StoreSession session, Set<String> on) {
        var all = new HashSet<>(known);
        all.addAll(toldByAgents);
        all.retainAll(on);
        var over = new LinkedHashMap<String, String>();
        for (String key : all) {
            String why = why(session, key);
            if (why != null) {
                over.put(key, why);
                known.remove(key);
                toldByAgents.remove(key);
            }
        }
        return over;
    }

    private @Nullable String why(StoreSession session, String key) {
        String[] parts = key.split("/", 4);
        return switch (parts[0]) {
            case "instance" -> instance(session, new InstanceId(parts[1]), parts);
            case "agent" -> {
                boolean quiet = begun != null && begun.plus(STRANGER).isBefore(clock.steady());
                yield quiet ? "it was not heard for " + STRANGER.toMinutes() + " min" : null;
            }
            case "bus" -> anybody(session) ? "agents are heard again" : null;
            case "deployment" -> deployment(session, parts[1]);
            case "az", "meltdown" ->
                    allWell(session.instances(null)) ? "all instances are well" : null;
            // Until the next one is made, or there is nothing left to make one of.
            case "backup" ->
                    session.deployment(parts[1]).isEmpty() ? "the deployment is gone" : null;
            case "snapshot" ->
                    session.instance(new InstanceId(parts[1])).isEmpty()
                            ? "the instance is gone from its deployment"
                            : null;
            default -> null; // certificates, pools: whoever finds them tells of their end as well
        };
    }

    private @Nullable String instance(StoreSession session, InstanceId id, String[] parts) {
        Optional<Rows.Instance> instance = session.instance(id);
        if (instance.isEmpty()) {
            return "the instance is gone from its deployment";
        }
        if (parts.length > 2) {
            boolean there =
                    session.activeVm(id)
                            .filter(vm -> vm.agent().equals(new AgentId(parts[2])))
                            .isPresent();
            return there ? null : "it has another VM";
        }
        return fleet.verdict(id)
                .map(verdict ->
                        switch (verdict) {
                            case Verdict.Well v -> "it is well";
                            case Verdict.Held v -> "it is held: " + v.reason();
                            case Verdict.Degraded v -> null;
                            case Verdict.Silent v -> null;
                            case Verdict.LockedOut v -> null;
                            case Verdict.Gone v -> null;
                            case Verdict.Unmanaged v -> null;
                            case Verdict.Rogue v -> null;
                        })
                .orElse(null);
    }

    private boolean anybody(StoreSession session) {
        List<Rows.Vm> vms = session.vmsOf(null).stream().filter(Rows.Vm::active).toList();
        return vms.isEmpty() || vms.stream().anyMatch(vm -> fleet.responsive(vm.agent()));
    }

    private @Nullable String deployment(StoreSession session, String name) {
        if (session.deployment(name).isEmpty()) {
            return "the deployment is gone";
        }
        return allWell(session.instances(name)) ? "all its instances are well" : null;
    }

    private boolean allWell(List<Rows.Instance> instances) {
        return instances.stream()
                .allMatch(i ->
                        fleet.verdict(i.id())
                                .filter(v -> v instanceof Verdict.Well || v instanceof Verdict.Held)
                                .isPresent());
    }
}
