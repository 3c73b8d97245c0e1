package dev.berth.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.wire.AgentSettings;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real nats-server as our child: who may say what, restarts, take-over. */
class NatsServerTest {
    private static final AgentId A = new AgentId("aaaa-1");
    private static final AgentId B = new AgentId("bbbb-2");

    @TempDir Path folder;
    private Pki pki;
    private NatsServer server;

    @BeforeEach
    void start() {
        pki = Pki.open(folder.resolve("pki"), Clock.SYSTEM);
        server = startAgain(0);
    }

    private NatsServer startAgain(int port) {
        return NatsServer.start(
                new NatsServer.Settings(folder.resolve("nats"), "127.0.0.1", port, List.of()), pki);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void anAdmittedAgentGetsInAtOnceAndAStrangerDoesNot() throws Exception {
        for (int i = 0; i < 10; i++) {
            AgentId id = new AgentId("agent-" + i);
            try (TestAgent agent = TestAgent.connect(id, server.admit(id), server.port())) {
                assertThat(agent.isConnected()).isTrue();
            }
        }
        AgentSettings.Certificate stranger = pki.agent(new AgentId("never-admitted"));
        assertThatThrownBy(() -> TestAgent.connect(A, stranger, server.port()))
                .hasMessageContaining("Authorization Violation");
    }

    /** As they were made before the bus looked for DNS names; they are good for two years. */
    @Test
    void anAgentIsLetInByItsSubjectWhenItsCertificateHasNoDnsName() throws Exception {
        server.admit(A);
        var former =
                CertificateMaker.signedBy(
                        new CertificateMaker.Pair(
                                Files.readString(pki.caFile()),
                                Files.readString(pki.keyFile("ca"))),
                        CertificateMaker.Request.leaf(
                                A + ".agent.bosh-internal",
                                List.of(),
                                Set.of(CertificateMaker.Use.CLIENT),
                                CertificateMaker.Key.EC_P256),
                        Clock.SYSTEM.now());
        var certificate =
                new AgentSettings.Certificate(
                        pki.caCertificate(), former.certificate(), former.privateKey());
        try (TestAgent a = TestAgent.connect(A, certificate, server.port())) {
            a.publish("hm.agent.heartbeat." + A, "{}");
            a.publish("hm.agent.heartbeat." + B, "{}");
            a.flush();
            Until.within(Duration.ofSeconds(5), "one refusal", () -> !a.errors.isEmpty());
            assertThat(a.errors).singleElement().asString().contains(B.value());
            server.expel(A);
            Until.within(Duration.ofSeconds(5), "cut off", () -> !a.isConnected());
        }
    }

    @Test
    void ofFormerLogsTheNewestStay() throws Exception {
        server.close();
        Path logs = folder.resolve("nats");
        for (int day = 1; day <= 5; day++) {
            Files.writeString(logs.resolve("nats.log.2026.01.0" + day + ".12.00.00.000"), "x");
        }
        server = startAgain(0);
        Until.within(
                Duration.ofSeconds(10),
                "three are gone",
                () -> logsIn(logs).equals(List.of("04.12.00.00.000", "05.12.00.00.000")));
        assertThat(logs.resolve("nats.log")).exists();
    }

    private static List<String> logsIn(Path folder) {
        String[] names = folder.toFile().list((f, n) -> n.startsWith("nats.log.2026.01."));
        return Stream.of(names == null ? new String[0] : names)
                .map(n -> n.substring("nats.log.2026.01.".length()))
                .sorted()
                .toList();
    }

    @Test
    void aCertificateOfAnotherCaIsRefused() {
        Pki other = Pki.open(folder.resolve("other"), Clock.SYSTEM);
        AgentSettings.Certificate forged = other.agent(A);
        server.admit(A);
        var mixed =
                new AgentSettings.Certificate(
                        pki.caCertificate(), forged.certificate(), forged.privateKey());
        assertThatThrownBy(() -> TestAgent.connect(A, mixed, server.port()))
                .isInstanceOf(java.io.IOException.class);
    }

    @Test
    void anAgentSpeaksOnItsOwnSubjectsOnly() throws Exception {
        try (TestAgent a = TestAgent.connect(A, server.admit(A), server.port());
                TestAgent b = TestAgent.connect(B, server.admit(B), server.port())) {
            List<String> stolen = b.listen("agent." + A);
            b.listen("director.>");
            b.listen("hm.agent.heartbeat.*");
            b.listen(">");
            b.publish("hm.agent.heartbeat." + A, "{}");
            b.publish("director.p." + A + ".r", "{}");
            b.publish("director.p." + B + ".r.more", "{}");
            b.publish("agent." + A, "{}");
            b.publish("hm.agent.heartbeat." + B, "{}");
            b.publish("director.p." + B + ".r", "{}");
            b.flush();
            Until.within(Duration.ofSeconds(5), "eight refusals", () -> b.errors.size() >= 8);
            assertThat(b.errors).hasSize(8).allMatch(e -> e.startsWith("Permissions Violation"));
            assertThat(b.errors.stream().filter(e -> e.contains("Subscription"))).hasSize(4);
            assertThat(stolen).isEmpty();
            assertThat(a.requests).isEmpty();
            assertThat(b.isConnected()).isTrue();
        }
    }

    @Test
    void anExpelledAgentIsCutOffAndOthersAreNot() throws Exception {
        AgentSettings.Certificate certificate = server.admit(A);
        try (TestAgent a = TestAgent.connect(A, certificate, server.port());
                TestAgent b = TestAgent.connect(B, server.admit(B), server.port())) {
            server.expel(A);
            server.expel(new AgentId("unknown"));
            Until.within(Duration.ofSeconds(5), "cut off", () -> !a.isConnected());
            assertThatThrownBy(() -> TestAgent.connect(A, certificate, server.port()))
                    .hasMessageContaining("Authorization Violation");
            assertThat(b.isConnected()).isTrue();
            assertThat(b.errors).isEmpty();
        }
    }

    @Test
    void aHundredAdmittedAtOnceCostFewReloads() throws Exception {
        long before = server.reloads();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var admitted = new ArrayList<Future<AgentSettings.Certificate>>();
            for (int i = 0; i < 100; i++) {
                AgentId id = new AgentId("many-" + i);
                admitted.add(threads.submit(() -> server.admit(id)));
            }
            for (Future<AgentSettings.Certificate> one : admitted) {
                one.get();
            }
        }
        assertThat(server.reloads() - before).isBetween(1L, 30L);
        AgentId last = new AgentId("many-99");
        try (TestAgent agent = TestAgent.connect(last, pki.agent(last), server.port())) {
            assertThat(agent.isConnected()).isTrue();
        }
    }

    @Test
    void resetLetsInExactlyThose() throws Exception {
        AgentSettings.Certificate a = server.admit(A);
        AgentSettings.Certificate b = pki.agent(B);
        server.reset(List.of(B));
        assertThatThrownBy(() -> TestAgent.connect(A, a, server.port()))
                .hasMessageContaining("Authorization Violation");
        TestAgent.connect(B, b, server.port()).close();
        long reloads = server.reloads();
        server.reset(List.of(B));
        assertThat(server.reloads()).isEqualTo(reloads);
    }

    @Test
    void idsThatWouldBreakTheConfigurationAreRefused() {
        assertThatThrownBy(() -> server.admit(new AgentId("x\"}, {user: \"y")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> server.admit(new AgentId("*")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aKilledServerComesBackOnItsPortWithItsAgents() throws Exception {
        AgentSettings.Certificate certificate = server.admit(A);
        try (TestAgent a = TestAgent.connect(A, certificate, server.port())) {
            long first = server.pid();
            ProcessHandle.of(first).orElseThrow().destroyForcibly();
            Until.within(Duration.ofSeconds(10), "another server", () -> server.pid() != first);
            Until.within(Duration.ofSeconds(10), "agent back", a::isConnected);
            server.admit(B);
        }
    }

    @Test
    void admittingWhileTheServerIsDeadWaitsForItsReturn() throws Exception {
        ProcessHandle.of(server.pid()).orElseThrow().destroyForcibly();
        AgentSettings.Certificate certificate = server.admit(A);
        TestAgent.connect(A, certificate, server.port()).close();
    }

    @Test
    void aLeftOverServerIsTakenOverWithItsAgentsConnected() throws Exception {
        try (TestAgent a = TestAgent.connect(A, server.admit(A), server.port())) {
            NatsServer first = server;
            first.leave();
            NatsServer second = startAgain(0);
            server = second;
            assertThat(second.isAdopted()).isTrue();
            assertThat(second.pid()).isEqualTo(first.pid());
            assertThat(second.port()).isEqualTo(first.port());
            TestAgent.connect(B, second.admit(B), second.port()).close();
            assertThat(a.isConnected()).isTrue();
            assertThat(a.errors).isEmpty();
            long pid = second.pid();
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            Until.within(Duration.ofSeconds(10), "another server", () -> second.pid() != pid);
            Until.within(Duration.ofSeconds(10), "agent back", a::isConnected);
        }
    }

    @Test
    void aLeftOverWithAnotherConfigurationIsReplaced() throws Exception {
        server.leave();
        long old = server.pid();
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        server = startAgain(port);
        assertThat(server.isAdopted()).isFalse();
        assertThat(server.port()).isEqualTo(port);
        assertThat(
                        Files.exists(Path.of("/proc/" + old + "/cmdline"))
                                && !Files.readString(Path.of("/proc/" + old + "/cmdline"))
                                        .isEmpty())
                .isFalse();
    }

    @Test
    void aProcessThatOnlyHasTheOldIdIsLeftAlone() throws Exception {
        int port = server.port();
        server.close();
        Process innocent = new ProcessBuilder("sleep", "60").start();
        try {
            Files.writeString(folder.resolve("nats/nats.pid"), String.valueOf(innocent.pid()));
            server = startAgain(0);
            assertThat(server.port()).isEqualTo(port);
            assertThat(innocent.isAlive()).isTrue();
        } finally {
            innocent.destroyForcibly();
        }
    }

    @Test
    void aTakenPortIsToldInWords() throws Exception {
        try (var socket = new ServerSocket(0)) {
            assertThatThrownBy(() ->
                            NatsServer.start(
                                    new NatsServer.Settings(
                                            folder.resolve("second"),
                                            "127.0.0.1",
                                            socket.getLocalPort(),
                                            List.of()),
                                    pki))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("nats-server did not start on 127.0.0.1:")
                    .hasMessageContaining("address already in use");
        }
    }
}
