package dev.berth.director;

import dev.berth.alerts.Courier;
import dev.berth.alerts.Sinks;
import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentDoor;
import dev.berth.bus.AgentEvents;
import dev.berth.cpi.Cpi;
import dev.berth.model.Clock;
import dev.berth.monitor.JudgeSettings;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The director above its ports, and nothing of what is below them or of HTTP: the same in
 * production and in a simulation. Thread-safe as its parts are.
 *
 * <p>To be used in this order: construct, {@link #settle}, {@link #begin}, and then {@link #watch}
 * or {@link #turn}.
 */
public final class DirectorCore implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DirectorCore.class.getName());

    /**
     * All that it needs.
     *
     * @param folder for the key of secrets and the outputs of tasks; must exist
     * @param bus connects to the agents: calls go out by what it returns, what agents tell goes to
     *     the argument
     * @param outside brings images of other registries in; null: VMs pull those themselves
     * @param builder builds images of Dockerfiles; null: VMs build those without a context
     * @param ids fresh UUIDs
     * @param agentWait how long the agent of a new VM is waited for
     */
    public record Ports(
            DirectorIdentity identity,
            Path folder,
            Store store,
            Cpi cpi,
            Function<AgentEvents, AgentCalls> bus,
            AgentDoor door,
            RegistryLook registry,
            @Nullable OutsideImages outside,
            @Nullable ImageBuilder builder,
            Clock clock,
            Supplier<String> ids,
            Threads threads,
            Parallel parallel,
            Welcome welcome,
            Duration agentWait,
            Healing healing) {}

    /**
     * @param silence how long an agent may be silent with its VM there, before it is pinged a last
     *     time and its VM rebooted
     * @param reboot how long the agent of a VM rebooted for that is waited for, before the VM is
     *     replaced
     */
    public record Healing(Duration silence, Duration reboot) {
        public static final Healing USUAL =
                new Healing(JudgeSettings.DEFAULT.agentTimeout(), Duration.ofSeconds(30));

        JudgeSettings judge() {
            return JudgeSettings.DEFAULT.withSilence(silence.multipliedBy(2).dividedBy(3), silence);
        }
    }

    /** Far above what a slow cloud takes to boot a VM; as BOSH. */
    public static final Duration USUAL_AGENT_WAIT = Duration.ofSeconds(600);

    /**
     * What every new agent is told about this environment.
     *
     * @param source gives what is merged into {@code env.bosh} of every VM: bus URLs, blobstores,
     *     Berth's registry; holds secrets
     */
    public record Welcome(Supplier<Map<String, Object>> source) {
        /** The same for all. */
        public Welcome(Map<String, Object> boshEnv) {
            this(() -> boshEnv);
        }

        public Map<String, Object> boshEnv() {
            return source.get();
        }

        @Override
        public String toString() {
            return "Welcome[<redacted>]";
        }
    }

    private final FleetWatch fleet;
    private final Hands hands;
    private final Store store;
    private final SecretBox box;
    private final Variables variables;
    private final Tasks tasks;
    private final OrphanedDisks orphans;
    private final AlertDesk alerts;
    private final Metrics metrics = new Metrics();
    private volatile Doctor.EnvironmentHealth health = Doctor.EnvironmentHealth.NONE;
    private final Snapshots snapshots;
    private @Nullable VmPools pools;
    private final BackupKeeper backups;
    private @Nullable Thread keeper;
    private Instant orphansDue = Instant.MIN;
    private Instant poolsDue = Instant.MIN;

    public DirectorCore(Ports ports) throws IOException {
        Clock clock = ports.clock();
        fleet = new FleetWatch(ports.store(), clock, ports.threads(), ports.healing().judge());
        store = new NotingStore(ports.store(), this::written, metrics::wrote);
        hands =
                new Hands(
                        store,
                        ports.cpi(),
                        ports.bus().apply(fleet),
                        ports.door(),
                        new Journal(store, clock, ports.ids(), metrics::step),
                        new AuditTrail(store, clock),
                        clock,
                        ports.ids(),
                        ports.identity().uuid(),
                        ports.identity().name(),
                        ports.welcome(),
                        Hands.Patience.USUAL
                                .withAgentWait(ports.agentWait())
                                .withReboot(ports.healing().reboot()),
                        ports.parallel());
        box = SecretBox.open(ports.folder().resolve("key"));
        variables = new Variables(store, box, ports.identity(), clock);
        var couriers =
                new AlertCouriers(
                        ports.store(),
                        clock,
                        variables,
                        new Sinks(clock, System.out, ports.identity().name()),
                        Courier.Patience.USUAL);
        alerts = new AlertDesk(ports.store(), clock, ports.identity(), couriers, fleet);
        fleet.tells(alerts, metrics);
        new DirectorMetrics(ports.store(), fleet, alerts).addTo(metrics, ports.identity());
        tasks =
                new Tasks(
                        store,
                        ports.folder().resolve("tasks"),
                        clock,
                        Tasks.Bounds.DEFAULT,
                        ports.threads());
        var pins = new ImagePins(ports.registry(), ports.outside(), ports.parallel());
        var builds = new ImageBuilds(ports.builder(), ports.registry());
        var reader = new ManifestReader(hands, variables, builds, pins);
        var images = new ImageSupply(ports.outside(), ports.parallel());
        var records = new RecordKeeper(hands, box);
        var converge = new Converge(hands, reader, images, new Observer(hands, fleet), records);
        tasks.register(DeploymentsApi.UPDATE, converge::deploy);
        tasks.register(DeploymentsApi.DELETE, converge::delete);
        tasks.register(DeploymentsApi.SCAN_AND_FIX, converge::repair, Converge::named);
        tasks.register(DisksApi.RESIZE, converge::resize);
        var diskJobs = new DiskJobs(hands, reader);
        tasks.register(DisksApi.ATTACH, records.after(diskJobs::attach));
        tasks.register(DisksApi.ORPHAN, records.after(diskJobs::orphan));
        tasks.register(ContainerChange.TASK, new ContainerChange(hands)::job);
        var doctor = new Doctor(hands, converge, records, () -> health);
        tasks.registerQuick(Doctor.LOOK, doctor::job);
        tasks.register(Doctor.FIX, doctor::job);
        var check = new CloudCheck(hands, converge);
        tasks.register(CloudCheck.SCAN, check::scan);
        tasks.register(CloudCheck.APPLY, check::apply);
        pools = new VmPools(hands, tasks, fleet, variables, alerts);
        var alarms = new CopyAlarms(alerts, clock);
        snapshots = new Snapshots(hands, tasks, alarms);
        orphans = new OrphanedDisks(store, tasks, ports.cpi(), ports.identity(), ports.ids());
        var places = new BackupPlaces(ports.folder().resolve("backups"));
        var backup = new BackupJob(hands, orphans, variables, places);
        backups = new BackupKeeper(hands, tasks, places, alarms, backup::job);
        var restore = new RestoreJob(hands, tasks, orphans, variables, places);
        tasks.register(RestoreJob.RESTORE, restore::restore);
        tasks.register(RestoreJob.VERIFY, restore::verify);
    }

    private void written() {
        fleet.changed();
        if (pools != null) {
            pools.changed();
        }
    }

    /**
     * Settles what a killed predecessor left open, and lets exactly the agents speak that are known
     * then.
     *
     * @return how many intents were settled
     */
    public int settle() {
        int settled = new Settlement(hands).settleAll();
        hands.door()
                .reset(
                        store.read(s ->
                                Stream.concat(
                                                s.vmsOf(null).stream().map(Rows.Vm::agent),
                                                s.spares().stream().map(Rows.Spare::agent))
                                        .distinct()
                                        .toList()));
        return settled;
    }

    /**
     * Fills a store that was lost, before {@link #settle}: asks cloud and agents, and stops
     * nothing.
     *
     * @return the report
     */
    public Map<String, Object> recover() throws Exception {
        return new Recovery(hands, box).run();
    }

    /** Why a director with a new store must not go on; null: it may. */
    @Nullable String lostStore(String file) {
        return Recovery.lost(hands, file);
    }

    /** Takes up unfinished tasks and runs new ones from now on. */
    public void begin() {
        fleet.join(hands, tasks);
        tasks.start();
    }

    /** Lets the watch over fleet and orphaned disks decide by itself. */
    public void watch() {
        alerts.start();
        fleet.start();
        pools().start();
        keeper = Thread.ofVirtual().name("orphans").start(this::keep);
    }

    private void keep() {
        Clock clock = hands.clock();
        try {
            while (true) {
                Instant next;
                try {
                    next = copiesTurn();
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "orphaned disks cannot be looked at", e);
                    next = clock.now().plusSeconds(60);
                }
                clock.sleep(Duration.between(clock.now(), next));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * One turn of the watch, for a caller that owns time and does not {@link #watch}.
     *
     * @return when it wants the next one
     */
    public Instant turn() {
        if (!hands.clock().now().isBefore(orphansDue)) {
            orphansDue = copiesTurn();
        }
        if (!hands.clock().steady().isBefore(poolsDue)) {
            poolsDue = pools().turn();
        }
        Instant fleetDue = earlier(fleet.turn(), alerts.turn());
        return earlier(fleetDue, earlier(poolsDue, orphansDue));
    }

    private Instant copiesTurn() {
        return earlier(orphans.turn(), earlier(snapshots.turn(), backups.turn()));
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /** The store as all parts of the director must use it: the watch hears of changes. */
    public Store store() {
        return store;
    }

    public Tasks tasks() {
        return tasks;
    }

    public FleetView fleet() {
        return fleet;
    }

    /** What the doctor looks at beside deployments; known only when all else stands. */
    void health(Doctor.EnvironmentHealth looks) {
        health = looks;
    }

    AgentCalls agents() {
        return hands.agents();
    }

    Metrics metrics() {
        return metrics;
    }

    AlertDesk alerts() {
        return alerts;
    }

    VmPools pools() {
        return java.util.Objects.requireNonNull(pools);
    }

    OrphanedDisks orphans() {
        return orphans;
    }

    public Variables variables() {
        return variables;
    }

    SecretBox box() {
        return box;
    }

    @Override
    public void close() {
        if (keeper != null) {
            keeper.interrupt();
        }
        pools().close();
        tasks.close();
        fleet.close();
        alerts.close();
    }
}
