package dev.berth.director;

import dev.berth.bus.NatsBus;
import dev.berth.bus.NatsServer;
import dev.berth.bus.Pki;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.model.Clock;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.RegistryLogin;
import dev.berth.model.Secret;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.store.StoreHolder;
import dev.berth.store.StoreLock;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * One environment's director in one process: construct, pass on, start, and close in reverse order.
 * The bus and the registry run beside it as its children.
 */
public final class Director implements AutoCloseable {
    /** Below two beats every pause of an agent would be silence. */
    private static final int LEAST_SILENCE = 12;

    private static final System.Logger LOG = System.getLogger(Director.class.getName());

    /** In the environment: a lost store is to be rebuilt; {@code berth recover} sets it. */
    private static final String RECOVER = "BERTH_RECOVER";

    static final String VERSION = "0.1.0 (00000000)";

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private Director() {}

    /** Ready when it returns. */
    public static Director start(Path home, Clock clock) throws IOException {
        var director = new Director();
        try {
            director.assemble(home, clock);
            return director;
        } catch (IOException | RuntimeException e) {
            director.close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T keep(T part) {
        parts.push(part);
        return part;
    }

    private void assemble(Path home, Clock clock) throws IOException {
        EnvironmentFile environment = EnvironmentFile.load(home);
        Path folder = Files.createDirectories(home.resolve("director"));
        // Before anything else is touched: two directors on one store would each be right and
        // together wrong.
        Path file = folder.resolve("berth.db");
        keep(StoreLock.take(file, StoreHolder.self(clock.now())));
        Pki pki = Pki.open(home.resolve("pki"), clock, lifetimes());
        boolean isNew = !Files.exists(file);
        Store database = keep(SqlStore.sqlite(file));
        var engine = keep(new DockerEngine(socket(environment)));
        Executor later = work -> Thread.ofVirtual().name("cpi-later").start(work);
        var cpi = new DockerCpi(engine, home.resolve("cpi"), later);
        later.execute(cpi::sweep);
        network(environment, cpi);

        List<String> hosts = List.of(environment.gateway(), "127.0.0.1", "localhost");
        var bus =
                keep(
                        NatsServer.start(
                                new NatsServer.Settings(
                                        folder.resolve("nats"),
                                        "0.0.0.0",
                                        environment.busPort(),
                                        hosts),
                                pki));
        List<String> registryHosts = new ArrayList<>(List.of(EnvironmentFile.REGISTRY_NAME));
        registryHosts.addAll(hosts);
        RegistryServer registry = registry(home, clock, environment, pki, registryHosts);

        var identity =
                new DirectorIdentity(environment.name(), environment.uuid(), VERSION, "docker");
        pki.server(ServerCertificates.API, apiHosts(environment));
        var trust = pki.liveServer(ServerCertificates.API);
        var own =
                new RegistryClient(
                        environment.registryPort(),
                        trust,
                        environment.registryUser(),
                        environment.registryPassword());
        Supplier<RegistryLogin> ownLogin = () -> login(environment, pki);
        Skopeo skopeo = Skopeo.in(folder, environment.uuid());
        var outside = new SkopeoImages(skopeo, own, ownLogin);
        var contexts = new BuildContexts(folder.resolve("contexts"), clock);
        Folders.delete(folder.resolve("builds")); // of a director that was killed
        var builder =
                new EngineImageBuilder(
                        engine,
                        contexts,
                        own,
                        outside,
                        ownLogin.get(),
                        environment.uuid(),
                        folder.resolve("builds"));
        var core =
                keep(
                        new DirectorCore(
                                new DirectorCore.Ports(
                                        identity,
                                        folder,
                                        database,
                                        cpi,
                                        events ->
                                                keep(
                                                        NatsBus.connect(
                                                                List.of(
                                                                        "nats://127.0.0.1:"
                                                                                + bus.port()),
                                                                pki,
                                                                events)),
                                        new CertificateDoor(bus, pki, database),
                                        own,
                                        outside,
                                        builder,
                                        clock,
                                        () -> UUID.randomUUID().toString(),
                                        Threads.VIRTUAL,
                                        Parallel.VIRTUAL_THREADS,
                                        new DirectorCore.Welcome(
                                                () -> welcome(environment, pki, bus.port())),
                                        agentWait(),
                                        healing())));
        CertificateKeeper certificates =
                keep(
                        keeper(
                                core,
                                pki,
                                new ServerCertificates(
                                        pki, bus, registry, apiHosts(environment), registryHosts),
                                welcome(environment, pki, bus.port()),
                                clock));
        certificates(core.metrics(), pki, certificates, clock);
        core.health(new EnvironmentHealth(home, environment, database, core.box(), own, clock));
        if (isNew) {
            recover(core, file);
        }
        int settled = core.settle();
        var blobs =
                new Blobs(folder.resolve("blobs"), environment.url() + "/blobs", core.box(), clock);
        var api =
                keep(
                        new DirectorApi(
                                new DirectorApi.Parts(
                                        identity,
                                        new Environment(
                                                EnvironmentFile.REGISTRY_NAME,
                                                environment.gateway()
                                                        + ":"
                                                        + environment.registryPort(),
                                                pki::caCertificate,
                                                environment.registryUser(),
                                                environment.registryPassword()),
                                        new Users(
                                                List.of(
                                                        new Users.User(
                                                                environment.user(),
                                                                environment.password(),
                                                                true),
                                                        scraper(folder, core))),
                                        core.store(),
                                        core.tasks(),
                                        core.orphans(),
                                        new AuditTrail(core.store(), clock),
                                        core.fleet(),
                                        core.agents(),
                                        cpi,
                                        blobs,
                                        core.box(),
                                        folder.resolve("uploads"),
                                        home.resolve("cache/stemcell"),
                                        new DirectorApi.ImageDoors(
                                                contexts, new ImageArchives(skopeo, ownLogin)),
                                        new DirectorApi.Watching(
                                                core.alerts(), core.metrics(), core.pools()))));
        api.certificates(certificates, core.tasks());
        api.listen(new InetSocketAddress(environment.host(), environment.apiPort()), trust);
        core.begin();
        core.watch();
        certificates.start();
        Files.writeString(folder.resolve("director.pid"), ProcessHandle.current().pid() + "\n");
        LOG.log(
                System.Logger.Level.INFO,
                "director={0} state=ready url={1} settled_intents={2}",
                environment.name(),
                environment.url(),
                settled);
    }

    /**
     * A new store beside VMs that run is one that was lost. To go on with it would shut their
     * agents out; so it is rebuilt when that was asked for, and else made to be as if it had not
     * begun.
     */
    private static void recover(DirectorCore core, Path file) throws IOException {
        if (!"yes".equals(System.getenv(RECOVER))) {
            String lost = core.lostStore(file.toString());
            if (lost != null) {
                forget(file);
                throw new IOException(lost);
            }
            return;
        }
        try {
            Files.writeString(
                    file.resolveSibling("recovered.json"), Json.write(core.recover()) + "\n");
        } catch (IOException | RuntimeException e) {
            forget(file);
            throw e;
        } catch (Exception e) {
            forget(file);
            throw new IOException("the store cannot be recovered: " + e.getMessage(), e);
        }
    }

    /** The process ends next; an empty store left here would be taken for the right one. */
    private static void forget(Path file) throws IOException {
        for (String end : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(file.resolveSibling(file.getFileName() + end));
        }
    }

    /**
     * A reader for whoever collects metrics, so that no administrator's password lies there.
     *
     * @throws IOException its password cannot be written where a Prometheus can read it
     */
    private static Users.User scraper(Path folder, DirectorCore core) throws IOException {
        String password = HexFormat.of().formatHex(core.box().sign("user", "metrics"));
        Path file = folder.resolve("metrics.password");
        if (!Files.exists(file) || !Files.readString(file).equals(password)) {
            Files.deleteIfExists(file);
            Files.createFile(
                    file,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, password);
        }
        return new Users.User("metrics", new Secret(password), false);
    }

    private static CertificateKeeper keeper(
            DirectorCore core,
            Pki pki,
            ServerCertificates servers,
            Map<String, Object> boshEnv,
            Clock clock) {
        List<String> urls = Fields.of(boshEnv, "env.bosh").object("mbus").strings("urls");
        var keeper =
                new CertificateKeeper(
                        pki,
                        core.store(),
                        core.fleet(),
                        new AgentRenewal(pki, core.store(), core.agents(), urls),
                        servers,
                        new CertificateAlerts(pki, core.store(), core.alerts(), clock),
                        clock);
        keeper.register(core.tasks());
        return keeper;
    }

    private static void certificates(
            Metrics metrics, Pki pki, CertificateKeeper keeper, Clock clock) {
        metrics.gauge(
                "certificate_expiry_days",
                "Days until a certificate of the environment ends; agents: until the first does.",
                values -> {
                    pki.ends()
                            .forEach((name, end) -> {
                                double hours = Duration.between(clock.now(), end).toHours();
                                values.add(hours / 24, name);
                            });
                    Double agents = keeper.agentDays();
                    if (agents != null) {
                        values.add(agents, "agents");
                    }
                },
                "certificate");
    }

    /** BERTH_CERTIFICATE_DAYS: how long certificates live, but for the CA's. */
    private static Pki.Lifetimes lifetimes() throws IOException {
        String said = System.getenv().getOrDefault("BERTH_CERTIFICATE_DAYS", "");
        if (said.isBlank()) {
            return Pki.Lifetimes.USUAL;
        }
        if (!said.matches("[1-9][0-9]{0,3}")) {
            throw new IOException(
                    "BERTH_CERTIFICATE_DAYS is '" + said + "'; it takes days, from 1 to 9999");
        }
        return new Pki.Lifetimes(Pki.Lifetimes.USUAL.ca(), Duration.ofDays(Long.parseLong(said)));
    }

    /** The environment's registry as this host and its engine reach it. */
    private static RegistryLogin login(EnvironmentFile environment, Pki pki) {
        return new RegistryLogin(
                "127.0.0.1:" + environment.registryPort(),
                new Secret(environment.registryUser()),
                environment.registryPassword(),
                new Secret(pki.caCertificate()),
                false);
    }

    private static Path socket(EnvironmentFile environment) throws IOException {
        if (!environment.engine().startsWith("unix://")) {
            throw new IOException(
                    "engine "
                            + environment.engine()
                            + " is not on this host: disks are loop devices of this host, so unix:///PATH is needed");
        }
        return Path.of(environment.engine().substring("unix://".length()));
    }

    /** The environment's network first: its gateway is where VMs reach this host. */
    private static void network(EnvironmentFile environment, DockerCpi cpi) {
        var context =
                new dev.berth.cpi.CpiContext(environment.uuid(), "environment", null, Map.of());
        cpi.createNetwork(
                context,
                Json.of(
                        "type",
                        "manual",
                        "range",
                        environment.networkRange(),
                        "gateway",
                        environment.gateway(),
                        "cloud_properties",
                        Json.of("name", environment.networkName())));
    }

    /** BERTH_AGENT_WAIT in seconds, for clouds that are slower, or people with less patience. */
    private static Duration agentWait() throws IOException {
        return seconds("BERTH_AGENT_WAIT", DirectorCore.USUAL_AGENT_WAIT, 1);
    }

    /** BERTH_SILENCE and BERTH_REBOOT_WAIT in seconds. */
    private static DirectorCore.Healing healing() throws IOException {
        var usual = DirectorCore.Healing.USUAL;
        return new DirectorCore.Healing(
                seconds("BERTH_SILENCE", usual.silence(), LEAST_SILENCE),
                seconds("BERTH_REBOOT_WAIT", usual.reboot(), 1));
    }

    private static Duration seconds(String variable, Duration usual, int least) throws IOException {
        String said = System.getenv().getOrDefault(variable, "");
        if (said.isBlank()) {
            return usual;
        }
        if (!said.matches("[1-9][0-9]{0,4}") || Integer.parseInt(said) < least) {
            throw new IOException(
                    variable + " is '" + said + "'; it takes seconds, from " + least + " to 99999");
        }
        return Duration.ofSeconds(Long.parseLong(said));
    }

    private static List<String> apiHosts(EnvironmentFile environment) {
        return List.of(
                environment.host().equals("0.0.0.0") ? "127.0.0.1" : environment.host(),
                "127.0.0.1",
                "localhost",
                environment.gateway());
    }

    private RegistryServer registry(
            Path home, Clock clock, EnvironmentFile environment, Pki pki, List<String> names) {
        pki.server(ServerCertificates.REGISTRY, names, dev.berth.bus.CertificateMaker.Key.EC_P256);
        return keep(
                RegistryServer.start(
                        new RegistryServer.Settings(
                                home.resolve("registry"),
                                environment.registryPort(),
                                pki.certificateFile("registry"),
                                pki.keyFile("registry"),
                                environment.registryUser(),
                                environment.registryPassword()),
                        clock));
    }

    private static Map<String, Object> welcome(EnvironmentFile environment, Pki pki, int busPort) {
        return Json.of(
                "mbus",
                Json.of("urls", List.of("nats://" + environment.gateway() + ":" + busPort)),
                "berth",
                Json.of(
                        // A third of what the judge takes for silence; listings live on it.
                        "heartbeat_seconds",
                        5,
                        "registry",
                        Json.of(
                                "name",
                                EnvironmentFile.REGISTRY_NAME,
                                "host",
                                environment.gateway(),
                                "port",
                                environment.registryPort(),
                                "ca",
                                pki.caCertificate(),
                                "username",
                                environment.registryUser(),
                                "password",
                                environment.registryPassword().reveal())));
    }

    @Override
    public void close() {
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "closing " + part.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }
}
