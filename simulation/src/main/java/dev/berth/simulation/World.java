package dev.berth.simulation;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentEvents;
import dev.berth.cpi.CpiContext;
import dev.berth.director.DirectorCore;
import dev.berth.director.DirectorIdentity;
import dev.berth.director.Parallel;
import dev.berth.model.AgentId;
import dev.berth.model.Digests;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.testkit.FakeAgents;
import dev.berth.testkit.FakeCloud;
import dev.berth.testkit.FakeCpi;
import dev.berth.testkit.SimClock;
import dev.berth.testkit.SimulatedCrash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A cloud, agents, a database and a director, one process of it after another, in virtual time.
 * What the process holds in memory dies with it; the rest goes on.
 */
final class World implements AutoCloseable {
    static final String SECRET = "planted-Secret-4711";
    private static final DirectorIdentity IDENTITY =
            new DirectorIdentity("sim", "5e1f0000-0000-0000-0000-000000000000", "0", "fake");
    private static final String NEIGHBOUR = "0e1f0000-0000-0000-0000-000000000000";
    private static final Duration BEAT = Duration.ofSeconds(5);
    private static final Duration RARE_BEAT = Duration.ofSeconds(30);
    private static final long MOST_TURNS = 3_000_000;

    static final String CLOUD_CONFIG =
            """
            azs: [{name: z1, cloud_properties: {zone: z1}}, {name: z2, cloud_properties: {zone: z2}}]
            disk_types:
            - {name: fast, disk_size: 1024, cloud_properties: {kind: fast}}
            - {name: quick, disk_size: 1024, cloud_properties: {kind: fast}}
            - {name: xfs, disk_size: 1024, file_system: xfs}
            - {name: data, disk_size: 1024}
            - {name: data-grown, disk_size: 2048}
            - {name: logs, disk_size: 512}
            - {name: logs-fast, disk_size: 512, cloud_properties: {kind: fast}}
            - {name: device, disk_size: 256}
            vm_types:
            - {name: small, cloud_properties: {cpus: 1}}
            - {name: large, cloud_properties: {cpus: 4}}
            networks:
            - name: default
              subnets: [{range: 10.64.0.0/18, gateway: 10.64.0.1, azs: [z1, z2]}]
            """;

    /**
     * What a world is made of.
     *
     * @param aloud its history is printed as it happens
     * @param onDisk the director's database is a file, as in production
     * @param checked the rules are watched; otherwise only the director's own work is done
     */
    record Settings(boolean aloud, boolean onDisk, boolean checked) {
        static final Settings USUAL = new Settings(false, false, true);
        static final Settings MEASURED = new Settings(false, true, false);
    }

    /** One process of the director. */
    private static final class Process {
        final SimClock.Group group;
        @Nullable DirectorCore core;
        @Nullable AgentCalls calls;
        final JumpyClock clock;
        boolean ready;
        Instant nextTurn = Instant.MIN;

        Process(SimClock.Group group, JumpyClock clock) {
            this.group = group;
            this.clock = clock;
        }
    }

    final Random random;
    final SimClock clock;
    final FakeCloud cloud = new FakeCloud();
    final Trace trace;
    final Crashes crashes;
    final Faults faults;
    final Rules rules;
    final FakeAgents agents;
    Store database;
    final Path folder;
    private final Settings settings;
    private final List<FakeCloud.Vm> foreignVms = new ArrayList<>();
    private final List<FakeCloud.Disk> foreignDisks = new ArrayList<>();
    private Process process;
    private int processes;
    private Instant upSince = Instant.MIN;
    private boolean storeLost;

    World(long seed, Settings settings) {
        this.settings = settings;
        random = new Random(seed);
        clock = new SimClock(Instant.parse("2026-01-01T00:00:00Z"), MOST_TURNS);
        trace = new Trace(clock, settings.aloud());
        crashes = new Crashes(random);
        faults = new Faults(random, trace);
        rules = new Rules(this);
        settleNeighbour();
        agents = new FakeAgents(cloud, clock, rules);
        try {
            folder = Files.createTempDirectory("berth-sim");
            Files.createDirectories(folder.resolve("tasks"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        database = emptyStore();
        process = new Process(new SimClock.Group("nobody"), new JumpyClock(clock, Duration.ZERO));
        furnish();
        start();
        clock.in(BEAT, this::beat);
        clock.in(Duration.ofMillis(100), this::turn);
    }

    private Store emptyStore() {
        return settings.onDisk()
                ? SqlStore.sqlite(folder.resolve("berth.db"))
                : SqlStore.sqliteInMemory();
    }

    /** Another director has a VM with a disk on the same cloud; nobody here hears of its agent. */
    private void settleNeighbour() {
        var cpi = new FakeCpi(cloud);
        var context = new CpiContext(NEIGHBOUR, "neighbour", null, Map.of());
        var stemcell = cpi.createStemcell(context, Path.of("image-n"), Map.of(), Map.of());
        Map<String, Object> networks = Json.of("default", Json.of("ip", "10.99.0.2"));
        var vm =
                cpi.createVm(
                        context,
                        new AgentId("neighbour"),
                        stemcell,
                        Map.of(),
                        networks,
                        List.of(),
                        Map.of());
        cpi.attachDisk(context, vm, cpi.createDisk(context, 64, Map.of(), vm));
        cpi.createDisk(context, 64, Map.of(), null);
        foreignVms.addAll(cloud.vms());
        foreignDisks.addAll(cloud.disks());
    }

    static boolean isForeign(FakeCloud.Vm vm) {
        return vm.director().equals(NEIGHBOUR);
    }

    static boolean isForeign(FakeCloud.Disk disk) {
        return disk.director().equals(NEIGHBOUR);
    }

    boolean foreignIsAsItWas() {
        return cloud.vms().stream().filter(World::isForeign).toList().equals(foreignVms)
                && cloud.disks().stream().filter(World::isForeign).toList().equals(foreignDisks);
    }

    /** What this director may have made. */
    List<FakeCloud.Vm> ownVms() {
        return cloud.vms().stream().filter(vm -> !isForeign(vm)).toList();
    }

    List<FakeCloud.Disk> ownDisks() {
        return cloud.disks().stream().filter(disk -> !isForeign(disk)).toList();
    }

    private void furnish() {
        var cpi = new FakeCpi(cloud);
        for (String version : List.of("1", "2")) {
            var context = new CpiContext(IDENTITY.uuid(), "furnish", null, Map.of());
            var cid = cpi.createStemcell(context, Path.of("image-" + version), Map.of(), Map.of());
            database.update(s ->
                    s.saveStemcell(
                            new Rows.Stemcell(0, "berth-debian", "debian", version, cid, "", 3)));
        }
        database.update(s -> s.saveConfig("cloud", "default", CLOUD_CONFIG, clock.now()));
    }

    // --- the director's processes

    /** Starts one process after another until one lives. */
    private void start() {
        while (true) {
            var next =
                    new Process(
                            new SimClock.Group("director " + ++processes),
                            new JumpyClock(clock, process.clock.offset()));
            process = next;
            clock.start(next.group, () -> boot(next));
            while (!next.ready && !next.group.isDead()) {
                failIfThreadsDied();
                clock.sleep(Duration.ofMillis(10));
            }
            if (next.ready) {
                upSince = told();
                trace.say(next.group + " is up");
                return;
            }
            bury();
        }
    }

    private void boot(Process next) {
        try {
            var core =
                    new DirectorCore(
                            new DirectorCore.Ports(
                                    IDENTITY,
                                    folder,
                                    new CrashingStore(database, next.group, crashes, trace),
                                    cpi(next.group),
                                    events -> calls(next, events),
                                    agents,
                                    (name, tag) -> "sha256:" + Digests.sha256(name + ":" + tag),
                                    null,
                                    null,
                                    next.clock,
                                    this::uuid,
                                    (name, work) -> clock.start(next.group, work),
                                    Parallel.IN_ORDER,
                                    new DirectorCore.Welcome(Json.of()),
                                    DirectorCore.USUAL_AGENT_WAIT,
                                    DirectorCore.Healing.USUAL));
            next.core = core;
            if (storeLost) {
                core.recover();
                storeLost = false;
            }
            core.settle();
            core.begin();
            next.ready = true;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** From its loss until it has been rebuilt. */
    boolean isStoreLost() {
        return storeLost;
    }

    /** The director's disk is lost, but for its key: it is to know everything again. */
    void loseStore() {
        trace.say("== the store is lost");
        faults.count("store lost");
        process.group.kill();
        bury();
        database.close();
        database = emptyStore();
        try {
            Files.move(folder.resolve("tasks"), folder.resolve("tasks-" + processes));
            Files.createDirectories(folder.resolve("tasks"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        storeLost = true;
        rules.storeLost();
        start();
    }

    private void bury() {
        trace.say(process.group + " is dead");
        agents.disconnect();
        clock.bury();
        faults.count("director crash");
        clock.sleep(Duration.ofMillis(200 + random.nextInt(20_000)));
    }

    /** As a person would: a dead director is started again. */
    void recover() {
        failIfThreadsDied();
        if (process.group.isDead()) {
            bury();
            start();
        }
    }

    private void failIfThreadsDied() {
        if (!clock.failures().isEmpty()) {
            Throwable first = clock.failures().getFirst();
            var broken = new Broken("a thread of the director died: " + first);
            broken.initCause(first);
            throw broken;
        }
    }

    /** What the director's clock says, whatever it was set to. */
    Instant told() {
        return process.clock.now();
    }

    /** Somebody sets the clock of the director's machine. */
    void setClock(Duration ahead) {
        trace.say("the director's clock is set " + ahead.minus(process.clock.offset()) + " on");
        process.clock.set(ahead);
    }

    /** When the director that runs now was ready, by its own clock. */
    Instant upSince() {
        return upSince;
    }

    private DirectorCore core() {
        return java.util.Objects.requireNonNull(process.core);
    }

    private FakeCpi cpi(SimClock.Group group) {
        return new FakeCpi(cloud)
                .hook(
                        new FakeCpi.Hook() {
                            @Override
                            public void before(FakeCpi.Call call) {
                                crashes.moment(group, "before " + call.method());
                                if (!Faults.isLook(call)) {
                                    trace.say("cpi " + call.method() + " " + subject(call));
                                }
                                clock.sleep(
                                        Duration.ofMillis(latency(call)).plus(faults.cloudDelay()));
                                if (settings.checked()) {
                                    rules.asked(call);
                                }
                                faults.before(call);
                            }

                            @Override
                            public void after(FakeCpi.Call call) {
                                crashes.moment(group, "after " + call.method());
                                faults.after(call);
                            }
                        });
    }

    private static long latency(FakeCpi.Call call) {
        return call.method().equals("create_vm") ? 800 : Faults.isLook(call) ? 5 : 60;
    }

    private static String subject(FakeCpi.Call call) {
        return call.method().equals("create_vm")
                ? String.valueOf(call.arguments().getFirst())
                : call.method().startsWith("set_")
                        ? String.valueOf(call.arguments().getFirst())
                        : call.arguments().toString();
    }

    private AgentCalls calls(Process next, AgentEvents events) {
        SimClock.Group group = next.group;
        AgentCalls calls =
                agents.connect(
                        events,
                        new FakeAgents.Hook() {
                            @Override
                            public FakeAgents.Fate fate(FakeAgents.Call call) {
                                return faults.fate(call);
                            }

                            @Override
                            public void before(FakeAgents.Call call) {
                                crashes.moment(group, "before " + call.method());
                                if (!call.isLook()) {
                                    trace.say("agent " + call);
                                }
                                rules.asked(call);
                            }

                            @Override
                            public void after(FakeAgents.Call call) {
                                crashes.moment(group, "after " + call.method());
                            }
                        });
        next.calls = calls;
        return calls;
    }

    /** The cloud as the director has it: what is asked here, a director with a bug has asked. */
    FakeCpi cpi() {
        return cpi(process.group);
    }

    /** The agents as the director has them. */
    AgentCalls calls() {
        return java.util.Objects.requireNonNull(process.calls);
    }

    private String uuid() {
        var bytes = new byte[16];
        random.nextBytes(bytes);
        String hex = HexFormat.of().formatHex(bytes);
        return hex.replaceFirst("(.{8})(.{4})(.{4})(.{4})(.{12})", "$1-$2-$3-$4-$5");
    }

    // --- what happens by itself

    private void beat() {
        agents.beat();
        if (settings.checked()) {
            rules.sweep();
        }
        clock.in(settings.checked() ? BEAT : RARE_BEAT, this::beat);
    }

    private void turn() {
        Process now = process;
        Duration pause = Duration.ofMillis(500);
        if (now.ready && !now.group.isDead() && !now.clock.steady().isBefore(now.nextTurn)) {
            clock.in(pause, this::turn);
            now.nextTurn = core().turn();
            return;
        }
        clock.in(pause, this::turn);
    }

    // --- what a person does

    /** Waits until it holds; a director that dies meanwhile is started again. */
    boolean await(BooleanSupplier condition, Duration limit) {
        Instant end = clock.now().plus(limit);
        while (true) {
            recover();
            if (condition.getAsBoolean()) {
                return true;
            }
            if (!clock.now().isBefore(end)) {
                return false;
            }
            clock.sleep(Duration.ofMillis(250));
        }
    }

    void pass(Duration time) {
        await(() -> false, time);
    }

    /** A request to the director; null when it died over it, whether or not it was taken. */
    <T> @Nullable T request(Function<DirectorCore, T> work) {
        recover();
        try {
            return work.apply(core());
        } catch (SimulatedCrash e) {
            return null;
        }
    }

    /** Sets the secret that the manifests of a deployment ask for. */
    void plantSecret(String deployment) {
        while (request(
                        core -> {
                            core.variables()
                                    .set("/sim/" + deployment + "/secret", "password", SECRET);
                            return true;
                        })
                == null) {
            recover();
        }
    }

    /** An operator's word about one instance. */
    void ignore(InstanceId id, boolean ignored) {
        while (request(
                        core -> {
                            core.store()
                                    .update(s ->
                                            s.instance(id)
                                                    .map(i -> i.ignored(ignored))
                                                    .ifPresent(s::saveInstance));
                            return true;
                        })
                == null) {
            recover();
        }
    }

    /**
     * Each orphaned disk becomes up to six days older. For the rest of the world no time passes:
     * days of heartbeats would show nothing more.
     *
     * @return those whose time is over then
     */
    List<DiskCid> orphansAge() {
        Instant end = told().minus(Duration.ofDays(5));
        var over = new ArrayList<DiskCid>();
        for (Rows.Disk disk : database.read(s -> s.orphanedDisks())) {
            Instant since = told().minus(Duration.ofMinutes(random.nextInt(6 * 24 * 60)));
            age(disk, Duration.between(since, told()));
            if (since.isBefore(end)) {
                over.add(disk.cid());
            }
        }
        return over;
    }

    void age(Rows.Disk disk, Duration age) {
        trace.say("orphan " + disk.cid() + " for " + age);
        database.update(s -> s.saveDisk(disk.orphaned(told().minus(age))));
    }

    Map<String, Object> deployPayload(Wish wish, Map<String, Object> options) {
        return Json.of(
                "deployment",
                wish.name(),
                "manifest",
                wish.manifest(),
                "options",
                options,
                "context",
                Json.of(
                        "cloud_config_ids",
                        List.of(cloudConfig()),
                        "runtime_config_ids",
                        List.of()));
    }

    private long cloudConfig() {
        return database.read(s -> s.configs("cloud", "default", true, 1)).getFirst().id();
    }

    /** Asks for a task; its id, or null when the director died over it. */
    @Nullable Long ask(String type, String deployment, Map<String, Object> payload) {
        Long id =
                request(core ->
                        core.tasks()
                                .enqueue(
                                        type,
                                        type + " " + deployment,
                                        "admin",
                                        deployment,
                                        "",
                                        payload)
                                .id());
        trace.say("asked for " + type + " of " + deployment + ": task " + id);
        return id;
    }

    /** The task's row once it has ended; null when it does not within the limit. */
    Rows.@Nullable Task ended(long id, Duration limit) {
        boolean over = await(() -> task(id).finishedAt() != null, limit);
        Rows.Task task = task(id);
        trace.say("task " + id + " " + task.state() + ": " + task.result());
        return over ? task : null;
    }

    Rows.Task task(long id) {
        return database.read(s -> s.task(id)).orElseThrow();
    }

    List<Rows.Task> unfinished() {
        return database.read(
                s -> s.tasks(List.of("queued", "processing", "cancelling"), null, null, 1000));
    }

    @Override
    public void close() {
        process.group.kill();
        try {
            clock.bury();
        } catch (RuntimeException e) {
            // A world that never rests is left as it is.
        }
        database.close();
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
        } catch (IOException e) {
            System.err.println("left behind: " + folder);
        }
    }
}
