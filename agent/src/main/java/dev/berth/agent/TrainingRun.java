package dev.berth.agent;

import dev.berth.model.Json;
import dev.berth.supervisor.DaemonProcess;
import dev.berth.wire.AgentSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A rehearsal of the agent's life against peers of its own, so that the JVM can note which classes
 * it needs ({@code -XX:AOTCacheOutput}). It needs no network beyond the loopback, no Docker and no
 * root.
 */
final class TrainingRun {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private TrainingRun() {}

    static void run() throws Exception {
        Path folder = Files.createTempDirectory("berth-training");
        AgentSettings.Certificate certificate = TrainingCertificate.make();
        try (var bus = new TrainingBus(BusTls.peer(certificate));
                var engine = new TrainingEngine(folder.resolve("docker.sock"));
                Main.Running agent =
                        Main.run(options(folder, bus, certificate), new ThisProcess())) {
            rehearse(bus);
        } finally {
            new Programs.Real().run(LIMIT, "rm", "-rf", folder.toString());
        }
    }

    private static Main.Options options(
            Path folder, TrainingBus bus, AgentSettings.Certificate certificate)
            throws java.io.IOException {
        Path settings = folder.resolve("settings.json");
        Files.writeString(
                settings,
                Json.write(
                        Json.of(
                                "agent_id", "training",
                                "vm", Json.of("name", "training"),
                                "networks",
                                        Json.of(
                                                "default",
                                                Json.of("type", "manual", "ip", "127.0.0.1")),
                                "env",
                                        Json.of(
                                                "bosh",
                                                Json.of(
                                                        "mbus",
                                                        Json.of(
                                                                "urls", List.of(bus.url()),
                                                                "cert",
                                                                        Json.of(
                                                                                "ca",
                                                                                certificate.ca(),
                                                                                "certificate",
                                                                                certificate
                                                                                        .certificate(),
                                                                                "private_key",
                                                                                certificate
                                                                                        .privateKey())))))));
        // The watch wants a process called dockerd: there is none here, so it is told of one that
        // starts.
        return Main.Options.parse(
                "-b",
                folder.resolve("vcap").toString(),
                "--settings",
                settings.toString(),
                "--docker-socket",
                folder.resolve("docker.sock").toString(),
                "--docker-pid-file",
                folder.resolve("docker.pid").toString());
    }

    private static void rehearse(TrainingBus bus) throws Exception {
        Map<String, Object> spec =
                Json.object(
                        """
                        {"deployment":"d","name":"g","job":{"name":"g","templates":[]},"id":"i","index":0,"networks":{},
                         "packages":{},"configuration_hash":"h","persistent_disk":0,
                         "containers":[{"name":"db","image":{"reference":"training:1"},
                           "process":{"environment":{"A":"b"}},
                           "network":{"ports":[{"container_port":80,"host_port":80,"protocol":"tcp"}]},
                           "storage":{"volumes":[{"kind":"DATA","source":"db","target":"/data"}]}}]}\
                        """);
        await(bus, "hm.agent.heartbeat.");
        for (String look : List.of("ping", "info", "get_state")) {
            bus.ask(look, "full");
            await(bus, "director.t.t." + look);
        }
        bus.ask("apply", spec);
        await(bus, "director.t.t.apply");
        bus.ask("start");
        await(bus, "director.t.t.start");
        bus.ask("list_disk");
        await(bus, "director.t.t.list_disk");
        await(bus, "hm.agent.heartbeat.");
        bus.ask("get_state", "full");
        await(bus, "director.t.t.get_state");
    }

    private static void await(TrainingBus bus, String subject) throws InterruptedException {
        while (true) {
            String said = bus.said().poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
            if (said == null) {
                throw new IllegalStateException(
                        "the rehearsal waited in vain for " + subject + ": " + bus.ended());
            }
            if (said.startsWith(subject)) {
                return;
            }
        }
    }

    /** The daemon of the rehearsal: it runs already. */
    private static final class ThisProcess implements DaemonProcess {
        @Override
        public Optional<Alive> find() {
            return Optional.of(new Alive(ProcessHandle.current().pid(), Instant.EPOCH));
        }

        @Override
        public void start() {
            throw new IllegalStateException("the rehearsal starts no daemon");
        }

        @Override
        public void signal(long pid, Signal signal) {
            throw new IllegalStateException("the rehearsal ends no daemon");
        }
    }
}
