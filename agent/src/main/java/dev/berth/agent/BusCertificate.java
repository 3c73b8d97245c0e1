package dev.berth.agent;

import static dev.berth.agent.Action.aside;
import static dev.berth.agent.Action.inOrder;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Berth's own way to new credentials for the bus: the agent makes the key, which never leaves the
 * VM, and is given a certificate for it. The new ones are used to connect first, and only then
 * kept; until then, and whenever that fails, the agent goes on with those it has. Nothing but the
 * link is touched.
 */
final class BusCertificate {
    private final Layout layout;
    private final CurrentSettings settings;
    private final Link link;
    private final Runnable registryChanged;

    /** Made and not in use yet; one that nobody comes back for is forgotten with the process. */
    private @Nullable KeyPair made;

    /** Moves the link to other credentials. */
    @FunctionalInterface
    interface Link {
        /**
         * Returns when the agent speaks by the new connection.
         *
         * @param proven called when the new connection stands and before it is used
         * @throws ActionException it cannot be made; nothing has changed
         */
        void move(Settings with, Runnable proven) throws InterruptedException;
    }

    /**
     * @param registryChanged told when another CA is to be trusted for the environment's registry
     */
    BusCertificate(Layout layout, CurrentSettings settings, Link link, Runnable registryChanged) {
        this.layout = layout;
        this.settings = settings;
        this.link = link;
        this.registryChanged = registryChanged;
    }

    List<Action> all() {
        return List.of(
                inOrder("new_bus_key", 0, (a, call) -> newKey()),
                aside(
                        "use_bus_certificate",
                        1,
                        (a, call) -> use(a.object(0, "use_bus_certificate"))));
    }

    /** {@code {public_key, proof}}: the proof is the agent's id, signed with the key. */
    private synchronized Map<String, Object> newKey() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair keys = generator.generateKeyPair();
        Signature proof = Signature.getInstance("SHA256withECDSA");
        proof.initSign(keys.getPrivate());
        proof.update(settings.get().agentId().value().getBytes(UTF_8));
        made = keys;
        return Json.of(
                "public_key", text(keys.getPublic().getEncoded()), "proof", text(proof.sign()));
    }

    /**
     * Takes {@code {ca, certificate, registry_ca}}: what to trust on the bus, the certificate for
     * the key made last, and what to trust of the environment's registry.
     */
    private synchronized Object use(Fields wished)
            throws InterruptedException, GeneralSecurityException, IOException {
        KeyPair keys = made;
        X509Certificate certificate = Pem.certificates(wished.string("certificate")).getFirst();
        if (keys == null || !keys.getPublic().equals(certificate.getPublicKey())) {
            throw new ActionException(
                    "this certificate is not for the key that was made last; begin again with"
                            + " new_bus_key");
        }
        var credentials =
                new AgentSettings.Certificate(
                        wished.string("ca"),
                        wished.string("certificate"),
                        "-----BEGIN PRIVATE KEY-----\n"
                                + Base64.getMimeEncoder(64, new byte[] {'\n'})
                                        .encodeToString(keys.getPrivate().getEncoded())
                                + "\n-----END PRIVATE KEY-----\n");
        String registry = wished.string("registry_ca", "");
        link.move(
                settings.get().with(overlay(credentials, registry)),
                () -> keep(credentials, registry));
        made = null;
        if (!registry.isEmpty()) {
            registryChanged.run();
        }
        return "ok";
    }

    private void keep(AgentSettings.Certificate credentials, String registry) {
        synchronized (settings) {
            Map<String, Object> overlay = overlay(credentials, registry);
            DurableFile.write(layout.updatedSettings(), Json.write(overlay));
            settings.set(settings.get().with(overlay));
        }
    }

    private Map<String, Object> overlay(AgentSettings.Certificate credentials, String registry) {
        Fields before = settings.get().overlay();
        var overlay = new LinkedHashMap<>(before.tree());
        var bus = new LinkedHashMap<>(before.object("mbus").tree());
        bus.put(
                "cert",
                Json.of(
                        "ca",
                        credentials.ca(),
                        "certificate",
                        credentials.certificate(),
                        "private_key",
                        credentials.privateKey()));
        overlay.put("mbus", bus);
        if (!registry.isEmpty()) {
            overlay.put("berth", Json.of("registry_ca", registry));
        }
        return overlay;
    }

    private static String text(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
