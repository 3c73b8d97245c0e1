package dev.berth.director;

import dev.berth.bus.AgentEvents;
import dev.berth.bus.AgentException;
import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.monitor.AlertSink;
import dev.berth.monitor.Evidence;
import dev.berth.monitor.EvidencePort;
import dev.berth.monitor.JudgeSettings;
import dev.berth.monitor.Monitor;
import dev.berth.monitor.RepairPort;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.wire.AgentState;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Joins the monitor to the director: what the bus tells goes in, what the director knows goes in
 * whenever it changed, and what the monitor decides becomes tasks and log lines. Thread-safe.
 */
final class FleetWatch implements AgentEvents, FleetView, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(FleetWatch.class.getName());

    /** Changes come in bursts; a snapshot this old still decides nothing wrongly. */
    private static final Duration SETTLE = Duration.ofMillis(100);

    private static final Duration LONGEST_SETTLE = Duration.ofSeconds(2);

    /** A store that cannot be read must not keep a repair from ending. */
    private static final Duration LONGEST_TELLING = Duration.ofSeconds(10);

    private static final Duration QUESTION = Duration.ofSeconds(1);
    private static final Duration INTRODUCTION = Duration.ofSeconds(5);
    private static final int INTRODUCTIONS = 32;
    private static final List<String> ENDED = List.of("done", "error", "cancelled", "timeout");

    private static final int MOST_REPAIRS = 1000;

    private final Store store;
    private final JudgeMemory memory;
    private final Clock clock;
    private final Threads threads;
    private final Duration silence;
    private final Monitor monitor;
    private final Semaphore changed = new Semaphore(1);
    private @Nullable Hands hands;
    private @Nullable Tasks tasks;
    private volatile @Nullable AlertSink alerts;
    private volatile @Nullable Metrics metrics;
    private volatile boolean busUp = true;
    private volatile @Nullable Thread teller;

    /** Snapshots that were begun, and the last that was told. */
    private volatile long snapshots;

    private volatile long told;
    private @Nullable Thread introductions;

    FleetWatch(Store store, Clock clock, Threads threads, JudgeSettings settings) {
        this.store = store;
        this.memory = new JudgeMemory(store);
        this.clock = clock;
        this.threads = threads;
        this.silence = settings.agentTimeout();
        Executor work = run -> threads.start("watch", run);
        this.monitor = new Monitor(settings, clock, work, this::look, this::repair, new Said());
    }

    /**
     * Before {@link #join}.
     *
     * @param sink who keeps the alerts
     * @param counts who counts the repairs
     */
    void tells(AlertSink sink, Metrics counts) {
        alerts = sink;
        metrics = counts;
    }

    /** How long ago the monitor last took in what it was told. */
    double lagSeconds() {
        return monitor.lag().toMillis() / 1e3;
    }

    int waitingSignals() {
        return monitor.waitingSignals();
    }

    boolean isBusUp() {
        return busUp;
    }

    /** From here on it can act: on its own after {@link #start}, or turn by turn. */
    void join(Hands withHands, Tasks withTasks) {
        hands = withHands;
        tasks = withTasks;
        monitor.recall(memory.kept());
        store.read(s ->
                        s.tasks(
                                Tasks.UNFINISHED,
                                List.of(DeploymentsApi.SCAN_AND_FIX),
                                null,
                                MOST_REPAIRS))
                .forEach(this::goesOn);
        monitor.fleet(FleetSnapshot.of(store));
    }

    /** The tasks that an earlier director left are taken up: no second repair beside them. */
    private void goesOn(Rows.Task task) {
        if (task.deployment() != null) {
            monitor.repairGoesOn(
                    task.deployment(),
                    Converge.named(task.payload()).stream().map(InstanceId::new).toList(),
                    () -> await(task.id()));
        }
    }

    void start() {
        monitor.start();
        teller = Thread.ofVirtual().name("fleet-teller").start(this::tell);
        introductions = Thread.ofVirtual().name("introductions").start(this::meet);
    }

    /**
     * The bus may have outlived the last director, and an agent that never lost it says nothing
     * before its next beat, up to a minute away: each is asked once, so that listings and repairs
     * need not wait for that.
     */
    private void meet() {
        Hands own = hands();
        List<AgentId> strangers =
                store.read(s ->
                        Stream.concat(
                                        s.vmsOf(null).stream()
                                                .filter(Rows.Vm::active)
                                                .map(Rows.Vm::agent),
                                        s.spares().stream().map(Rows.Spare::agent))
                                .distinct()
                                .toList());
        try {
            own.parallel().forEach(strangers, INTRODUCTIONS, agent -> meet(own, agent));
        } catch (Exception e) {
            LOG.log(System.Logger.Level.DEBUG, "not every agent was asked", e);
        }
    }

    private void meet(Hands own, AgentId agent) {
        if (lastHeartbeat(agent).isPresent()) {
            return;
        }
        try {
            AgentState state =
                    AgentState.fromTree(
                            own.agents().call(agent, "get_state", List.of("full"), INTRODUCTION));
            heartbeat(Heartbeat.ofState(agent, state));
        } catch (AgentException | IllegalArgumentException e) {
            // The judge finds out by itself what is wrong with it.
            LOG.log(System.Logger.Level.DEBUG, "agent " + agent + " did not say how it is", e);
        }
    }

    /** The store was written: instances, VMs or states may be others now. */
    void changed() {
        if (changed.availablePermits() == 0) {
            changed.release();
        }
    }

    @Override
    public void close() {
        for (Thread thread : new Thread[] {teller, introductions}) {
            if (thread != null) {
                thread.interrupt();
            }
        }
        monitor.close();
    }

    // --- what the director knows

    void tell() {
        try {
            while (true) {
                changed.acquire();
                Instant begun = clock.steady();
                try {
                    tellOnce();
                    remember();
                } catch (RuntimeException e) { // a store that is away comes back
                    LOG.log(
                            System.Logger.Level.WARNING,
                            "the monitor is not told of what has changed; tried again: {0}",
                            e.getMessage());
                    changed();
                    clock.sleep(LONGEST_SETTLE);
                }
                clock.sleep(rest(Duration.between(begun, clock.steady())));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A snapshot of ten thousand instances takes long: nine parts of ten are for other work. */
    private static Duration rest(Duration took) {
        Duration share = took.multipliedBy(9);
        if (share.compareTo(SETTLE) < 0) {
            return SETTLE;
        }
        return share.compareTo(LONGEST_SETTLE) < 0 ? share : LONGEST_SETTLE;
    }

    private void tellOnce() {
        changed.drainPermits();
        long mine = snapshots + 1; // one thread tells
        snapshots = mine;
        monitor.resurrection(
                !"true".equals(store.read(s -> s.setting("resurrection_paused")).orElse("false")));
        monitor.fleet(FleetSnapshot.of(store));
        told = mine;
    }

    /**
     * The end of a repair is told after what it has changed: a judge that still takes the lost VM
     * for the instance's would think that the repair has not helped. Who owns time tells first
     * anyhow.
     */
    private void awaitTold() throws InterruptedException {
        if (teller == null) {
            return;
        }
        long next = snapshots + 1;
        Instant end = clock.steady().plus(LONGEST_TELLING);
        changed();
        while (told < next && clock.steady().isBefore(end)) {
            clock.sleep(SETTLE);
        }
    }

    /**
     * For a caller that owns time instead of {@link #start}: tells what changed, decides, and
     * returns when to come again.
     */
    Instant turn() {
        if (changed.tryAcquire()) {
            tellOnce();
        }
        Instant next = monitor.turn();
        remember();
        return next;
    }

    private void remember() {
        memory.keep(monitor.memories());
    }

    // --- what the monitor asks for

    private EvidencePort.Answer look(AgentId agent, VmCid vm) {
        Hands own = hands();
        Cpi.VmEvidence said;
        try {
            said = own.cpi().vmEvidence(own.looking(), vm);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
            said = Cpi.VmEvidence.PRESENT;
        }
        return switch (said) {
            case GONE -> EvidencePort.Answer.of(Evidence.GONE);
            case STOPPED -> EvidencePort.Answer.of(Evidence.STOPPED);
            case RUNNING, PRESENT ->
                    answers(own, agent)
                            ? EvidencePort.Answer.of(Evidence.ANSWERS)
                            : Refused.agent(own, agent)
                                    .map(r -> new EvidencePort.Answer(Evidence.REFUSED, r.reason()))
                                    .orElse(EvidencePort.Answer.of(Evidence.PRESENT));
        };
    }

    private static boolean answers(Hands hands, AgentId agent) {
        try {
            return "pong".equals(hands.agents().call(agent, "ping", List.of(), QUESTION));
        } catch (AgentException e) {
            return false;
        }
    }

    private RepairPort.Ended repair(String deployment, List<InstanceId> instances, String reason) {
        Map<String, Object> jobs = new LinkedHashMap<>();
        Map<String, List<String>> byGroup =
                store.read(s ->
                        instances.stream()
                                .flatMap(id -> s.instance(id).stream())
                                .collect(
                                        Collectors.groupingBy(
                                                Rows.Instance::group,
                                                LinkedHashMap::new,
                                                Collectors.mapping(
                                                        i -> i.id().value(),
                                                        Collectors.toList()))));
        jobs.putAll(byGroup);
        Rows.Task task =
                tasks().enqueue(
                                DeploymentsApi.SCAN_AND_FIX,
                                "scan and fix",
                                "health_monitor",
                                deployment,
                                "",
                                dev.berth.model.Json.of(
                                        "deployment", deployment, "jobs", jobs, "reason", reason));
        new AuditTrail(store, clock)
                .record(
                        new AuditTrail.Entry(
                                null,
                                "health_monitor",
                                "repair",
                                "deployment",
                                deployment,
                                task.id(),
                                deployment,
                                null,
                                null,
                                dev.berth.model.Json.of("reason", reason, "jobs", jobs)));
        LOG.log(
                System.Logger.Level.WARNING,
                "deployment={0} task={1} repair=begun reason=''{2}''",
                deployment,
                String.valueOf(task.id()),
                reason);
        RepairPort.Ended ended = await(task.id());
        Metrics counts = metrics;
        if (counts != null) {
            counts.repaired(ended.succeeded());
        }
        return ended;
    }

    private RepairPort.Ended await(long id) {
        try {
            while (true) {
                Optional<Rows.Task> task = store.read(s -> s.task(id));
                if (task.isEmpty() || ENDED.contains(task.get().state())) {
                    boolean done = task.isPresent() && task.get().state().equals("done");
                    awaitTold();
                    return new RepairPort.Ended(
                            done,
                            "task "
                                    + id
                                    + " "
                                    + task.map(t -> t.state() + (done ? "" : ": " + t.result()))
                                            .orElse("is gone"));
                }
                clock.sleep(SETTLE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new RepairPort.Ended(false, "the director stops");
        }
    }

    private Hands hands() {
        return java.util.Objects.requireNonNull(hands, "the watch has not started");
    }

    private Tasks tasks() {
        return java.util.Objects.requireNonNull(tasks, "the watch has not started");
    }

    /** Told who keeps the alerts; nobody does as long as none is known. */
    private final class Said implements AlertSink {
        @Override
        public void raised(Alert alert) {
            if (alerts != null) {
                alerts.raised(alert);
            }
        }

        @Override
        public void resolved(String id, String title) {
            if (alerts != null) {
                alerts.resolved(id, title);
            }
        }

        @Override
        public void waiting(String about, String reason) {
            if (alerts != null) {
                alerts.waiting(about, reason);
            }
        }
    }

    // --- what the bus tells

    @Override
    public void heartbeat(Heartbeat heartbeat) {
        monitor.heartbeat(heartbeat);
    }

    @Override
    public void alert(AgentId agent, Alert alert) {
        if (Alert.AGENT_KILLED.equals(alert.category())) {
            threads.start("agent killed", () -> killed(agent, alert));
        }
        monitor.alert(agent, AlertSources.named(agent, alert));
    }

    /** A step of the ladder that the VM took by itself. */
    private void killed(AgentId agent, Alert alert) {
        store.read(s -> s.vm(agent).flatMap(vm -> s.instance(vm.instance())))
                .ifPresent(i -> {
                    String name = i.group() + "/" + i.id();
                    new AuditTrail(store, clock)
                            .record(
                                    new AuditTrail.Entry(
                                            null,
                                            "vm",
                                            "restart agent",
                                            HealingView.OBJECT,
                                            name,
                                            null,
                                            i.deployment(),
                                            name,
                                            null,
                                            dev.berth.model.Json.of("reason", alert.summary())));
                });
    }

    @Override
    public void shutdown(AgentId agent) {
        monitor.shutdown(agent);
    }

    @Override
    public void connected(AgentId agent) {
        monitor.connected(agent);
    }

    @Override
    public void disconnected(AgentId agent) {
        monitor.disconnected(agent);
    }

    @Override
    public Optional<Heartbeat> lastHeartbeat(AgentId agent) {
        return monitor.lastHeartbeat(agent);
    }

    @Override
    public boolean responsive(AgentId agent) {
        return monitor.responsive(agent);
    }

    @Override
    public Optional<Instant> lastSeen(AgentId agent) {
        return monitor.lastSeen(agent);
    }

    @Override
    public Optional<Verdict> verdict(InstanceId instance) {
        return monitor.verdict(instance);
    }

    @Override
    public String waitingFor(InstanceId instance) {
        return monitor.waitingFor(instance);
    }

    @Override
    public DirectorCore.Healing bounds() {
        Hands own = hands;
        return new DirectorCore.Healing(
                silence,
                own == null ? DirectorCore.Healing.USUAL.reboot() : own.patience().reboot());
    }

    /** Silence in between says nothing about agents. */
    @Override
    public void busLost() {
        busUp = false;
        monitor.bus(false);
    }

    @Override
    public void busBack() {
        busUp = true;
        monitor.bus(true);
    }
}
