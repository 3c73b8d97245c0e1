package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.supervisor.DaemonMachine.Action;
import dev.berth.supervisor.DaemonMachine.Known;
import dev.berth.supervisor.DaemonMachine.Probe;
import dev.berth.supervisor.DaemonMachine.Verdict;
import dev.berth.supervisor.DaemonProcess.Alive;
import dev.berth.supervisor.DaemonProcess.Signal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How a daemon is judged, on a daemon that is a few variables in virtual time. */
class DaemonMachineTest {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private Known known = Known.atFirst(now);
    private @Nullable Alive process;
    private boolean stopped;
    private boolean listHangs;
    private Duration startTakes = Duration.ofMillis(300);
    private boolean startsAtAll = true;
    private Instant answersFrom = now;
    private int starts;
    private long nextPid = 100;
    private final List<Signal> signals = new ArrayList<>();

    private void begin() {
        process = new Alive(nextPid++, now);
        stopped = false;
        answersFrom = now.plus(startTakes);
    }

    /** Runs the watch for a while; probes that get no answer take their limit. */
    private void run(Duration time) {
        Instant end = now.plus(time);
        while (now.isBefore(end)) {
            Probe probe = probe();
            Verdict verdict = DaemonMachine.judge(known, probe, now);
            known = verdict.known();
            switch (verdict.action()) {
                case Action.Nothing _ -> {}
                case Action.Start _ -> {
                    starts++;
                    if (startsAtAll) {
                        begin();
                    }
                }
                case Action.Send send -> receive(send);
            }
            now = verdict.next().isAfter(now) ? verdict.next() : now;
        }
    }

    private void receive(Action.Send send) {
        signals.add(send.signal());
        boolean ends = send.signal() == Signal.KILL || (send.signal() == Signal.TERM && !stopped);
        if (ends) {
            process = null;
        }
    }

    private Probe probe() {
        if (process == null || known.state() == DaemonState.HUNG) {
            return new Probe(Optional.ofNullable(process), null, null, false);
        }
        boolean answers = !stopped && !now.isBefore(answersFrom);
        boolean doubt = known.state() != DaemonState.UP;
        if (!answers) {
            now = now.plus(Duration.ofSeconds(doubt ? 1 : 2));
            return new Probe(Optional.of(process), false, null, false);
        }
        if (listHangs) {
            now = now.plus(Duration.ofSeconds(doubt ? 2 : 5));
            return new Probe(Optional.of(process), true, false, false);
        }
        return new Probe(Optional.of(process), true, true, true);
    }

    private void up() {
        begin();
        run(Duration.ofSeconds(5));
        assertThat(known.state()).isEqualTo(DaemonState.UP);
    }

    /** A daemon that runs already is only asked; it is not started. */
    @Test
    void aRunningDaemonIsTakenOver() {
        up();
        assertThat(starts).isZero();
    }

    /** A dead daemon is started at once and is back in under two seconds. */
    @Test
    void aDeadDaemonIsStartedAtOnce() {
        up();
        process = null;
        run(Duration.ofSeconds(4));
        assertThat(known.state()).isEqualTo(DaemonState.UP);
        assertThat(starts).isEqualTo(1);
        assertThat(signals).isEmpty();
    }

    /**
     * A stopped daemon (its threads halted) is noticed within 20 s, dumped, asked, killed, and
     * control is back within 40 s.
     */
    @Test
    void aHaltedDaemonIsNoticedAndReplaced() {
        up();
        stopped = true;
        Instant halted = now;
        while (known.state() != DaemonState.HUNG) {
            run(Duration.ofMillis(10));
        }
        assertThat(Duration.between(halted, now)).isLessThan(Duration.ofSeconds(20));
        while (known.state() != DaemonState.UP) {
            run(Duration.ofMillis(10));
        }
        assertThat(Duration.between(halted, now)).isLessThan(Duration.ofSeconds(40));
        assertThat(signals).containsExactly(Signal.DUMP, Signal.TERM, Signal.KILL);
        assertThat(starts).isEqualTo(1);
    }

    /** A daemon that answers pings but no list hangs all the same; TERM ends this one. */
    @Test
    void aDaemonWithStuckLocksIsNoticed() {
        up();
        listHangs = true;
        run(Duration.ofSeconds(25));
        assertThat(signals).startsWith(Signal.DUMP);
        run(Duration.ofSeconds(5));
        listHangs = false;
        run(Duration.ofSeconds(40));
        assertThat(known.state()).isEqualTo(DaemonState.UP);
    }

    /** One probe that fails is a suspicion, no more. */
    @Test
    void oneFailedProbeIsForgiven() {
        up();
        stopped = true;
        run(Duration.ofSeconds(3));
        stopped = false;
        assertThat(known.state()).isEqualTo(DaemonState.SUSPECT);
        run(Duration.ofSeconds(5));
        assertThat(known.state()).isEqualTo(DaemonState.UP);
        assertThat(signals).isEmpty();
    }

    /** Starts that lead nowhere become rarer, and never cease. */
    @Test
    void startsBackOff() {
        startsAtAll = false;
        run(Duration.ofMinutes(9));
        assertThat(known.state()).isIn(DaemonState.FAILED, DaemonState.STARTING);
        assertThat(starts).isBetween(8, 20);
        startsAtAll = true;
        run(Duration.ofMinutes(2));
        assertThat(known.state()).isEqualTo(DaemonState.UP);
    }

    /** A daemon that somebody else restarted is reconciled before anything is done. */
    @Test
    void anExchangedDaemonIsReconciled() {
        up();
        begin();
        List<DaemonState> seen = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            run(Duration.ofMillis(10));
            seen.add(known.state());
        }
        assertThat(seen).contains(DaemonState.STARTING, DaemonState.RECONCILE, DaemonState.UP);
        assertThat(starts).isZero();
    }
}
