package dev.berth.supervisor;

import dev.berth.supervisor.Graph.Edge;
import dev.berth.supervisor.Observed.Phase;
import dev.berth.supervisor.Wish.Wished;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The third part of a decision: images to get, and what can be created and started now. */
final class StartPlan {
    private final Turn turn;

    StartPlan(Turn turn) {
        this.turn = turn;
    }

    void run() {
        for (Wished w : turn.wish.containers().values()) {
            if (turn.wish.running()) {
                fetchImage(w);
            }
        }
        for (Wished w : turn.wish.containers().values()) {
            if (turn.busy(w.name()) || turn.planned(w.name())) {
                continue;
            }
            Observed o = turn.observed(w.name());
            if (o != null && o.running()) {
                renew(w, turn.memo(w.name()), o);
            } else {
                bringUp(w, turn.memo(w.name()), o);
            }
        }
    }

    /**
     * Images come first and wait for nobody: an old container runs on while its new image comes.
     */
    private void fetchImage(Wished w) {
        Memo m = turn.memo(w.name());
        Observed o = turn.observed(w.name());
        boolean needed =
                (o == null || (turn.outdated(w) && !turn.updatable(w))) && !turn.done(w) && !m.held;
        boolean sound = turn.imageHere(w) && (!turn.runs(w.name()) || turn.replaceable(w));
        if (!needed || sound) {
            m.soundAhead();
        }
        if (!needed || turn.imageHere(w)) {
            return;
        }
        if (!turn.reached(m.aheadNextTry)) {
            turn.wakeAt(m.aheadNextTry);
            return;
        }
        boolean coming =
                turn.situation.busyImages().contains(w.image())
                        || turn.steps.stream().anyMatch(s -> isFor(s, w.image()));
        if (!coming) {
            String why = "the image of " + w.name() + " is needed";
            turn.steps.add(
                    w.spec().image().dockerfile() == null
                            ? new Step.PullImage(w.name(), w.image(), w.spec(), why)
                            : new Step.BuildImage(w.name(), w.image(), w.spec(), why));
        }
    }

    private static boolean isFor(Step step, String image) {
        return switch (step) {
            case Step.PullImage s -> s.image().equals(image);
            case Step.BuildImage s -> s.image().equals(image);
            case Step.CreateContainer _,
                    Step.UpdateContainer _,
                    Step.StartContainer _,
                    Step.StopContainer _,
                    Step.RemoveContainer _ ->
                    false;
        };
    }

    /** An old container runs on while the new one is made beside it, or is given the new limits. */
    private void renew(Wished w, Memo m, Observed o) {
        boolean stays = turn.wish.running() && !m.held && !turn.stopping.containsKey(w.name());
        if (!stays || !turn.outdated(w)) {
            return;
        }
        if (turn.updatable(w)) {
            turn.steps.add(
                    new Step.UpdateContainer(w.spec(), w.digest(), o.id(), "its limits changed"));
        } else if (Turn.madeAhead(w) && turn.imageHere(w) && turn.cast(w.name()).next() == null) {
            if (turn.reached(m.aheadNextTry)) {
                create(w, "its spec changed");
            } else {
                turn.wakeAt(m.aheadNextTry);
            }
        }
    }

    private void create(Wished w, String why) {
        // By its digest: should the answer be lost, the second attempt finds the name taken.
        boolean free =
                turn.situation.observed().stream().noneMatch(o -> o.engineName().equals(w.name()));
        String engineName = free ? w.name() : w.name() + "." + w.digest().substring(0, 8);
        turn.steps.add(new Step.CreateContainer(w.spec(), w.digest(), engineName, intent(), why));
    }

    private void bringUp(Wished w, Memo m, @Nullable Observed o) {
        if (unwanted(w, m)) {
            return;
        }
        String unproven = turn.situation.disks().unproven(w.disks());
        if (unproven != null) {
            m.to(ContainerState.BLOCKED, unproven);
            return;
        }
        boolean present = o != null && (!turn.outdated(w) || turn.updatable(w));
        if (!present && !turn.imageHere(w)) {
            awaitImage(m);
            return;
        }
        if (!turn.reached(m.nextTry)) {
            turn.wakeAt(m.nextTry);
            return;
        }
        String missing = missing(w);
        if (missing != null) {
            m.to(ContainerState.WAITING, missing);
            return;
        }
        act(w, m, o);
    }

    /** Whether the container is down because it should be. */
    private boolean unwanted(Wished w, Memo m) {
        if (!turn.wish.running()) {
            m.forgive();
            m.restartAsked = false;
            m.to(ContainerState.STOPPED, "the instance is stopped");
            return true;
        }
        if (m.held) {
            m.to(ContainerState.STOPPED, "stopped by an operator");
            return true;
        }
        if (m.restartAsked) {
            m.restartAsked = false;
            m.forgive();
            m.doneDigest = null;
        }
        if (turn.done(w)) {
            m.to(ContainerState.DONE, "");
            return true;
        }
        return m.spent;
    }

    private void awaitImage(Memo m) {
        if (m.aheadNextTry != null) {
            m.to(
                    m.state == ContainerState.BLOCKED
                            ? ContainerState.BLOCKED
                            : ContainerState.BACKOFF,
                    m.aheadReason);
        } else {
            m.to(ContainerState.PREPARING, "its image is being fetched");
        }
    }

    private @Nullable String missing(Wished w) {
        List<String> missing = new ArrayList<>();
        for (Edge edge : turn.graph.needs(w.name())) {
            if (!turn.holds(edge)) {
                missing.add(edge.text());
            }
        }
        if (!missing.isEmpty()) {
            return "waits for " + String.join(", ", missing);
        }
        String dependent = rerunHeldBy(w);
        if (dependent != null) {
            return "waits for " + dependent + " to stop";
        }
        for (Observed stray : turn.strays) {
            if (stray.name().equals(w.name())) {
                return "waits for a second container of its name to go";
            }
        }
        return portHeld(w);
    }

    /** A one-shot that runs again under a new spec finds its dependents stopped, as planned. */
    private @Nullable String rerunHeldBy(Wished w) {
        if (turn.memo(w.name()).doneDigest == null) {
            return null;
        }
        for (Edge edge : turn.graph.neededBy(w.name())) {
            if (edge.restart() && turn.runs(edge.from())) {
                return edge.from();
            }
        }
        return null;
    }

    /** A port that one of our containers gives up shortly is waited for, not fought for. */
    private @Nullable String portHeld(Wished w) {
        for (var port : w.spec().network().ports()) {
            if (port.hostPort() == 0) {
                continue;
            }
            for (Observed other : turn.situation.observed()) {
                boolean leaves =
                        turn.strays.contains(other) || turn.stopping.containsKey(other.name());
                if (other.running() && leaves && other.hostPorts().contains(port.hostPort())) {
                    return "waits for port " + port.hostPort() + " of " + other.name();
                }
            }
        }
        return null;
    }

    private void act(Wished w, Memo m, @Nullable Observed o) {
        m.nextTry = null;
        String why = m.cause.isEmpty() ? "it is wished" : m.cause;
        if (o != null && turn.updatable(w)) {
            m.to(ContainerState.CREATING, why);
            turn.steps.add(
                    new Step.UpdateContainer(w.spec(), w.digest(), o.id(), "its limits changed"));
        } else if (o == null || (turn.outdated(w) && Turn.madeAhead(w))) {
            m.joinedTo = turn.owners(w);
            m.to(ContainerState.CREATING, why);
            create(w, why);
        } else if (turn.outdated(w)) {
            m.to(ContainerState.CREATING, why);
            turn.steps.add(turn.removal(o, "its spec changed, it is replaced"));
        } else {
            start(w, m, o, why);
        }
    }

    private void start(Wished w, Memo m, Observed o, String why) {
        m.incarnation++;
        m.builtOn = new TreeMap<>();
        for (Edge edge : turn.graph.needs(w.name())) {
            if (turn.wish.containers().containsKey(edge.to())) {
                m.builtOn.put(edge.to(), turn.memo(edge.to()).incarnation);
            }
        }
        boolean again = o.phase() == Phase.EXITED && o.id().equals(m.lastId);
        m.restarts = again ? m.restarts + 1 : 0;
        m.lastId = o.id();
        m.stopped();
        m.runningId = o.id();
        m.pendingStart = true;
        m.lastStart = turn.now;
        m.stopAsked = false;
        m.doneDigest = null;
        m.grace = w.spec().order().stopGracePeriod();
        m.preStop = w.spec().order().preStop();
        m.to(ContainerState.STARTING, why);
        turn.steps.add(new Step.StartContainer(w.spec(), o.id(), o.engineName(), why));
    }

    private String intent() {
        byte[] bytes = new byte[8];
        turn.random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
