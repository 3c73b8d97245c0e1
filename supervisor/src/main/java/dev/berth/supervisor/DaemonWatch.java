package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Sees to it that the Docker daemon of the VM runs and answers: probes it, starts it when it is
 * gone, ends it when it hangs. Containers are never touched by it. One thread of its own; closing
 * leaves the daemon as it is.
 */
public final class DaemonWatch implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DaemonWatch.class.getName());
    private static final Duration PING_LIMIT = Duration.ofSeconds(2);
    private static final Duration SUSPECT_PING_LIMIT = Duration.ofSeconds(1);
    private static final Duration LIST_LIMIT = Duration.ofSeconds(5);
    private static final Duration SUSPECT_LIST_LIMIT = Duration.ofSeconds(2);
    private static final Duration GLANCE = Duration.ofMillis(250);
    private static final Duration LIST_PERIOD = Duration.ofSeconds(10);

    /** A label that no container carries: the list costs nothing, and proves as much. */
    private static final String PROBE_LABEL = "berth.probe";

    private final Engine engine;
    private final DaemonProcess process;
    private final Clock clock;
    private final BooleanSupplier reconciled;
    private final Consumer<DaemonState> told;

    /** Held while the daemon is probed and acted on. */
    private final ReentrantLock turns = new ReentrantLock();

    private volatile DaemonMachine.Known known;
    private volatile boolean closed;
    private Instant lastList = Instant.EPOCH;
    private Thread thread = Thread.ofVirtual().unstarted(() -> {});

    /**
     * @param engine a connection of its own, so that a probe never waits behind other calls
     * @param reconciled whether what survived an absence has been taken over, e.g. {@link
     *     Supervisor#reconciled}
     * @param told hears of each new state, on the watch's thread, e.g. {@link Supervisor#daemon}
     */
    public DaemonWatch(
            Engine engine,
            DaemonProcess process,
            Clock clock,
            BooleanSupplier reconciled,
            Consumer<DaemonState> told) {
        this.engine = engine;
        this.process = process;
        this.clock = clock;
        this.reconciled = reconciled;
        this.told = told;
        this.known = DaemonMachine.Known.atFirst(clock.now());
    }

    public void open() {
        thread = Thread.ofVirtual().name("daemon watch").start(this::work);
    }

    public DaemonState state() {
        return known.state();
    }

    /** Since when the daemon has been in its state. */
    public Instant since() {
        return known.since();
    }

    private void work() {
        try {
            while (!closed) {
                rest(turn());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Between probes only the process is looked for, which costs next to nothing. */
    private void rest(Instant next) throws InterruptedException {
        boolean there = known.process() != null;
        Duration left = Duration.between(clock.now(), next);
        while (left.isPositive() && !closed) {
            clock.sleep(left.compareTo(GLANCE) < 0 ? left : GLANCE);
            if (there && process.find().isEmpty()) {
                return;
            }
            left = Duration.between(clock.now(), next);
        }
    }

    /**
     * Lets somebody else end and start the daemon: meanwhile the watch does neither, and containers
     * are left alone. Afterwards it judges what it finds as a daemon that has just been started.
     */
    public void exclusively(Runnable work) {
        turns.lock();
        try {
            begun();
            work.run();
        } finally {
            known = DaemonMachine.Known.begun(clock.now());
            turns.unlock();
        }
    }

    private void begun() {
        DaemonState before = known.state();
        known = DaemonMachine.Known.begun(clock.now());
        tell(before);
    }

    /** One probe and what follows from it; returns when the next one is due. */
    private Instant turn() {
        turns.lock();
        try {
            return !process.mayStart() && process.find().isEmpty() ? waiting() : judged();
        } finally {
            turns.unlock();
        }
    }

    /** There is none because there may be none: nothing that a start would cure. */
    private Instant waiting() {
        begun();
        return clock.now().plus(GLANCE);
    }

    private Instant judged() {
        DaemonMachine.Known before = known;
        try {
            DaemonMachine.Probe probe = probe(before.state());
            DaemonMachine.Verdict verdict = DaemonMachine.judge(before, probe, clock.now());
            known = verdict.known();
            act(verdict.action());
            tell(before.state());
            return verdict.next();
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a turn of the daemon's watch failed", e);
            return clock.now().plusSeconds(1);
        }
    }

    private void act(DaemonMachine.Action action) {
        switch (action) {
            case DaemonMachine.Action.Nothing _ -> {}
            case DaemonMachine.Action.Start _ -> process.start();
            case DaemonMachine.Action.Send send -> process.signal(send.pid(), send.signal());
        }
    }

    private void tell(DaemonState before) {
        DaemonState now = known.state();
        if (now != before) {
            LOG.log(System.Logger.Level.INFO, () -> "daemon from=" + before + " to=" + now);
            told.accept(now);
        }
    }

    private DaemonMachine.Probe probe(DaemonState state) {
        Optional<DaemonProcess.Alive> alive = process.find();
        if (alive.isEmpty() || state == DaemonState.HUNG) {
            return new DaemonMachine.Probe(alive, null, null, false);
        }
        boolean doubt = state != DaemonState.UP && state != DaemonState.RECONCILE;
        boolean ping = engine.ping(doubt ? SUSPECT_PING_LIMIT : PING_LIMIT);
        // A list is asked of a daemon that answers pings; of a silent one it would only cost time.
        boolean listDue = doubt || !clock.now().isBefore(lastList.plus(LIST_PERIOD));
        Boolean list = ping && listDue ? list(doubt) : null;
        return new DaemonMachine.Probe(alive, ping, list, reconciled.getAsBoolean());
    }

    private Boolean list(boolean doubt) {
        try {
            engine.listContainers(
                    Map.of(PROBE_LABEL, "1"), doubt ? SUSPECT_LIST_LIMIT : LIST_LIMIT);
            lastList = clock.now();
            return true;
        } catch (EngineException e) {
            return false;
        }
    }

    /** Ends the watch; the daemon runs on. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
