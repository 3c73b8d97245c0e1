package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Healthcheck;
import dev.berth.model.ContainerOrder.Restart.Policy;
import dev.berth.supervisor.Observed.Phase;
import dev.berth.supervisor.Wish.Wished;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The first part of a decision: what has happened to each container since the last one. */
final class Absorption {
    /** How long a started container may take to its first healthy answer, start period apart. */
    static final Duration START_DEADLINE = Duration.ofSeconds(60);

    private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(30);

    private final Turn turn;

    Absorption(Turn turn) {
        this.turn = turn;
    }

    void run() {
        for (Wished w : turn.wish.containers().values()) {
            Memo m = turn.memo(w.name());
            if (!m.digest.equals(w.digest())) {
                m.digest = w.digest();
                m.forgive();
            }
            if (!turn.busy(w.name())) {
                absorb(w, m, turn.observed(w.name()));
            }
        }
        turn.wish.containers().keySet().forEach(this::noteUnknownEdges);
    }

    private void absorb(Wished w, Memo m, @Nullable Observed o) {
        if (o != null && o.running()) {
            absorbRunning(w, m, o);
        } else if (m.runningId != null) {
            absorbExit(w, m, turn.observed(w.name(), m.runningId));
        } else if (o != null && completedUnseen(w, m, o)) {
            m.doneDigest = w.digest();
            m.incarnation = 1;
        }
    }

    /** A one-shot that completed before there was any memory of it is not run again. */
    private boolean completedUnseen(Wished w, Memo m, Observed o) {
        return m.incarnation == 0
                && w.oneShot()
                && o.phase() == Phase.EXITED
                && Integer.valueOf(0).equals(o.exitCode())
                && turn.fits(w, o);
    }

    private void absorbRunning(Wished w, Memo m, Observed o) {
        if (!o.id().equals(m.runningId)) {
            adopt(w, m, o);
        }
        m.pendingStart = false;
        m.spent = false;
        m.stopCounts = m.stopCounts && m.stopAsked;
        if (m.startedAt == null) {
            m.startedAt = o.startedAt();
        }
        if (turn.fits(w, o)) {
            m.doneDigest = null;
        }
        judge(w, m, o);
        if (m.ready) {
            m.goodId = o.id();
            calm(w, m);
        }
    }

    /** It runs though we did not see it start: it is taken over as it is. */
    private void adopt(Wished w, Memo m, Observed o) {
        m.stopped();
        if (turn.fits(w, o)) {
            m.grace = w.spec().order().stopGracePeriod();
            m.preStop = w.spec().order().preStop();
        }
        m.runningId = o.id();
        m.lastId = o.id();
        m.startedAt = o.startedAt();
        m.nextTry = null;
        m.stopAsked = false;
        m.incarnation = Math.max(1, m.incarnation);
    }

    private void judge(Wished w, Memo m, Observed o) {
        if (o.phase() == Phase.PAUSED) {
            m.ready = false;
            m.readySince = null;
            m.notReadySince = null;
            m.to(ContainerState.UNREADY, "paused by somebody");
            return;
        }
        switch (o.health()) {
            case NONE, HEALTHY -> ready(m);
            case UNHEALTHY -> {
                m.ready = false;
                unready(m, "its health check fails");
            }
            case UNKNOWN -> {
                if (m.ready) {
                    ready(m);
                } else {
                    m.to(ContainerState.STARTING, "");
                }
            }
            // A daemon that restarts puts every health back to 'starting': nothing was lost by it.
            case STARTING -> {
                if (m.ready) {
                    ready(m);
                } else {
                    awaitHealth(w, m);
                }
            }
        }
    }

    private void ready(Memo m) {
        m.ready = true;
        m.notReadySince = null;
        if (m.readySince == null) {
            m.readySince = turn.now;
        }
        m.to(ContainerState.UP, "");
    }

    private void unready(Memo m, String why) {
        m.readySince = null;
        if (m.notReadySince == null) {
            m.notReadySince = turn.now;
        }
        m.to(ContainerState.UNREADY, why);
    }

    private void awaitHealth(Wished w, Memo m) {
        Instant began = m.startedAt == null ? turn.now : m.startedAt;
        m.startedAt = began;
        Duration own = w.spec().order().startTimeout();
        Duration limit = own.isZero() ? START_DEADLINE.plus(startPeriod(w)) : own;
        Instant deadline = began.plus(limit);
        if (turn.reached(deadline)) {
            unready(m, "not healthy within " + limit.toSeconds() + " s of its start");
        } else {
            m.to(ContainerState.STARTING, "its health check has not passed yet");
            turn.wakeAt(deadline);
        }
    }

    /** Ready for long enough: the counters start anew. */
    private void calm(Wished w, Memo m) {
        Instant since = m.readySince;
        if (m.failures == 0 || since == null) {
            return;
        }
        Instant at = since.plus(BackOff.quiet(w.restart(), m.lastDelay));
        if (turn.reached(at)) {
            m.failures = 0;
            m.lastDelay = Duration.ZERO;
        } else {
            turn.wakeAt(at);
        }
    }

    private void absorbExit(Wished w, Memo m, @Nullable Observed o) {
        String id = m.runningId;
        boolean never = o != null && neverStarted(m, o);
        m.stopped();
        m.pendingStart = false;
        if (never) {
            m.stopAsked = false;
            m.to(ContainerState.WAITING, "");
            return;
        }
        var exit = new LastExit(o == null ? null : o.exitCode(), o != null && o.oom(), turn.now);
        m.lastExit = exit;
        if (id != null && o != null) {
            turn.exits.put(w.name(), id);
        }
        m.cause = m.stopAsked ? m.reason : exit.text();
        if (m.stopAsked) {
            m.stopAsked = false;
            if (m.stopCounts) {
                m.stopCounts = false;
                turn.fail(w, m, m.reason);
            } else {
                m.to(ContainerState.WAITING, m.reason);
            }
        } else {
            judgeExit(w, m, exit, o);
        }
    }

    private static boolean neverStarted(Memo m, Observed o) {
        Instant began = o.startedAt();
        Instant asked = m.lastStart;
        return o.phase() == Phase.CREATED
                || (m.pendingStart && began != null && asked != null && began.isBefore(asked));
    }

    /** It ended by itself: its restart policy says what that means. */
    private void judgeExit(Wished w, Memo m, LastExit exit, @Nullable Observed o) {
        boolean sound = Integer.valueOf(0).equals(exit.code());
        int limit = w.restart().maximumRetries();
        Policy policy = w.restart().policy();
        boolean oneShot = w.oneShot() && o != null;
        if (oneShot && sound && o != null) {
            m.doneDigest = m.digestOf(o);
            m.failures = 0;
            m.to(ContainerState.DONE, "");
        } else if (oneShot && policy == Policy.NO) {
            m.spent = true;
            m.to(ContainerState.STOPPED, exit.text() + " and its restart policy is 'no'");
        } else if (o != null && limit > 0 && m.failures >= limit) {
            m.spent = true;
            m.to(
                    ContainerState.STOPPED,
                    exit.text() + " and its " + limit + " retries are used up");
        } else {
            turn.fail(w, m, exit.text());
        }
    }

    /** An edge never built on (a container taken over) counts as built on what is there now. */
    private void noteUnknownEdges(String name) {
        if (!turn.runs(name)) {
            return;
        }
        Memo m = turn.memo(name);
        for (Graph.Edge edge : turn.graph.needs(name)) {
            if (turn.wish.containers().containsKey(edge.to())) {
                m.builtOn.putIfAbsent(edge.to(), turn.memo(edge.to()).incarnation);
            }
        }
        Wished w = turn.wish.containers().get(name);
        if (w != null) {
            turn.owners(w).forEach(m.joinedTo::putIfAbsent);
        }
    }

    static Duration interval(Wished w) {
        Healthcheck check = w.spec().order().healthcheck();
        return check == null || check.interval().isZero() ? DEFAULT_INTERVAL : check.interval();
    }

    private static Duration startPeriod(Wished w) {
        Healthcheck check = w.spec().order().healthcheck();
        return check == null ? Duration.ZERO : check.startPeriod();
    }
}
