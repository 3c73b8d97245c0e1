package dev.berth.agent;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.supervisor.ContainerState;
import dev.berth.supervisor.ContainerStatus;
import dev.berth.supervisor.DaemonKeeper;
import dev.berth.supervisor.DaemonState;
import dev.berth.supervisor.DiskState;
import dev.berth.supervisor.DiskStates;
import dev.berth.supervisor.StateChange;
import dev.berth.supervisor.Supervisor;
import dev.berth.supervisor.SupervisorStatus;
import dev.berth.wire.AgentState;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@link Workload} by the container supervisor on the VM's own Docker Engine. */
final class SupervisedWorkload implements Workload {
    private static final System.Logger LOG = System.getLogger(SupervisedWorkload.class.getName());
    private static final Duration LIST_LIMIT = Duration.ofSeconds(10);

    /** Longer than most containers take to stop. */
    private static final Duration LEAVE_LIMIT = Duration.ofSeconds(30);

    private static final long LOOK_NANOS = 20_000_000;

    private final Engine engine;
    private final Supervisor supervisor;
    private final Layout layout;
    private final Proof proof;
    private volatile @Nullable DaemonKeeper daemon;

    /** The daemon stood on the disk, and ended when none of its containers ran any more. */
    private volatile boolean storeLeft;

    private volatile Runnable changed = () -> {};
    private volatile Consumer<Trouble> trouble = t -> {};

    /**
     * What the supervisor asks before it lets a container near a disk: what was proven last, looked
     * at again.
     */
    static final class Proof implements dev.berth.supervisor.DiskProof {
        private final BiFunction<String, DiskCid, MountProof> look;
        private final Map<String, MountProof> last = new ConcurrentHashMap<>();

        Proof(BiFunction<String, DiskCid, MountProof> look) {
            this.look = look;
        }

        @Override
        public DiskState prove() {
            return prove("");
        }

        @Override
        public DiskStates proveAll() {
            var states = new HashMap<>(Map.of("", prove("")));
            last.keySet().forEach(name -> states.put(name, prove(name)));
            return new DiskStates(states);
        }

        void told(String name, MountProof proof) {
            if (proof instanceof MountProof.None) {
                last.remove(name);
            } else {
                last.put(name, proof);
            }
        }

        private DiskState prove(String name) {
            MountProof known = last.getOrDefault(name, new MountProof.None());
            return switch (known instanceof MountProof.Proven good ? again(name, good) : known) {
                case MountProof.Proven p -> new DiskState.Proven(p.cid().value());
                case MountProof.Unproven bad -> new DiskState.Unproven(bad.reason());
                case MountProof.None none -> new DiskStates(Map.of()).of(name);
            };
        }

        private MountProof again(String name, MountProof.Proven good) {
            try {
                return look.apply(name, good.cid());
            } catch (RuntimeException e) {
                return new MountProof.Unproven(ActionException.words(e));
            }
        }
    }

    SupervisedWorkload(Engine engine, Supervisor supervisor, Layout layout, Proof proof) {
        this.engine = engine;
        this.supervisor = supervisor;
        this.layout = layout;
        this.proof = proof;
        supervisor.addListener(this::onStateChange);
    }

    @Override
    public void prepare(List<ContainerSpec> containers) {
        try {
            supervisor.prepare(containers);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted", e);
        }
    }

    @Override
    public Optional<String> before() {
        return supervisor.goodMark();
    }

    @Override
    public String prepareDaemon(DaemonSettings settings, int index) {
        DaemonKeeper keeper = daemon;
        return keeper == null ? "" : keeper.prepare(settings, index);
    }

    @Override
    public String apply(
            List<ContainerSpec> containers, DaemonSettings settings, int index, String mark) {
        return withDaemon(settings, index, () -> supervisor.wish(containers, mark));
    }

    @Override
    public String rollBack(DaemonSettings settings, int index) {
        return withDaemon(settings, index, supervisor::rollBack);
    }

    private String withDaemon(DaemonSettings settings, int index, Runnable wish) {
        DaemonKeeper keeper = daemon;
        String done = "";
        if (keeper == null) {
            wish.run();
        } else {
            done = keeper.apply(settings, index, wish);
        }
        changed.run();
        return done;
    }

    /** Who gives the daemon its settings; before that nobody does. */
    void daemonKept(DaemonKeeper keeper) {
        daemon = keeper;
    }

    @Override
    public void start() {
        supervisor.start();
        changed.run();
    }

    @Override
    public void stop(Duration limit) {
        try {
            List<String> left = supervisor.stop(limit);
            if (!left.isEmpty()) {
                throw new ActionException(
                        "Timed out waiting for services "
                                + String.join(", ", left)
                                + " to stop within "
                                + limit.toSeconds()
                                + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted", e);
        }
    }

    @Override
    public Status status() {
        SupervisorStatus status = supervisor.status();
        return new Status(
                status.jobState(),
                status.daemon().name().toLowerCase(Locale.ROOT),
                status.containers().stream().map(SupervisedWorkload::onTheWire).toList());
    }

    static AgentState.ContainerState onTheWire(ContainerStatus c) {
        Integer exit = c.lastExitCode();
        return new AgentState.ContainerState(
                c.name(),
                c.image(),
                c.imageDigest(),
                c.state(),
                c.health(),
                c.specDigest(),
                c.containerId(),
                c.startedAtMillis(),
                c.restarts(),
                exit == null ? null : exit.longValue(),
                c.lastExitOom(),
                c.reason(),
                c.cause(),
                c.nextTryMillis());
    }

    @Override
    public void disk(String name, MountProof next) {
        proof.told(name, next);
        supervisor.diskChanged();
        DaemonKeeper keeper = daemon;
        if (keeper == null || !name.isEmpty()) {
            return;
        }
        if (next instanceof MountProof.Proven) {
            storeLeft = false;
            keeper.store(true);
        } else {
            // Containers outlive their daemon, and nobody else can stop them.
            storeLeft = storeLeft || (keeper.needsStore() && nobodyStays());
            keeper.store(false);
        }
    }

    /** False: some did not stop in time, or the daemon does not say. */
    private boolean nobodyStays() {
        long begun = System.nanoTime();
        try {
            while (!runningOnDisk("").isEmpty()) {
                if (System.nanoTime() - begun > LEAVE_LIMIT.toNanos()) {
                    LOG.log(
                            System.Logger.Level.WARNING,
                            "disk=store left although containers run: {0}",
                            runningOnDisk(""));
                    return false;
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
            return true;
        } catch (EngineException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "disk=store left, and nobody knows what runs: {0}",
                    ActionException.words(e));
            return false;
        }
    }

    /**
     * Asks the Engine itself, so that containers of others count as well. One that stood on the
     * disk was ended when nobody ran on it any more, and has nothing to say.
     */
    @Override
    public List<String> runningOnDisk(String name) {
        DaemonKeeper stood = daemon;
        if (name.isEmpty() && storeLeft && stood != null && stood.needsStore()) {
            return List.of();
        }
        Path place = layout.place(name);
        var names = new ArrayList<String>();
        for (Map<String, Object> container : engine.listContainers(Map.of(), LIST_LIMIT)) {
            Fields fields = Fields.of(container, "container");
            DaemonKeeper keeper = daemon;
            boolean onDisk =
                    (name.isEmpty() && keeper != null && keeper.needsStore())
                            || fields.objects("Mounts").stream()
                                    .anyMatch(m ->
                                            Path.of(m.string("Source", "/"))
                                                    .normalize()
                                                    .startsWith(place));
            if (onDisk
                    && !List.of("exited", "dead", "created").contains(fields.string("State", ""))) {
                List<String> known = fields.strings("Names");
                names.add(
                        known.isEmpty()
                                ? fields.string("Id")
                                : known.getFirst().replaceFirst("^/", ""));
            }
        }
        return names;
    }

    @Override
    public void startContainer(String name) {
        known(name);
        supervisor.startContainer(name);
    }

    @Override
    public void stopContainer(String name) {
        known(name);
        supervisor.stopContainer(name);
    }

    @Override
    public void restartContainer(String name) {
        known(name);
        supervisor.restartContainer(name);
    }

    @Override
    public String logs(String name, int tail) {
        return engine.logs(idOf(name), tail);
    }

    @Override
    public void copyLogs(String name, int tail, OutputStream out) {
        engine.streamLogs(idOf(name), tail, false, out);
    }

    @Override
    public Map<String, Object> readLogs(String name, String cursor, int most) {
        var reading =
                cursor.isEmpty()
                        ? LogCursor.Reading.first()
                        : LogCursor.Reading.from(LogCursor.parse(cursor));
        var page = new LogPage(reading, most);
        Instant since = cursor.isEmpty() ? null : LogCursor.parse(cursor).since();
        engine.readLogs(idOf(name), since, most, page);
        return page.toTree();
    }

    @Override
    public Map<String, Object> explain(String name) {
        SupervisorStatus status = supervisor.status();
        if (name.isEmpty()) {
            return Explanation.of(status, engine, false);
        }
        ContainerStatus one = known(name);
        return Explanation.of(
                new SupervisorStatus(
                        status.jobState(), status.daemon(), status.disks(), List.of(one)),
                engine,
                true);
    }

    @Override
    public Output run(String name, List<String> command, Duration limit) {
        if (command.isEmpty()) {
            throw new ActionException("the command is empty");
        }
        long begun = System.nanoTime();
        try {
            Engine.ExecResult result = engine.exec(idOf(name), command, Map.of(), limit);
            return new Output(result.exitCode(), result.stdout(), result.stderr());
        } catch (EngineException e) {
            if (e.isUnknown() && System.nanoTime() - begun >= limit.toNanos()) {
                throw new ActionException(
                        "the command did not end within "
                                + limit.toSeconds()
                                + " s; it runs on in the container, and its output is lost",
                        e);
            }
            throw e;
        }
    }

    @Override
    public Engine.ExecStream session(String name, Map<String, Object> body) {
        return engine.execStream(idOf(name), body);
    }

    private ContainerStatus known(String name) {
        List<ContainerStatus> all = supervisor.status().containers();
        return all.stream()
                .filter(c -> c.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ActionException(
                                "this instance has no container '"
                                        + name
                                        + "', only "
                                        + all.stream().map(ContainerStatus::name).toList()));
    }

    private String idOf(String name) {
        String id = known(name).containerId();
        if (id == null) {
            throw new EngineException(404, "container '" + name + "' does not exist at present");
        }
        return id;
    }

    @Override
    public void onChange(Runnable listener) {
        changed = listener;
    }

    @Override
    public void onTrouble(Consumer<Trouble> listener) {
        trouble = listener;
    }

    private void onStateChange(StateChange change) {
        changed.run();
        Integer severity = severity(change);
        if (severity != null) {
            boolean resolved = change.severity() == StateChange.Severity.RESOLVED;
            trouble.accept(
                    new Trouble(
                            "container " + change.container(),
                            severity,
                            resolved,
                            "container "
                                    + change.container()
                                    + (resolved ? " runs again" : " fails"),
                            change.reason().isEmpty()
                                    ? "now " + change.to().wireName()
                                    : change.reason()));
        }
    }

    /** A first failure heals by itself nearly always: it is in the heartbeat, and no alert. */
    private static @Nullable Integer severity(StateChange change) {
        return switch (change.severity()) {
            case NONE -> null;
            // Blocked without a failure is blocked by its disk, which raises an alert of its own.
            case WARNING ->
                    change.to() == ContainerState.BLOCKED && change.failures() > 0 ? 3 : null;
            case ERROR -> 3;
            case CRITICAL -> 2;
            case RESOLVED -> 4;
        };
    }

    /** What the watch over the daemon found; to be wired to it. */
    void onDaemon(DaemonState state) {
        supervisor.daemon(state);
        changed.run();
        switch (state) {
            case HUNG ->
                    daemonTrouble(
                            3,
                            false,
                            "docker daemon hangs",
                            "it answers nothing and is being ended; containers run on");
            case FAILED ->
                    daemonTrouble(
                            2,
                            false,
                            "docker daemon failed",
                            "it was started again and again and did not stay; tried each minute; containers that run go on");
            case UP ->
                    daemonTrouble(
                            4, true, "docker daemon answers", "containers are supervised again");
            case UNKNOWN, STARTING, RECONCILE, SUSPECT, DOWN -> {
                // on the way to one of the others
            }
        }
    }

    private void daemonTrouble(int severity, boolean resolved, String title, String summary) {
        trouble.accept(new Trouble("daemon", severity, resolved, title, summary));
    }
}
