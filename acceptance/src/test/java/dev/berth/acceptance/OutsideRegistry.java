package dev.berth.acceptance;

import dev.berth.bus.CertificateMaker.Key;
import dev.berth.bus.Pki;
import dev.berth.model.Clock;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;

/**
 * A private registry that is none of the environment's: a real {@code docker-registry} with TLS of
 * a CA that nobody knows and one user. It listens on the loopback address only, so that no VM can
 * reach it.
 */
final class OutsideRegistry implements AutoCloseable {
    static final String USER = "planted-user";
    static final String PASSWORD = "planted-password-4711";

    private final Path folder;
    private final int port;
    private final String ca;
    private Process process;

    OutsideRegistry(Path folder) {
        this.folder = folder;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
            Pki pki = Pki.open(folder.resolve("pki"), Clock.SYSTEM);
            pki.server("outside", List.of("127.0.0.1"), Key.EC_P256);
            ca = pki.caCertificate();
            byte[] salt = new byte[16];
            new SecureRandom().nextBytes(salt);
            String hash =
                    OpenBSDBCrypt.generate(
                            "2y", PASSWORD.getBytes(StandardCharsets.UTF_8), salt, 5);
            Files.writeString(folder.resolve("htpasswd"), USER + ":" + hash + "\n");
            Files.writeString(
                    folder.resolve("config.yml"),
                    """
                    version: 0.1
                    log: {level: warn, accesslog: {disabled: true}}
                    storage: {filesystem: {rootdirectory: %s}}
                    http: {addr: "127.0.0.1:%d", tls: {certificate: %s, key: %s}}
                    auth: {htpasswd: {realm: outside, path: %s}}
                    """
                            .formatted(
                                    folder.resolve("data"),
                                    port,
                                    pki.certificateFile("outside"),
                                    pki.keyFile("outside"),
                                    folder.resolve("htpasswd")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process = start();
    }

    private Process start() {
        try {
            Process started =
                    new ProcessBuilder(
                                    "docker-registry",
                                    "serve",
                                    folder.resolve("config.yml").toString())
                            .redirectErrorStream(true)
                            .redirectOutput(folder.resolve("log").toFile())
                            .start();
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> listens());
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean listens() {
        try (var socket = new java.net.Socket("127.0.0.1", port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** {@code 127.0.0.1:PORT}, as references name it. */
    String host() {
        return "127.0.0.1:" + port;
    }

    String ca() {
        return ca;
    }

    /** Brings an image of the engine under test here, under this name. */
    void push(TestEnvironment environment, String image, String name) {
        try {
            Path config = Files.createDirectories(folder.resolve("client"));
            String pair = USER + ":" + PASSWORD;
            String auth = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
            Files.writeString(
                    config.resolve("config.json"),
                    Json.write(Json.of("auths", Json.of(host(), Json.of("auth", auth)))));
            String remote = host() + "/" + name;
            String engine = "unix://" + EngineUnderTest.socket();
            environment.docker("tag", image, remote).ok();
            Shell.run(
                            Map.of("DOCKER_CONFIG", config.toString()),
                            List.of("docker", "-H", engine, "push", "-q", remote))
                    .ok();
            environment.docker("rmi", remote).ok();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** It is gone until {@link #back}. */
    void kill() {
        TestEnvironment.kill(process.pid());
    }

    void back() {
        process = start();
    }

    @Override
    public void close() {
        kill();
    }
}
