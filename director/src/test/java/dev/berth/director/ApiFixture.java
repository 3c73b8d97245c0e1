package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentDoor;
import dev.berth.bus.AgentException;
import dev.berth.bus.AgentStream;
import dev.berth.bus.Pki;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Secret;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.wire.AgentSettings;
import dev.berth.wire.Heartbeat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import javax.net.ssl.SSLContext;

/**
 * A director with its real HTTP side, task engine and store, on a cloud of stemcells and a fleet
 * that says what a test wants it to say. Deploys do no more than write down what they were asked.
 */
final class ApiFixture implements AutoCloseable {
    static final String PASSWORD = "planted-admin-password";
    static final String REGISTRY_PASSWORD = "planted-registry-password";
    private static final SSLContext TLS = tls();

    final Store store;
    final Tasks tasks;
    final StemcellCpi cpi = new StemcellCpi();
    final FakeFleet fleet = new FakeFleet();
    final FakeCalls agents = new FakeCalls();
    final Blobs blobs;
    final SecretBox box;
    final Path home;
    final StockCli cli;
    final int port;
    private final DirectorApi api;

    /** Heartbeats as a test sets them. */
    static final class FakeFleet implements FleetView {
        final Map<AgentId, Heartbeat> beats = new ConcurrentHashMap<>();
        final Set<AgentId> silent = new HashSet<>();

        @Override
        public Optional<Heartbeat> lastHeartbeat(AgentId agent) {
            return Optional.ofNullable(beats.get(agent));
        }

        @Override
        public boolean responsive(AgentId agent) {
            return !silent.contains(agent);
        }

        @Override
        public Optional<Instant> lastSeen(AgentId agent) {
            return lastHeartbeat(agent).map(beat -> Instant.EPOCH);
        }

        @Override
        public Optional<Verdict> verdict(InstanceId instance) {
            return Optional.of(new Verdict.Degraded("containers are failing"));
        }

        @Override
        public String waitingFor(InstanceId instance) {
            return "";
        }
    }

    /** Agents that answer as a test says; all others are silent. */
    static final class FakeCalls implements AgentCalls {
        final Map<String, Function<List<Object>, Object>> answers = new ConcurrentHashMap<>();
        final List<String> asked = new CopyOnWriteArrayList<>();

        @Override
        public Object call(
                AgentId agent,
                String method,
                List<Object> arguments,
                Duration limit,
                BooleanSupplier cancelled) {
            asked.add(agent + " " + method + " " + arguments);
            Function<List<Object>, Object> answer = answers.get(method);
            if (answer == null) {
                throw new AgentException(AgentException.Kind.TIMEOUT, agent + " is silent");
            }
            return answer.apply(arguments);
        }

        Function<AgentId, AgentStream> streams =
                agent -> {
                    throw new AgentException(AgentException.Kind.TIMEOUT, "no sessions");
                };

        @Override
        public AgentStream stream(AgentId agent) {
            return streams.apply(agent);
        }

        @Override
        public void tell(AgentId agent, String method, List<Object> arguments) {}
    }

    private static final class OpenDoor implements AgentDoor {
        @Override
        public AgentSettings.Certificate admit(AgentId agent) {
            return new AgentSettings.Certificate("ca", "certificate", "key");
        }

        @Override
        public void expel(AgentId agent) {}

        @Override
        public void reset(Collection<AgentId> agents) {}
    }

    /** Connected to the director, by TLS, for who speaks HTTP by hand. */
    java.net.Socket socket() throws IOException {
        return TLS.getSocketFactory().createSocket("127.0.0.1", port);
    }

    ApiFixture(Path home) throws Exception {
        this.home = home;
        store = SqlStore.sqliteInMemory();
        Files.createDirectories(home);
        box = SecretBox.open(home.resolve("key"));
        var bounds = new Tasks.Bounds(8, 8, Duration.ofMillis(100), 1000);
        tasks = new Tasks(store, home.resolve("tasks"), Clock.SYSTEM, bounds);
        blobs = new Blobs(home.resolve("blobs"), "https://127.0.0.1/blobs", box, Clock.SYSTEM);
        var identity =
                new DirectorIdentity(
                        "berth", "1c1bbfbb-8a5b-4f4c-9c2c-0e3a1f6f1d11", "0.1.0 (0)", "docker");
        var environment =
                new Environment(
                        "registry.berth",
                        "10.0.0.1:5000",
                        "CA",
                        "berth",
                        new Secret(REGISTRY_PASSWORD));
        var users =
                new Users(
                        List.of(
                                new Users.User("admin", new Secret(PASSWORD), true),
                                new Users.User("reader", new Secret("r"), false)));
        api =
                new DirectorApi(
                        new DirectorApi.Parts(
                                identity,
                                environment,
                                users,
                                store,
                                tasks,
                                new OrphanedDisks(
                                        store,
                                        tasks,
                                        cpi,
                                        identity,
                                        () -> UUID.randomUUID().toString()),
                                new AuditTrail(store, Clock.SYSTEM),
                                fleet,
                                agents,
                                cpi,
                                blobs,
                                box,
                                home.resolve("uploads"),
                                home.resolve("local"),
                                null,
                                null));
        tasks.register("update_deployment", payload -> this::deploy);
        tasks.register("delete_deployment", payload -> this::delete);
        tasks.register(ContainerChange.TASK, new ContainerChange(hands(identity))::job);
        tasks.register("cck_scan_and_fix", payload -> task -> "scan and fix complete");
        tasks.start();
        port = api.listen(new InetSocketAddress("127.0.0.1", 0), TLS);
        cli = new StockCli(TLS, port, "admin:" + PASSWORD);
    }

    private Hands hands(DirectorIdentity identity) {
        return new Hands(
                store,
                cpi,
                agents,
                new OpenDoor(),
                new Journal(store, Clock.SYSTEM, () -> UUID.randomUUID().toString()),
                new AuditTrail(store, Clock.SYSTEM),
                Clock.SYSTEM,
                () -> UUID.randomUUID().toString(),
                identity.uuid(),
                identity.name(),
                new DirectorCore.Welcome(Map.of()),
                new Hands.Patience(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(300),
                        Duration.ofSeconds(1)),
                Parallel.VIRTUAL_THREADS);
    }

    private static SSLContext tls() {
        try {
            Path folder = Files.createTempDirectory("berth-pki");
            try {
                Pki pki = Pki.open(folder, Clock.SYSTEM);
                return Pki.tls(pki.caCertificate(), pki.server("director", List.of("127.0.0.1")));
            } finally {
                Folders.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Keeps the manifest, as a deploy that had nothing to do would. */
    private String deploy(TaskContext task) throws Exception {
        Fields payload = new Fields(task.payload(), "payload");
        String name = payload.string("deployment");
        task.log()
                .stage("Preparing deployment", List.of(), 1)
                .step("Preparing deployment", step -> task.checkCancelled());
        if (!payload.object("options").flag("dry_run", false)) {
            store.update(s -> {
                Rows.Deployment row = s.deployment(name).orElseThrow();
                s.saveDeployment(
                        new Rows.Deployment(
                                name,
                                payload.string("manifest"),
                                payload.object("context").list("cloud_config_ids").stream()
                                        .map(id -> ((Number) id).longValue())
                                        .toList(),
                                List.of("berth-debian/1.0"),
                                List.of("docker/36.0.2"),
                                Map.of(),
                                row.createdAt()));
            });
        }
        return "/deployments/" + name;
    }

    private String delete(TaskContext task) {
        String name = new Fields(task.payload(), "payload").string("deployment");
        store.update(s -> s.deleteDeployment(name));
        return "/deployments/" + name;
    }

    /** How often the cloud was asked to do something. */
    long calls(String method) {
        return cpi.calls.stream().filter(method::equals).count();
    }

    @Override
    public void close() {
        api.close();
        tasks.close();
        store.close();
    }
}
