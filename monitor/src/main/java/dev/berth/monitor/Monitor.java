package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Carries signals to the {@link Judge} and its actions out. Handlers only mark and return, from any
 * thread; one thread decides; asking and repairing happen on threads of the executor.
 *
 * <p>A simulation does not {@link #start} it but calls {@link #turn} itself.
 */
public final class Monitor implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Monitor.class.getName());

    /** Weighed against memory: a flood of unknown agents must not grow the tables without end. */
    private static final int MOST_AGENTS = 100_000;

    private static final int MOST_SIGNALS = 200_000;

    /** When the bus is lost everybody is asked about; a cloud does not like that all at once. */
    private static final int QUESTIONS_AT_ONCE = 32;

    private static final int MOST_MESSAGES = 100_000;

    /** The decider looks at least that often, whatever the judge waits for. */
    private static final Duration LONGEST_REST = Duration.ofSeconds(1);

    /**
     * Between two turns; after a longer time it was the decider that was away, and not the others.
     */
    private static final Duration ABSENCE = Duration.ofSeconds(4);

    /**
     * What listings need of an agent.
     *
     * @param lostAt since when its connection is lost; null: it is not
     */
    private record Seen(@Nullable Heartbeat heartbeat, Instant at, @Nullable Instant lostAt) {
        /** A beat that was under way when the connection was lost does not mend it. */
        static Seen beating(@Nullable Seen old, Heartbeat heartbeat, Instant now) {
            Instant lost = old == null ? null : old.lostAt;
            boolean late = lost != null && now.isBefore(lost.plusSeconds(1));
            return new Seen(heartbeat, now, late ? lost : null);
        }
    }

    /** When it came counts, not when its turn has come: who spoke in time is not silent. */
    private record Heard(Signal signal, Instant at) {}

    /** What others may ask of the judge's thinking, copied after every turn that changed it. */
    private record View(@Nullable Verdict verdict, String waitingFor) {}

    private final JudgeSettings settings;
    private final Judge judge;
    private final Clock clock;
    private final Executor work;
    private final EvidencePort evidence;
    private final RepairPort repairs;
    private final AlertSink alerts;
    private final LinkedBlockingQueue<Heard> signals = new LinkedBlockingQueue<>(MOST_SIGNALS);
    private final Map<AgentId, Seen> seen = new ConcurrentHashMap<>();
    private final Set<AgentId> beaten = ConcurrentHashMap.newKeySet();
    private final Object judging = new Object();
    private final Semaphore questions = new Semaphore(QUESTIONS_AT_ONCE);

    /** To the sink, in order; null as long as nobody started the monitor: told at once then. */
    private @Nullable LinkedBlockingQueue<Runnable> outbox;

    private volatile boolean open = true;
    private volatile @Nullable Instant lastTurn;
    private @Nullable Thread decider;
    private @Nullable Thread teller;

    /**
     * @param work runs what blocks: a virtual thread a task; a simulation runs it when it likes
     */
    public Monitor(
            JudgeSettings settings,
            Clock clock,
            Executor work,
            EvidencePort evidence,
            RepairPort repairs,
            AlertSink alerts) {
        this.settings = settings;
        this.judge = new Judge(settings);
        this.clock = clock;
        this.work = work;
        this.evidence = evidence;
        this.repairs = repairs;
        this.alerts = alerts;
    }

    public void start() {
        var messages = new LinkedBlockingQueue<Runnable>(MOST_MESSAGES);
        outbox = messages;
        teller = Thread.ofVirtual().name("alerts").start(() -> tellOnAndOn(messages));
        decider = Thread.ofPlatform().name("monitor").daemon().start(this::decideOnAndOn);
    }

    @Override
    public void close() {
        open = false;
        if (decider != null) {
            decider.interrupt();
        }
        if (teller != null) {
            teller.interrupt();
        }
    }

    // --- handlers: mark and return

    public void heartbeat(Heartbeat heartbeat) {
        AgentId agent = heartbeat.agent();
        Instant now = clock.steady();
        if (isFull(agent)) {
            return;
        }
        seen.compute(agent, (id, old) -> Seen.beating(old, heartbeat, now));
        // One signal an agent, however many beats wait: the judge reads the newest.
        if (beaten.add(agent) && !put(new Signal.Beat(agent, Report.of(heartbeat)))) {
            beaten.remove(agent);
        }
    }

    public void connected(AgentId agent) {
        Instant now = clock.steady();
        if (!isFull(agent)) {
            seen.compute(
                    agent, (id, old) -> new Seen(old == null ? null : old.heartbeat, now, null));
            put(new Signal.Connected(agent));
        }
    }

    public void disconnected(AgentId agent) {
        Instant now = clock.steady();
        seen.computeIfPresent(agent, (id, old) -> new Seen(old.heartbeat, old.at, now));
        put(new Signal.Disconnected(agent));
    }

    public void shutdown(AgentId agent) {
        put(new Signal.ShutdownNotice(agent));
    }

    public void alert(AgentId agent, Alert alert) {
        put(new Signal.AgentAlert(agent, alert));
    }

    /**
     * Whenever instances, VMs, wished states or busy deployments change; cheap when they did not.
     */
    public void fleet(Fleet fleet) {
        put(new Signal.FleetKnown(fleet));
    }

    public void resurrection(boolean on) {
        put(new Signal.Resurrection(on));
    }

    /** What an earlier monitor remembered; before the first {@link #fleet}. */
    public void recall(List<Memory> memories) {
        put(new Signal.Recalled(memories));
    }

    /**
     * A repair that an earlier director began; before the first {@link #fleet}. {@code end} blocks
     * until it has ended.
     */
    public void repairGoesOn(
            String deployment, List<InstanceId> instances, Supplier<RepairPort.Ended> end) {
        put(new Signal.RepairGoesOn(deployment, instances));
        follow(deployment, instances, end);
    }

    /** What is to be remembered when the director is started anew. */
    public List<Memory> memories() {
        synchronized (judging) {
            return judge.memories();
        }
    }

    /** The director's own connection to the bus. */
    public void bus(boolean up) {
        put(new Signal.Bus(up));
    }

    // --- views, from any thread, constant time

    public Optional<Heartbeat> lastHeartbeat(AgentId agent) {
        Seen last = seen.get(agent);
        return last == null ? Optional.empty() : Optional.ofNullable(last.heartbeat);
    }

    /** When it was last heard, by a beat or a connection. */
    public Optional<Instant> lastSeen(AgentId agent) {
        Seen last = seen.get(agent);
        return last == null ? Optional.empty() : Optional.of(last.at);
    }

    /** Connected, and heard within the agent timeout. */
    public boolean responsive(AgentId agent) {
        Seen last = seen.get(agent);
        return last != null
                && last.lostAt == null
                && clock.steady().isBefore(last.at.plus(settings.agentTimeout()));
    }

    /** Waits for the decider's current turn, which takes microseconds. */
    public Optional<Verdict> verdict(InstanceId instance) {
        return Optional.ofNullable(view(instance).verdict);
    }

    /** Why an instance that should be repaired is not; empty: nothing is waited for. */
    public String waitingFor(InstanceId instance) {
        return view(instance).waitingFor;
    }

    private View view(InstanceId instance) {
        synchronized (judging) {
            return new View(judge.verdict(instance), judge.waitingFor(instance));
        }
    }

    /** How long ago it last took in all that waited; zero before the first time. */
    public Duration lag() {
        Instant last = lastTurn;
        return last == null ? Duration.ZERO : Duration.between(last, clock.steady());
    }

    public int waitingSignals() {
        return signals.size();
    }

    // --- deciding

    /** Takes in all that waits and what time brings; returns when it wants the next turn. */
    public Instant turn() {
        return turn(clock.steady(), null);
    }

    /** Who speaks after it has begun is heard at the next one. */
    private Instant turn(Instant begun, @Nullable Heard first) {
        var waiting = new ArrayList<Heard>();
        if (first != null) {
            waiting.add(first);
        }
        signals.drainTo(waiting);
        waiting.add(new Heard(new Signal.Tick(), begun));
        for (Heard heard : waiting) {
            try {
                decide(heard).forEach(this::act);
            } catch (RuntimeException e) {
                // The judge's state is kept: the next signal of the instance makes it look again.
                LOG.log(Level.ERROR, "signal=" + heard.signal.getClass().getSimpleName(), e);
            }
        }
        Instant now = clock.steady();
        lastTurn = now;
        Instant next;
        synchronized (judging) {
            next = judge.nextWake();
        }
        Instant latest = now.plus(LONGEST_REST);
        return next == null || next.isAfter(latest) ? latest : next;
    }

    private List<Action> decide(Heard heard) {
        Signal signal = heard.signal;
        Signal current = signal;
        if (signal instanceof Signal.Beat beat) {
            beaten.remove(beat.agent());
            Seen last = seen.get(beat.agent());
            if (last != null && last.heartbeat != null) {
                current = new Signal.Beat(beat.agent(), Report.of(last.heartbeat));
            }
        }
        if (signal instanceof Signal.FleetKnown known) {
            forgetStrangers(known.fleet());
        }
        synchronized (judging) {
            return judge.on(current, heard.at);
        }
    }

    private void decideOnAndOn() {
        Instant before = clock.steady();
        Heard first = null;
        while (open) {
            try {
                Instant now = clock.steady();
                if (before.plus(ABSENCE).isBefore(now)) {
                    LOG.log(
                            Level.WARNING,
                            "the monitor was away for {0} s; silence counts from here",
                            Duration.between(before, now).toSeconds());
                    decide(new Heard(new Signal.Absent(), now)).forEach(this::act);
                }
                before = now;
                Instant wake = turn(now, first);
                long rest = Duration.between(clock.steady(), wake).toMillis();
                first = signals.poll(Math.max(1, rest), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                return; // closed
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "the monitor goes on after", e);
            }
        }
    }

    // --- acting

    private void act(Action action) {
        switch (action) {
            case Action.AskEvidence a -> ask(a.agent(), a.vm());
            case Action.Repair a -> repair(a);
            case Action.RaiseAlert a -> {
                LOG.log(Level.WARNING, "alert={0} title={1} {2}", a.id(), a.title(), a.summary());
                Alert alert =
                        new Alert(
                                a.id(),
                                a.severity(),
                                a.title(),
                                a.summary(),
                                clock.now().getEpochSecond(),
                                "monitor",
                                a.deployment(),
                                null);
                say(() -> alerts.raised(alert));
            }
            case Action.ResolveAlert a -> {
                LOG.log(Level.INFO, "alert={0} resolved title={1}", a.id(), a.title());
                say(() -> alerts.resolved(a.id(), a.title()));
            }
            case Action.ForwardAlert a -> say(() -> alerts.raised(a.alert()));
            case Action.Wait a -> {
                LOG.log(Level.INFO, "instance={0} waits reason={1}", a.about(), a.reason());
                say(() -> alerts.waiting(a.about(), a.reason()));
            }
        }
    }

    private void say(Runnable message) {
        LinkedBlockingQueue<Runnable> messages = outbox;
        if (messages == null) {
            message.run();
        } else if (!messages.offer(message)) {
            LOG.log(Level.ERROR, "dropped an alert: {0} wait for the sink", MOST_MESSAGES);
        }
    }

    private void tellOnAndOn(LinkedBlockingQueue<Runnable> messages) {
        while (open) {
            try {
                messages.take().run();
            } catch (InterruptedException e) {
                return; // closed
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "the sink refused an alert", e);
            }
        }
    }

    private void ask(AgentId agent, VmCid vm) {
        Instant asked = clock.steady();
        work.execute(() -> {
            Seen last = seen.get(agent);
            if (last != null && last.lostAt == null && last.at.isAfter(asked)) {
                put(new Signal.Found(vm, Evidence.ANSWERS, "")); // it came back meanwhile
                return;
            }
            try {
                EvidencePort.Answer answer = evidence.look(agent, vm);
                put(new Signal.Found(vm, answer.evidence(), answer.reason()));
            } catch (RuntimeException e) {
                put(new Signal.Found(vm, Evidence.UNKNOWN, String.valueOf(e.getMessage())));
            }
        });
    }

    private void repair(Action.Repair a) {
        LOG.log(Level.WARNING, "deployment={0} repair reason={1}", a.deployment(), a.reason());
        follow(
                a.deployment(),
                a.instances(),
                () -> repairs.repair(a.deployment(), a.instances(), a.reason()));
    }

    private void follow(
            String deployment, List<InstanceId> instances, Supplier<RepairPort.Ended> end) {
        work.execute(() -> {
            RepairPort.Ended ended;
            try {
                ended = end.get();
            } catch (RuntimeException e) {
                ended = new RepairPort.Ended(false, String.valueOf(e.getMessage()));
            }
            putSurely(
                    new Signal.RepairEnded(deployment, instances, ended.succeeded(), ended.how()));
        });
    }

    // --- bounds

    private boolean isFull(AgentId agent) {
        return seen.size() >= MOST_AGENTS && !seen.containsKey(agent);
    }

    private boolean put(Signal signal) {
        boolean taken = signals.offer(new Heard(signal, clock.steady()));
        if (!taken) {
            LOG.log(
                    Level.ERROR,
                    "dropped signal={0}: {1} wait",
                    signal.getClass().getSimpleName(),
                    MOST_SIGNALS);
        }
        return taken;
    }

    /** Without the end of a repair the instance would count as under repair for ever. */
    private void putSurely(Signal signal) {
        try {
            signals.put(new Heard(signal, clock.steady()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closing: nobody decides any more
        }
    }

    private void forgetStrangers(Fleet fleet) {
        if (seen.size() <= fleet.members().size()) {
            return;
        }
        Set<AgentId> known =
                fleet.members().stream()
                        .map(Fleet.Member::agent)
                        .filter(java.util.Objects::nonNull)
                        .collect(Collectors.toSet());
        Instant old = clock.steady().minus(Duration.ofMinutes(10));
        seen.entrySet().removeIf(e -> !known.contains(e.getKey()) && e.getValue().at.isBefore(old));
    }
}
