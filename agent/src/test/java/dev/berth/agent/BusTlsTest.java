package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.AgentId;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in and whom the agent believes, on a real server with verify_and_map. */
class BusTlsTest {
    @TempDir Path folder = Path.of("");
    private @org.jspecify.annotations.Nullable TestCertificates made;

    @BeforeEach
    void setUp() throws IOException {
        made = new TestCertificates(folder);
        TestCertificates certificates = certificates();
        certificates.leaf("server", "default.nats.bosh-internal", "IP:127.0.0.1");
        certificates.leaf("agent", "a1.agent.bosh-internal", "");
    }

    private TestCertificates certificates() {
        return java.util.Objects.requireNonNull(made);
    }

    private NatsServer server(String name, String user) throws IOException {
        return new NatsServer(
                folder,
                """
                tls { cert_file: "%s"
                      key_file: "%s"
                      ca_file: "%s"
                      verify_and_map: true }
                authorization { users: [ {user: "%s", permissions: {
                   publish: ["hm.agent.*.a1", "director.*.a1.*"], subscribe: ["agent.a1"]}} ] }
                """
                        .formatted(
                                certificates().path(name + ".pem"),
                                certificates().path(name + ".key"),
                                certificates().path("ca.pem"),
                                user));
    }

    private static final String ADMITTED = "O=Cloud Foundry,CN=a1.agent.bosh-internal";

    private boolean connects(String url, AgentSettings.Certificate credentials, long milliseconds)
            throws InterruptedException {
        var connected = new CountDownLatch(1);
        try (var link = new BusLink(new AgentId("a1"), message -> {}, connected::countDown)) {
            link.use(new BusLink.Endpoint(List.of(url), BusTls.context(credentials)));
            return connected.await(milliseconds, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void anAdmittedAgentConnects() throws Exception {
        try (var server = server("server", ADMITTED)) {
            assertThat(connects(server.url(), certificates().credentials("agent"), 10_000))
                    .isTrue();
        }
    }

    @Test
    void anAgentThatIsLetInLaterConnectsByItself() throws Exception {
        try (var server = server("server", "O=Cloud Foundry,CN=somebody.agent.bosh-internal")) {
            var connected = new CountDownLatch(1);
            try (var link = new BusLink(new AgentId("a1"), message -> {}, connected::countDown)) {
                link.use(
                        new BusLink.Endpoint(
                                List.of(server.url()),
                                BusTls.context(certificates().credentials("agent"))));
                assertThat(connected.await(700, TimeUnit.MILLISECONDS))
                        .isFalse(); // refused at least twice
                Path config = folder.resolve("nats-" + server.port + ".conf");
                Files.writeString(config, Files.readString(config).replace("CN=somebody", "CN=a1"));
                server.reload();
                assertThat(connected.await(10, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    @Test
    void aServerOfAnotherNameIsNotBelieved() throws Exception {
        certificates().leaf("other", "default.hm.bosh-internal", "IP:127.0.0.1");
        try (var server = server("other", ADMITTED)) {
            assertThat(connects(server.url(), certificates().credentials("agent"), 700)).isFalse();
        }
    }

    @Test
    void aServerAtAnotherAddressIsNotBelieved() throws Exception {
        certificates().leaf("elsewhere", "default.nats.bosh-internal", "IP:127.0.0.9");
        try (var server = server("elsewhere", ADMITTED)) {
            assertThat(connects(server.url(), certificates().credentials("agent"), 700)).isFalse();
        }
    }

    @Test
    void aServerOfAnotherAuthorityIsNotBelieved() throws Exception {
        AgentSettings.Certificate ours = certificates().credentials("agent");
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        var strange = new TestCertificates(elsewhere);
        try (var server = server("server", ADMITTED)) {
            assertThat(
                            connects(
                                    server.url(),
                                    new AgentSettings.Certificate(
                                            strange.text("ca.pem"),
                                            ours.certificate(),
                                            ours.privateKey()),
                                    700))
                    .isFalse();
        }
    }

    @Test
    void keysAreReadInEveryFormDirectorsSend() throws Exception {
        certificates().openssl("genrsa", "-out", "rsa8.key", "2048");
        certificates().openssl("rsa", "-in", "rsa8.key", "-traditional", "-out", "pkcs1.key");
        certificates()
                .openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "sec1.key");
        certificates().openssl("pkcs8", "-topk8", "-nocrypt", "-in", "sec1.key", "-out", "ec8.key");
        assertThat(certificates().text("pkcs1.key")).contains("BEGIN RSA PRIVATE KEY");
        assertThat(certificates().text("sec1.key")).contains("BEGIN EC PRIVATE KEY");
        assertThat(Pem.privateKey(certificates().text("pkcs1.key")))
                .isEqualTo(Pem.privateKey(certificates().text("rsa8.key")));
        assertThat(secret("sec1.key")).isEqualTo(secret("ec8.key"));
        assertThatThrownBy(() -> Pem.privateKey("hello")).hasMessageContaining("no private key");
        assertThatThrownBy(() -> BusTls.context(new AgentSettings.Certificate("x", "y", "planted")))
                .hasMessageContaining("cannot be used")
                .hasMessageNotContaining("planted");
    }

    private java.math.BigInteger secret(String file) throws Exception {
        return ((java.security.interfaces.ECPrivateKey) Pem.privateKey(certificates().text(file)))
                .getS();
    }
}
