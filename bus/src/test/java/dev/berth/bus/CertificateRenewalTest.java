package dev.berth.bus;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.wire.AgentSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Certificates that change under a running bus: nobody who is connected is cut off, the CA is
 * changed with both trusted in between, and who is refused is known, by the real server.
 */
class CertificateRenewalTest {
    private static final AgentId A = new AgentId("agent-a");
    private static final AgentId B = new AgentId("agent-b");
    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir Path folder;
    private Pki pki;
    private NatsServer server;

    @BeforeEach
    void start() {
        pki = Pki.open(folder.resolve("pki"), Clock.SYSTEM);
        server = start(pki);
    }

    private NatsServer start(Pki with) {
        return NatsServer.start(
                new NatsServer.Settings(folder.resolve("nats"), "127.0.0.1", 0, List.of()), with);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void aNewCertificateOfTheBusCutsNobodyOff() throws Exception {
        long pid = server.pid();
        try (TestAgent agent = TestAgent.connect(A, server.admit(A), server.port())) {
            String before = Files.readString(pki.certificateFile("nats"));
            pki.forget("nats");
            server.takeCertificates();
            assertThat(Files.readString(pki.certificateFile("nats"))).isNotEqualTo(before);
            agent.flush();
            assertThat(agent.cable.connections()).isEqualTo(1);
            TestAgent.connect(B, server.admit(B), server.port()).close();
        }
        assertThat(server.pid()).isEqualTo(pid);
    }

    @Test
    void theCaIsChangedUnderConnectedAgentsAndTheOldOneIsOutAfterwards() throws Exception {
        AgentSettings.Certificate old = server.admit(A);
        var heard = new RecordedEvents();
        try (TestAgent stays = TestAgent.connect(A, old, server.port());
                NatsBus bus =
                        NatsBus.connect(List.of("nats://127.0.0.1:" + server.port()), pki, heard)) {
            Until.within(SOON, "heard", () -> heard.lines.contains("connected agent-a"));
            pki.beginRotation();
            server.takeCertificates();
            AgentSettings.Certificate fresh = server.admit(B);
            TestAgent.connect(A, old, server.port()).close();
            TestAgent.connect(B, fresh, server.port()).close();
            pki.endRotation();
            pki.renewClients();
            server.takeCertificates();
            stays.flush();
            assertThat(stays.cable.connections()).isEqualTo(1);
            TestAgent.connect(B, fresh, server.port()).close();
            assertThatThrownBy(() -> TestAgent.connect(A, old, server.port()))
                    .isInstanceOf(java.io.IOException.class);
            // The director's own connections come back with what is in force by then.
            ProcessHandle.of(server.pid()).orElseThrow().destroyForcibly();
            Until.within(SOON, "back", () -> heard.lines.contains("bus back"));
        }
    }

    @Test
    void aChangeOfTheCaCutOffAnywhereIsGoneOnWith() {
        Path home = folder.resolve("pki");
        String first = pki.caCertificate();
        pki.beginRotation();
        String both = pki.caCertificate();
        assertThat(both).startsWith(first).hasSizeGreaterThan(first.length());
        Pki again = Pki.open(home, Clock.SYSTEM);
        assertThat(again.isRotating()).isTrue();
        assertThat(again.caCertificate()).isEqualTo(both);
        assertThat(again.signer()).isEqualTo(pki.signer());
        PrivateFiles.write(home.resolve("rotation"), "last"); // and then it was killed
        Pki last = Pki.open(home, Clock.SYSTEM);
        assertThat(last.isRotating()).isFalse();
        assertThat(last.signer()).isEqualTo(pki.signer());
        assertThat(first + last.caCertificate()).isEqualTo(both);
        assertThat(home.resolve("ca-next.key")).doesNotExist();
        PrivateFiles.write(home.resolve("rotation"), "last"); // killed after the copies were gone
        assertThat(Pki.open(home, Clock.SYSTEM).signer()).isEqualTo(pki.signer());
    }

    @Test
    void aKeyWithoutItsCertificateIsMendedAtTheNextStart() {
        Pair whole = pki.server("api", List.of("127.0.0.1"));
        Pair other =
                CertificateMaker.selfSigned(
                        CertificateMaker.Request.ca("x", Duration.ofDays(1)), Instant.now());
        PrivateFiles.write(pki.keyFile("api"), other.privateKey());
        Pair mended = pki.server("api", List.of("127.0.0.1"));
        assertThat(mended).isNotEqualTo(whole);
        assertThat(CertificateMaker.belong(mended)).isTrue();
    }

    @Test
    void anAgentsOwnKeyIsSignedWhenItShowsThatItHasIt() throws Exception {
        KeyPair keys = KeyPairGenerator.getInstance("EC").generateKeyPair();
        String key = Base64.getEncoder().encodeToString(keys.getPublic().getEncoded());
        Signature signing = Signature.getInstance("SHA256withECDSA");
        signing.initSign(keys.getPrivate());
        signing.update(A.value().getBytes(UTF_8));
        String proof = Base64.getEncoder().encodeToString(signing.sign());
        server.admit(A);
        Pki.Signed signed = pki.sign(A, key, proof);
        String own = CertificateMaker.pem("PRIVATE KEY", keys.getPrivate().getEncoded());
        var certificate = new AgentSettings.Certificate(signed.ca(), signed.certificate(), own);
        TestAgent.connect(A, certificate, server.port()).close();
        assertThatThrownBy(() -> pki.sign(B, key, proof))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has not shown");
        KeyPairGenerator weak = KeyPairGenerator.getInstance("RSA");
        weak.initialize(1024);
        String small =
                Base64.getEncoder().encodeToString(weak.generateKeyPair().getPublic().getEncoded());
        assertThatThrownBy(() -> pki.sign(A, small, proof)).hasMessageContaining("too short");
        assertThatThrownBy(() -> pki.sign(A, "AAAA", proof)).hasMessageContaining("neither");
        assertThatThrownBy(() -> pki.sign(A, "A".repeat(10_000), proof))
                .hasMessageContaining("4096");
    }

    @Test
    void whoIsRefusedIsKnownWithTheReason() throws Exception {
        List<String> here = List.of("127.0.0.1");
        assertThat(server.refusal(here)).isEmpty();
        new java.net.Socket("127.0.0.1", server.port()).close(); // a port scan is no agent
        Clock past = new Past(Clock.SYSTEM.now().minus(Duration.ofDays(800)));
        refused(Pki.open(folder.resolve("pki"), past).agent(A));
        awaitRefusal(here, "its certificate has expired, or is not valid yet");
        refused(mixed(Pki.open(folder.resolve("other"), Clock.SYSTEM).agent(A)));
        awaitRefusal(here, "its certificate is of a CA that is not trusted");
        AgentSettings.Certificate own = pki.agent(A);
        refused(
                new AgentSettings.Certificate(
                        Pki.open(folder.resolve("third"), Clock.SYSTEM).caCertificate(),
                        own.certificate(),
                        own.privateKey()));
        awaitRefusal(
                here,
                "the agent does not accept the certificate of the bus: its clock is wrong, or it"
                        + " knows another CA");
        refused(own); // never admitted
        awaitRefusal(here, "the bus does not let its name in");
        assertThat(server.refusal(List.of("127.0.0.2"))).isEmpty();
    }

    private void awaitRefusal(List<String> addresses, String reason) throws Exception {
        var seen = new ArrayList<String>();
        Until.within(
                SOON,
                reason,
                () -> {
                    server.refusal(addresses).ifPresent(r -> seen.add(r.reason()));
                    return seen.contains(reason);
                });
    }

    private AgentSettings.Certificate mixed(AgentSettings.Certificate foreign) {
        return new AgentSettings.Certificate(
                pki.caCertificate(), foreign.certificate(), foreign.privateKey());
    }

    private void refused(AgentSettings.Certificate certificate) {
        assertThatThrownBy(() -> TestAgent.connect(A, certificate, server.port()))
                .isInstanceOf(java.io.IOException.class);
    }

    private record Past(Instant now) implements Clock {
        @Override
        public void sleep(Duration time) {
            throw new UnsupportedOperationException();
        }
    }
}
