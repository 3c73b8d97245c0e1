package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * New credentials under a running agent, on a real bus with certificates: the key never leaves the
 * VM, the link moves, and what does not work changes nothing.
 */
class BusCertificateTest {
    private static final AgentId ID = new AgentId("a1");
    private static final String NAME = "O=Cloud Foundry,CN=a1.agent.bosh-internal";

    @TempDir Path folder;
    private @Nullable TestCertificates ca;
    private @Nullable NatsServer server;
    private @Nullable BusLink link;
    private @Nullable CurrentSettings settings;
    private @Nullable Map<String, Action> actions;
    private final Semaphore connected = new Semaphore(0);
    private final AtomicInteger registries = new AtomicInteger();

    @BeforeEach
    void start() throws Exception {
        ca = new TestCertificates(folder);
        ca().leaf("server", "default.nats.bosh-internal", "IP:127.0.0.1");
        ca().leaf("agent", "a1.agent.bosh-internal", "");
        server =
                new NatsServer(
                        folder,
                        """
                        tls { cert_file: "%s", key_file: "%s", ca_file: "%s", verify_and_map: true }
                        authorization { users: [ {user: "%s", permissions: {
                           publish: ["hm.agent.*.a1", "director.*.a1.*"], subscribe: ["agent.a1"]}} ] }
                        """
                                .formatted(
                                        ca().path("server.pem"),
                                        ca().path("server.key"),
                                        ca().path("ca.pem"),
                                        NAME));
        AgentSettings.Certificate first = ca().credentials("agent");
        settings = new CurrentSettings(new Settings(document(first), Fields.of(Map.of(), "o")));
        link = new BusLink(ID, message -> {}, connected::release);
        link().use(endpoint(settings().get()));
        awaitConnected();
        actions =
                new BusCertificate(
                                layout(),
                                settings(),
                                (with, proven) -> link().move(endpoint(with), proven),
                                registries::incrementAndGet)
                        .all().stream()
                                .collect(Collectors.toMap(Action::name, Function.identity()));
    }

    @AfterEach
    void stop() {
        link().close();
        Objects.requireNonNull(server).close();
    }

    @Test
    void theLinkMovesAndTheKeyIsKeptPrivately() throws Exception {
        String pem = signed(newKey());
        assertThat(act("use_bus_certificate", certificate(pem, "other CA"))).isEqualTo("ok");
        awaitConnected();
        AgentSettings.Certificate now = settings().get().busCertificate();
        assertThat(Objects.requireNonNull(now).certificate()).isEqualTo(pem);
        assertThat(registries).hasValue(1);
        Path file = layout().updatedSettings();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        // What was kept is what the next life of the agent comes in with.
        Fields overlay = Fields.of(Json.parse(Files.readString(file)), "overlay");
        var again = new Settings(settings().get().document(), overlay);
        try (var next = new BusLink(ID, message -> {}, connected::release)) {
            next.use(endpoint(again));
            awaitConnected();
        }
    }

    @Test
    void whatTheBusDoesNotTakeChangesNothing() throws Exception {
        var elsewhere = new TestCertificates(Files.createDirectory(folder.resolve("elsewhere")));
        String foreign = signed(elsewhere, newKey());
        assertThatThrownBy(() -> act("use_bus_certificate", certificate(foreign, "")))
                .isInstanceOf(ActionException.class)
                .hasMessageContaining("the bus does not take the new certificate")
                .hasMessageContaining("goes on with the one it has");
        assertThat(layout().updatedSettings()).doesNotExist();
        assertThat(settings().get().overlay().tree()).isEmpty();
        assertThat(link().stream("hm.agent.heartbeat.a1", "{}".getBytes(UTF_8))).isTrue();
        // The same key may be tried again.
        String good = signed(Objects.requireNonNull(lastKey));
        assertThat(act("use_bus_certificate", certificate(good, ""))).isEqualTo("ok");
        assertThat(registries).hasValue(0);
    }

    @Test
    void aCertificateForAnotherKeyIsRefused() throws Exception {
        PublicKey first = newKey();
        newKey();
        assertThatThrownBy(() -> act("use_bus_certificate", certificate(signed(first), "")))
                .hasMessageContaining("not for the key that was made last");
    }

    private @Nullable PublicKey lastKey;

    /** Asks for a key and looks at the proof as the director does. */
    private PublicKey newKey() throws Exception {
        Fields told = Fields.of(act("new_bus_key"), "key");
        assertThat(told.tree()).containsOnlyKeys("public_key", "proof");
        byte[] spki = Base64.getDecoder().decode(told.string("public_key"));
        lastKey = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki));
        Signature proof = Signature.getInstance("SHA256withECDSA");
        proof.initVerify(Objects.requireNonNull(lastKey));
        proof.update(ID.value().getBytes(UTF_8));
        assertThat(proof.verify(Base64.getDecoder().decode(told.string("proof")))).isTrue();
        return Objects.requireNonNull(lastKey);
    }

    private String signed(PublicKey key) throws IOException {
        return signed(ca(), key);
    }

    private static String signed(TestCertificates by, PublicKey key) throws IOException {
        by.leaf("fresh", "a1.agent.bosh-internal", "");
        Files.writeString(
                by.path("public.pem"),
                "-----BEGIN PUBLIC KEY-----\n"
                        + Base64.getMimeEncoder().encodeToString(key.getEncoded())
                        + "\n-----END PUBLIC KEY-----\n");
        by.openssl(
                "x509",
                "-req",
                "-in",
                "fresh.csr",
                "-force_pubkey",
                "public.pem",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-out",
                "fresh.pem");
        return by.text("fresh.pem");
    }

    private Map<String, Object> certificate(String pem, String registry) throws IOException {
        return Json.of("ca", ca().text("ca.pem"), "certificate", pem, "registry_ca", registry);
    }

    private Object act(String name, Object... arguments) throws Exception {
        Action action = Objects.requireNonNull(actions).get(name);
        return Objects.requireNonNull(
                Objects.requireNonNull(action)
                        .body()
                        .run(new Arguments(List.of(arguments)), new AgentCall("", false)));
    }

    private void awaitConnected() throws InterruptedException {
        assertThat(connected.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
    }

    private AgentSettings document(AgentSettings.Certificate first) {
        return AgentSettings.fromTree(
                Json.of(
                        "agent_id",
                        ID.value(),
                        "mbus",
                        Objects.requireNonNull(server).url(),
                        "env",
                        Json.of(
                                "bosh",
                                Json.of(
                                        "mbus",
                                        Json.of(
                                                "cert",
                                                Json.of(
                                                        "ca",
                                                        first.ca(),
                                                        "certificate",
                                                        first.certificate(),
                                                        "private_key",
                                                        first.privateKey()))))));
    }

    private static BusLink.Endpoint endpoint(Settings with) {
        return new BusLink.Endpoint(
                with.busUrls(), BusTls.context(Objects.requireNonNull(with.busCertificate())));
    }

    private Layout layout() {
        return new Layout(
                folder.resolve("vcap"), folder.resolve("etc"), Path.of("/proc"), Path.of("/sys"));
    }

    private TestCertificates ca() {
        return Objects.requireNonNull(ca);
    }

    private BusLink link() {
        return Objects.requireNonNull(link);
    }

    private CurrentSettings settings() {
        return Objects.requireNonNull(settings);
    }
}
