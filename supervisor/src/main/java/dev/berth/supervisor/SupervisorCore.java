package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * Decides what to do next about the containers of one instance. Pure but for the random numbers
 * that come from the given generator: no I/O, no clock, no threads. Every decision reads everything
 * anew, so that a lost or doubled event can cost time but never a wrong step.
 */
final class SupervisorCore {
    /** How often something that needs a change from outside is tried all the same. */
    static final Duration BLOCKED_RETRY = Duration.ofSeconds(60);

    private final RandomGenerator random;

    SupervisorCore(RandomGenerator random) {
        this.random = random;
    }

    Decision decide(Situation s) {
        Wish wish = s.wish();
        if (wish == null || !s.daemonUp()) {
            return new Decision(s.memos(), java.util.List.of(), Map.of(), null);
        }
        var turn = new Turn(s, wish, random);
        new Absorption(turn).run();
        new StopPlan(turn).run();
        new StartPlan(turn).run();
        new TidyPlan(turn).run();
        forget(turn);
        return turn.decision();
    }

    /** What is neither wished nor there is forgotten. */
    private static void forget(Turn turn) {
        turn.memos
                .keySet()
                .removeIf(name ->
                        !turn.wish.containers().containsKey(name)
                                && turn.strays.stream().noneMatch(o -> o.name().equals(name))
                                && !turn.busy(name));
    }

    /** Folds the outcome of a step into the memories. */
    Map<String, Memo> settle(
            Map<String, Memo> memos, Wish wish, Step step, Outcome outcome, Instant now) {
        var next = new TreeMap<String, Memo>();
        memos.forEach((name, memo) -> next.put(name, memo.copy()));
        switch (step) {
            case Step.PullImage s -> settleImage(next, wish, s.image(), outcome, now);
            case Step.BuildImage s -> settleImage(next, wish, s.image(), outcome, now);
            case Step.CreateContainer s -> settleCreate(memo(next, s), s, outcome, now);
            case Step.UpdateContainer s -> settleUpdate(memo(next, s), s, outcome);
            case Step.StartContainer s -> settleStart(memo(next, s), s, outcome, now);
            case Step.StopContainer s -> settleStop(memo(next, s), outcome, now);
            case Step.RemoveContainer s -> settleStop(memo(next, s), outcome, now);
        }
        return next;
    }

    private static Memo memo(Map<String, Memo> memos, Step step) {
        return memos.computeIfAbsent(step.container(), x -> new Memo());
    }

    private void settleImage(
            Map<String, Memo> memos, Wish wish, String image, Outcome outcome, Instant now) {
        if (!(outcome instanceof Outcome.Failed failed)) {
            return;
        }
        wish.containers().values().stream()
                .filter(w -> w.image().equals(image))
                .forEach(w -> {
                    Memo m = memos.computeIfAbsent(w.name(), x -> new Memo());
                    refusedAhead(m, failed, now);
                    if (m.state == ContainerState.PREPARING
                            || m.state == ContainerState.BACKOFF
                            || m.state == ContainerState.BLOCKED) {
                        m.to(
                                failed.needsChange()
                                        ? ContainerState.BLOCKED
                                        : ContainerState.BACKOFF,
                                failed.reason());
                    }
                });
    }

    private void refusedAhead(Memo m, Outcome.Failed failed, Instant now) {
        m.aheadFailures++;
        m.aheadReason = failed.reason();
        m.aheadNextTry =
                now.plus(
                        failed.needsChange()
                                ? BLOCKED_RETRY
                                : BackOff.afterImageFailure(m.aheadFailures, random));
    }

    private static void settleUpdate(Memo m, Step.UpdateContainer step, Outcome outcome) {
        switch (outcome) {
            case Outcome.Done _, Outcome.Created _ -> {
                m.updatedId = step.id();
                m.updatedDigest = step.digest();
                m.grace = step.spec().order().stopGracePeriod();
                m.preStop = step.spec().order().preStop();
            }
            case Outcome.Failed _ -> m.replaceDigest = step.digest();
            case Outcome.Unknown _ -> {} // the same again does no harm
        }
    }

    private void settleCreate(Memo m, Step.CreateContainer step, Outcome outcome, Instant now) {
        if (outcome instanceof Outcome.Created created) {
            m.note = created.note();
        }
        if (!(outcome instanceof Outcome.Failed failed) || isOfAnOlderWish(m, step.spec())) {
            return;
        }
        boolean oldOneRuns = m.runningId != null;
        if (failed.imageMissing() && !oldOneRuns) {
            m.to(ContainerState.PREPARING, "the image of " + step.container() + " has gone");
        } else if (!failed.imageMissing() && oldOneRuns) {
            refusedAhead(m, failed, now);
        } else if (!failed.imageMissing()) {
            refused(m, step.spec(), failed, now);
        }
    }

    private void settleStart(Memo m, Step.StartContainer step, Outcome outcome, Instant now) {
        switch (outcome) {
            case Outcome.Done _, Outcome.Created _ -> {
                m.pendingStart = false;
                m.startedAt = now;
            }
            case Outcome.Failed failed -> {
                m.pendingStart = false;
                m.stopped();
                if (!isOfAnOlderWish(m, step.spec())) {
                    refused(m, step.spec(), failed, now);
                }
            }
            case Outcome.Unknown _ -> {} // the next look tells whether it runs
        }
    }

    /**
     * What a spec was refused says nothing of the one that is wished since: it is to be tried at
     * once.
     */
    private static boolean isOfAnOlderWish(Memo m, ContainerSpec spec) {
        return !spec.digest().equals(m.digest);
    }

    private static void settleStop(Memo m, Outcome outcome, Instant now) {
        if (outcome instanceof Outcome.Failed failed) {
            m.stopNotBefore = now.plus(StopPlan.STOP_RETRY);
            m.reason = failed.reason();
        } else {
            m.stopNotBefore = null;
        }
    }

    private void refused(Memo m, ContainerSpec spec, Outcome.Failed failed, Instant now) {
        m.failures++;
        if (failed.needsChange()) {
            m.lastDelay = BLOCKED_RETRY;
            m.to(ContainerState.BLOCKED, failed.reason());
        } else {
            m.lastDelay = BackOff.afterFailure(spec.order().restart(), m.failures, random);
            m.to(
                    ContainerState.BACKOFF,
                    failed.reason()
                            + (m.failures > 1 ? "; failed " + m.failures + " times in a row" : ""));
        }
        m.nextTry = now.plus(m.lastDelay);
    }
}
