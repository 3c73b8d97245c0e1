package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentException;
import dev.berth.bus.Pki;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.CloudConfigs;
import dev.berth.model.InstanceId;
import dev.berth.model.Secret;
import dev.berth.model.YamlDocument;
import dev.berth.monitor.Verdict;
import dev.berth.store.SqlStore;
import dev.berth.wire.Heartbeat;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A rehearsal for the AOT cache: the parts every start needs, in a folder of its own, without
 * engine, bus or registry.
 */
final class TrainingRun {
    private TrainingRun() {}

    static void run() {
        Path folder = null;
        try {
            folder = Files.createTempDirectory("berth-train");
            rehearse(folder);
        } catch (IOException | InterruptedException e) {
            System.err.println("the rehearsal ended early: " + e.getMessage());
        } finally {
            delete(folder);
        }
    }

    private static void rehearse(Path folder) throws IOException, InterruptedException {
        Clock clock = Clock.SYSTEM;
        Pki pki = Pki.open(folder.resolve("pki"), clock);
        var identity =
                new DirectorIdentity(
                        "rehearsal",
                        "00000000-0000-0000-0000-000000000000",
                        Director.VERSION,
                        "docker");
        var tls = Pki.tls(pki.caCertificate(), pki.server("director", List.of("127.0.0.1")));
        CloudConfigs.parse(
                YamlDocument.parseConfig(
                        "azs: [{name: z1}]\nnetworks: [{name: a, subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1, az: z1}]}]\n",
                        "cloud"));
        try (var store = SqlStore.sqlite(folder.resolve("berth.db"));
                var tasks = new Tasks(store, folder.resolve("tasks"), clock, Tasks.Bounds.DEFAULT);
                var engine = new DockerEngine(folder.resolve("docker.sock"))) {
            var box = SecretBox.open(folder.resolve("key"));
            var cpi = new DockerCpi(engine, folder.resolve("cpi"));
            var parts =
                    new DirectorApi.Parts(
                            identity,
                            new Environment(
                                    "registry",
                                    "127.0.0.1:1",
                                    pki.caCertificate(),
                                    "u",
                                    new Secret("p")),
                            new Users(
                                    List.of(
                                            new Users.User(
                                                    "admin", new Secret("rehearsal"), true))),
                            store,
                            tasks,
                            new OrphanedDisks(
                                    store,
                                    tasks,
                                    cpi,
                                    identity,
                                    () -> UUID.randomUUID().toString()),
                            new AuditTrail(store, clock),
                            new Nobody(),
                            new Silence(),
                            cpi,
                            new Blobs(
                                    folder.resolve("blobs"), "https://127.0.0.1/blobs", box, clock),
                            box,
                            folder.resolve("uploads"),
                            null,
                            null,
                            null);
            try (var api = new DirectorApi(parts)) {
                int port = api.listen(new InetSocketAddress("127.0.0.1", 0), tls);
                tasks.start();
                HttpClient client =
                        HttpClient.newBuilder()
                                .sslContext(tls)
                                .connectTimeout(Duration.ofSeconds(5))
                                .build();
                for (String path :
                        List.of(
                                "/info",
                                "/deployments",
                                "/stemcells",
                                "/tasks?limit=1&verbose=1",
                                "/cloud_configs?limit=1&name=")) {
                    client.send(
                            HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + path))
                                    .header(
                                            "Authorization",
                                            "Basic "
                                                    + Base64.getEncoder()
                                                            .encodeToString(
                                                                    "admin:rehearsal"
                                                                            .getBytes(
                                                                                    java.nio.charset
                                                                                            .StandardCharsets
                                                                                            .UTF_8)))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
                }
            }
        }
    }

    private static final class Silence implements AgentCalls {
        @Override
        public @Nullable Object call(
                AgentId agent,
                String method,
                List<Object> arguments,
                Duration limit,
                BooleanSupplier cancelled) {
            throw new AgentException(AgentException.Kind.TIMEOUT, "there are no agents");
        }

        @Override
        public void tell(AgentId agent, String method, List<Object> arguments) {}
    }

    private static final class Nobody implements FleetView {
        @Override
        public Optional<Heartbeat> lastHeartbeat(AgentId agent) {
            return Optional.empty();
        }

        @Override
        public boolean responsive(AgentId agent) {
            return false;
        }

        @Override
        public Optional<Instant> lastSeen(AgentId agent) {
            return Optional.empty();
        }

        @Override
        public Optional<Verdict> verdict(InstanceId instance) {
            return Optional.empty();
        }

        @Override
        public String waitingFor(InstanceId instance) {
            return "";
        }
    }

    private static void delete(@Nullable Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
        } catch (IOException e) {
            System.err.println("left behind: " + folder);
        }
    }
}
