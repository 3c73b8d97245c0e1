package dev.berth.monitor;

import dev.berth.model.AgentId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Agents that speak and belong to no deployment: new ones not known yet, and rogues. */
final class Strangers {
    /** More would be an attack or a mistake; those above are not remembered. */
    private static final int MOST = 10_000;

    private static final Duration FORGET_AFTER = Duration.ofMinutes(5);

    private record Stranger(Instant first, Instant last) {}

    private final Map<AgentId, Stranger> known = new HashMap<>();
    private Set<AgentId> spares = Set.of();
    private final Duration rogueAfter;
    private final Alarms alarms;

    /** When one that an alert is open about may have been quiet for long enough; null: none. */
    private @Nullable Instant forgetAt;

    Strangers(Duration rogueAfter, Alarms alarms) {
        this.rogueAfter = rogueAfter;
        this.alarms = alarms;
    }

    void heard(AgentId agent, Instant now, List<Action> out) {
        Stranger old = known.get(agent);
        if (old == null && known.size() >= MOST) {
            return;
        }
        known.put(agent, new Stranger(old == null ? now : old.first, now));
        if (isRogue(agent)) {
            forgetAt = forgetAt == null ? now.plus(FORGET_AFTER) : forgetAt;
            alarms.raise(
                    out,
                    alarm(agent),
                    2,
                    agent + " is not a part of any deployment",
                    "An agent speaks on the bus that no deployment knows; its VM may be left over.",
                    null);
        }
    }

    /** These are known to belong to no deployment yet; their owner watches them. */
    void spares(Set<AgentId> agents, List<Action> out) {
        spares = agents;
        agents.forEach(agent -> alarms.resolve(out, alarm(agent)));
    }

    /** It joined a deployment; when it was last heard, if it was. */
    @Nullable Instant joined(AgentId agent, List<Action> out) {
        alarms.resolve(out, alarm(agent));
        Stranger stranger = known.remove(agent);
        return stranger == null ? null : stranger.last;
    }

    void lost(AgentId agent) {
        if (!alarms.isOpen(alarm(agent))) {
            known.remove(agent);
        }
    }

    void forgetQuiet(Instant now, List<Action> out) {
        known.entrySet()
                .removeIf(entry -> {
                    boolean quiet = entry.getValue().last.plus(FORGET_AFTER).isBefore(now);
                    if (quiet) {
                        alarms.resolve(out, alarm(entry.getKey()));
                    }
                    return quiet;
                });
    }

    @Nullable Instant nextWake() {
        return forgetAt;
    }

    /** That one is quiet nobody tells: it is seen when the time has passed. */
    void pass(Instant now, List<Action> out) {
        if (forgetAt == null || now.isBefore(forgetAt)) {
            return;
        }
        forgetQuiet(now, out);
        forgetAt =
                known.entrySet().stream()
                        .filter(entry -> alarms.isOpen(alarm(entry.getKey())))
                        .map(entry -> entry.getValue().last.plus(FORGET_AFTER).plusMillis(1))
                        .min(Instant::compareTo)
                        .orElse(null);
    }

    @Nullable Verdict verdict(AgentId agent) {
        if (!known.containsKey(agent)) {
            return null;
        }
        return isRogue(agent) ? new Verdict.Rogue() : new Verdict.Unmanaged();
    }

    private boolean isRogue(AgentId agent) {
        Stranger stranger = known.get(agent);
        return stranger != null
                && !spares.contains(agent)
                && Duration.between(stranger.first, stranger.last).compareTo(rogueAfter) > 0;
    }

    private static String alarm(AgentId agent) {
        return "agent/" + agent;
    }
}
