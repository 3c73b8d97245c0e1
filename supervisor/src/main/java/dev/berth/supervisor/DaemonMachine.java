package dev.berth.supervisor;

import dev.berth.supervisor.DaemonProcess.Alive;
import dev.berth.supervisor.DaemonProcess.Signal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Judges the Docker daemon: from what was known, what the probes say and the time to what is known
 * next and what to do. Pure.
 *
 * <p>Losing the daemon loses no container, so nothing here is in a hurry except noticing: a daemon
 * that answers nothing is declared hung within 20 s, and then ended with more and more force.
 */
final class DaemonMachine {
    static final Duration FIRST_ANSWER = Duration.ofSeconds(10);
    static final Duration START_LIMIT = Duration.ofSeconds(60);
    static final int SUSPECT_FAILURES = 5;
    static final Duration LIST_SILENCE = Duration.ofSeconds(15);
    static final Duration DUMP_TIME = Duration.ofSeconds(2);
    static final Duration TERM_TIME = Duration.ofSeconds(10);
    static final Duration FAILED_PERIOD = Duration.ofSeconds(60);
    private static final Duration START_WINDOW = Duration.ofMinutes(10);
    private static final int STARTS_IN_WINDOW = 5;
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(30);

    /**
     * What is known.
     *
     * @param since when this state began
     * @param failures probes that failed in a row
     * @param silentSince since when no list has been answered; null: the last one was
     * @param signalled the last signal sent to a hung daemon; null: none
     * @param signalledAt when that was
     * @param starts when it was started, within the last ten minutes
     */
    record Known(
            DaemonState state,
            Instant since,
            int failures,
            @Nullable Instant silentSince,
            @Nullable Signal signalled,
            @Nullable Instant signalledAt,
            @Nullable Alive process,
            List<Instant> starts) {
        static Known atFirst(Instant now) {
            return new Known(DaemonState.UNKNOWN, now, 0, null, null, null, null, List.of());
        }

        /** Somebody else starts it now; starts of before say nothing about the next. */
        static Known begun(Instant now) {
            return new Known(DaemonState.STARTING, now, 0, null, null, null, null, List.of());
        }

        private Known to(DaemonState newState, Instant now) {
            return newState == state
                    ? this
                    : new Known(newState, now, 0, null, null, null, process, starts);
        }

        private Known with(int newFailures, @Nullable Instant newSilence) {
            return new Known(
                    state, since, newFailures, newSilence, signalled, signalledAt, process, starts);
        }

        private Known seeing(@Nullable Alive alive) {
            return new Known(
                    state, since, failures, silentSince, signalled, signalledAt, alive, starts);
        }

        private Known sent(Signal signal, Instant now) {
            return new Known(state, since, failures, silentSince, signal, now, process, starts);
        }

        private Known started(Instant now) {
            List<Instant> recent = new ArrayList<>(recent(now));
            recent.add(now);
            return new Known(
                    DaemonState.STARTING, now, 0, null, null, null, process, List.copyOf(recent));
        }

        List<Instant> recent(Instant now) {
            return starts.stream().filter(at -> at.isAfter(now.minus(START_WINDOW))).toList();
        }
    }

    /**
     * What the probes say.
     *
     * @param ping whether it answered; null: not asked
     * @param list whether a list of our containers was answered; null: not asked
     * @param reconciled whether what survived has been taken over
     */
    record Probe(
            Optional<Alive> process,
            @Nullable Boolean ping,
            @Nullable Boolean list,
            boolean reconciled) {}

    /** What to do. */
    sealed interface Action {
        record Nothing() implements Action {}

        record Start() implements Action {}

        record Send(long pid, Signal signal) implements Action {}
    }

    /**
     * @param next when to probe again
     */
    record Verdict(Known known, Action action, Instant next) {}

    private DaemonMachine() {}

    static Verdict judge(Known before, Probe probe, Instant now) {
        Alive alive = probe.process().orElse(null);
        Known known = count(before, probe, now).seeing(alive);
        if (alive == null) {
            return absent(known, now);
        }
        boolean replaced = before.process() != null && !before.process().equals(alive);
        if (replaced && before.state().operating()) {
            return nothing(known.to(DaemonState.STARTING, now), now, Duration.ZERO);
        }
        return switch (before.state()) {
            case UNKNOWN -> awaited(known, probe, now, FIRST_ANSWER);
            case STARTING, DOWN, FAILED -> awaited(starting(known, now), probe, now, START_LIMIT);
            case RECONCILE -> reconciling(known, probe, now);
            case UP -> up(known, now);
            case SUSPECT -> suspect(known, probe, now);
            case HUNG -> hung(known, alive, now);
        };
    }

    private static Known count(Known k, Probe probe, Instant now) {
        boolean failed = Boolean.FALSE.equals(probe.ping()) || Boolean.FALSE.equals(probe.list());
        boolean asked = probe.ping() != null || probe.list() != null;
        int failures = failed ? k.failures() + 1 : asked ? 0 : k.failures();
        Instant silent = k.silentSince();
        if (Boolean.TRUE.equals(probe.list())) {
            silent = null;
        } else if (Boolean.FALSE.equals(probe.list()) && silent == null) {
            silent = now;
        }
        return k.with(failures, silent);
    }

    private static Known starting(Known k, Instant now) {
        return k.to(DaemonState.STARTING, now);
    }

    private static Verdict nothing(Known known, Instant now, Duration wait) {
        return new Verdict(known, new Action.Nothing(), now.plus(wait));
    }

    /** There is no daemon: one is started, at once the first time, then with a growing delay. */
    private static Verdict absent(Known k, Instant now) {
        List<Instant> recent = k.recent(now);
        if (k.state() == DaemonState.STARTING && !recent.isEmpty()) {
            // A start takes a moment until its process shows.
            Instant shows = recent.getLast().plusSeconds(2);
            if (now.isBefore(shows)) {
                return nothing(k, now, Duration.ofMillis(100));
            }
        }
        boolean failed = recent.size() > STARTS_IN_WINDOW;
        Known down = k.to(failed ? DaemonState.FAILED : DaemonState.DOWN, now);
        Instant next = recent.isEmpty() ? now : recent.getLast().plus(delay(recent.size(), failed));
        if (now.isBefore(next)) {
            return new Verdict(down, new Action.Nothing(), next);
        }
        return new Verdict(down.started(now), new Action.Start(), now.plus(Duration.ofMillis(100)));
    }

    private static Duration delay(int starts, boolean failed) {
        if (failed) {
            return FAILED_PERIOD;
        }
        long seconds = starts <= 1 ? 0 : 1L << (starts - 2);
        return Duration.ofSeconds(Math.min(seconds, LONGEST_DELAY.toSeconds()));
    }

    private static Verdict awaited(Known k, Probe probe, Instant now, Duration limit) {
        if (Boolean.TRUE.equals(probe.ping()) && Boolean.TRUE.equals(probe.list())) {
            return nothing(k.to(DaemonState.RECONCILE, now), now, Duration.ofMillis(20));
        }
        if (!now.isBefore(k.since().plus(limit))) {
            return nothing(k.to(DaemonState.HUNG, now), now, Duration.ZERO);
        }
        return nothing(k, now, Duration.ofMillis(100));
    }

    private static Verdict reconciling(Known k, Probe probe, Instant now) {
        if (k.failures() > 0) {
            return nothing(suspected(k, now), now, Duration.ofSeconds(1));
        }
        return probe.reconciled()
                ? nothing(k.to(DaemonState.UP, now), now, Duration.ofSeconds(2))
                : nothing(k, now, Duration.ofMillis(50));
    }

    private static Verdict up(Known k, Instant now) {
        return k.failures() > 0
                ? nothing(suspected(k, now), now, Duration.ofSeconds(1))
                : nothing(k, now, Duration.ofSeconds(2));
    }

    /** The failure that raised the suspicion counts as the first. */
    private static Known suspected(Known k, Instant now) {
        return k.to(DaemonState.SUSPECT, now).with(k.failures(), k.silentSince());
    }

    private static Verdict suspect(Known k, Probe probe, Instant now) {
        if (Boolean.TRUE.equals(probe.ping()) && Boolean.TRUE.equals(probe.list())) {
            return nothing(k.to(DaemonState.UP, now), now, Duration.ofSeconds(2));
        }
        Instant silent = k.silentSince();
        boolean tooSilent = silent != null && !now.isBefore(silent.plus(LIST_SILENCE));
        return k.failures() >= SUSPECT_FAILURES || tooSilent
                ? nothing(k.to(DaemonState.HUNG, now), now, Duration.ZERO)
                : nothing(k, now, Duration.ofSeconds(1));
    }

    /** Ended without its help: the stacks first, then TERM, then KILL, each given its time. */
    private static Verdict hung(Known k, Alive alive, Instant now) {
        Signal last = k.signalled();
        Instant at = k.signalledAt() == null ? k.since() : k.signalledAt();
        if (last == null) {
            return send(k, alive, Signal.DUMP, now, DUMP_TIME);
        }
        return switch (last) {
            case DUMP ->
                    now.isBefore(at.plus(DUMP_TIME))
                            ? nothing(k, now, Duration.ofMillis(200))
                            : send(k, alive, Signal.TERM, now, Duration.ofMillis(200));
            case TERM ->
                    now.isBefore(at.plus(TERM_TIME))
                            ? nothing(k, now, Duration.ofMillis(200))
                            : send(k, alive, Signal.KILL, now, Duration.ofMillis(200));
            case KILL, RELOAD ->
                    now.isBefore(at.plus(TERM_TIME))
                            ? nothing(k, now, Duration.ofMillis(200))
                            : send(k, alive, Signal.KILL, now, Duration.ofMillis(200));
        };
    }

    private static Verdict send(Known k, Alive alive, Signal signal, Instant now, Duration wait) {
        return new Verdict(
                k.sent(signal, now), new Action.Send(alive.pid(), signal), now.plus(wait));
    }
}
