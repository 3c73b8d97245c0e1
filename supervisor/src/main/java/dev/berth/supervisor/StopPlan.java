package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Restart.Policy;
import dev.berth.supervisor.Graph.Edge;
import dev.berth.supervisor.Wish.Wished;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The second part of a decision: what has to go down, and in which order. Dependents go before what
 * they depend on, all of a level at once; what already is down takes no part.
 */
final class StopPlan {
    /** After a refused stop or removal, how long until the next attempt. */
    static final Duration STOP_RETRY = Duration.ofSeconds(10);

    private final Turn turn;

    /** Users of an unproven disk: they wait for nobody. */
    private final Set<String> urgent = new HashSet<>();

    /** Stops that count as a failure of the container. */
    private final Set<String> failures = new HashSet<>();

    StopPlan(Turn turn) {
        this.turn = turn;
    }

    void run() {
        for (Wished w : turn.wish.containers().values()) {
            if (turn.runs(w.name())) {
                String why = why(w, turn.memo(w.name()));
                if (why != null) {
                    turn.stopping.put(w.name(), why);
                }
            }
        }
        spread();
        for (Wished w : turn.wish.containers().values()) {
            String why = turn.stopping.get(w.name());
            if (why != null && !turn.busy(w.name())) {
                stop(w, why);
            }
        }
        turn.strays.forEach(this::clear);
    }

    private @Nullable String why(Wished w, Memo m) {
        if (turn.situation.busy().get(w.name()) instanceof Step.StopContainer) {
            return m.reason;
        }
        String unproven = turn.situation.disks().unproven(w.disks());
        if (unproven != null) {
            urgent.add(w.name());
            return unproven;
        }
        if (!turn.wish.running()) {
            return "the instance is to stop";
        }
        if (m.held) {
            return "stopped by an operator";
        }
        if (m.restartAsked) {
            return "restarted by an operator";
        }
        Observed o = turn.observed(w.name());
        if (o != null && turn.outdated(w) && !turn.updatable(w) && turn.replaceable(w)) {
            return turn.fits(w, o) ? "what it joined was made anew" : "its spec changed";
        }
        String lost = lost(w, m);
        return lost != null ? lost : unhealthy(w, m);
    }

    private @Nullable String lost(Wished w, Memo m) {
        for (Edge edge : turn.graph.needs(w.name())) {
            if (turn.lost(m, edge)) {
                return "its dependency " + edge.to() + " went away";
            }
        }
        return null;
    }

    /**
     * A dead soul in a living process is restarted under any policy but 'no'; yet when what it
     * depends on is not ready either, it is only reported, so that a slow dependency makes no
     * storm.
     */
    private @Nullable String unhealthy(Wished w, Memo m) {
        Instant since = m.notReadySince;
        if (since == null || m.ready || w.restart().policy() == Policy.NO) {
            return null;
        }
        for (Edge edge : turn.graph.needs(w.name())) {
            Wished target = turn.wish.containers().get(edge.to());
            if (target != null && !turn.memo(edge.to()).ready && !turn.done(target)) {
                return null;
            }
        }
        Instant at = since.plus(Absorption.interval(w).multipliedBy(3));
        if (!turn.reached(at)) {
            turn.wakeAt(at);
            return null;
        }
        failures.add(w.name());
        return "unhealthy for " + Duration.between(since, turn.now).toSeconds() + " s";
    }

    /**
     * What depends on something that is going down goes down with it, and all who depend on that.
     */
    private void spread() {
        boolean again = true;
        while (again) {
            again = false;
            for (String name : turn.wish.containers().keySet()) {
                if (!turn.runs(name) || turn.stopping.containsKey(name)) {
                    continue;
                }
                for (Edge edge : turn.graph.needs(name)) {
                    if (edge.restart() && turn.stopping.containsKey(edge.to())) {
                        turn.stopping.put(name, "its dependency " + edge.to() + " is to stop");
                        again = true;
                        break;
                    }
                }
            }
        }
    }

    private void stop(Wished w, String why) {
        Memo m = turn.memo(w.name());
        Observed o = turn.observed(w.name());
        if (o == null) {
            return;
        }
        if (!turn.reached(m.stopNotBefore)) {
            turn.wakeAt(m.stopNotBefore);
            return;
        }
        if (!urgent.contains(w.name()) && dependentStillRuns(w.name())) {
            m.reason = why + "; waits for its dependents to stop";
            return;
        }
        m.stopAsked = true;
        m.stopCounts = failures.contains(w.name());
        m.to(ContainerState.STOPPING, why);
        turn.steps.add(new Step.StopContainer(w.name(), o.id(), m.grace, m.preStop, why));
    }

    private boolean dependentStillRuns(String name) {
        return turn.graph.neededBy(name).stream()
                .anyMatch(e -> turn.runs(e.from()) && turn.stopping.containsKey(e.from()));
    }

    /** A container of ours that nobody wishes is stopped, then removed. */
    private void clear(Observed stray) {
        if (turn.busy(stray.name())) {
            return;
        }
        boolean wished = turn.wish.containers().containsKey(stray.name());
        Memo m = turn.memo(stray.name());
        if (!turn.reached(m.stopNotBefore)) {
            turn.wakeAt(m.stopNotBefore);
            return;
        }
        String why = wished ? "a second container for " + stray.name() : "not wished any more";
        if (!wished) {
            m.to(ContainerState.STOPPING, why);
        }
        if (turn.planned(stray.name())) {
            return; // one step at a time for one name
        }
        turn.steps.add(
                stray.running()
                        ? new Step.StopContainer(stray.name(), stray.id(), m.grace, m.preStop, why)
                        : turn.removal(stray, why));
    }
}
