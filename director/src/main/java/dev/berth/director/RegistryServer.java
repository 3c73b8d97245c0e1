package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.jspecify.annotations.Nullable;

/**
 * The environment's image registry: a real {@code docker-registry} as a child, over TLS with the
 * environment's CA and one user. A registry left by a killed director is found by its command line
 * and taken over; one that dies is started again. Thread-safe.
 */
final class RegistryServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(RegistryServer.class.getName());
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final Settings settings;
    private final Clock clock;
    private final List<String> command;
    private final Thread watcher;
    private volatile boolean closed;
    private volatile @Nullable ProcessHandle process;

    /**
     * @param folder for configuration, log and images
     * @param certificate PEM file, and its key beside it
     */
    record Settings(
            Path folder, int port, Path certificate, Path key, String user, Secret password) {}

    private RegistryServer(Settings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.command =
                List.of(
                        "docker-registry",
                        "serve",
                        settings.folder().resolve("config.yml").toString());
        this.watcher = Thread.ofVirtual().name("registry-watch").unstarted(this::watch);
    }

    static RegistryServer start(Settings settings, Clock clock) {
        var server = new RegistryServer(settings, clock);
        try {
            boolean changed = server.configure();
            Optional<ProcessHandle> leftOver = server.leftOver();
            if (leftOver.isPresent() && changed) {
                leftOver.get().destroy();
                leftOver.get().onExit().join();
                leftOver = Optional.empty();
            }
            server.process = leftOver.isPresent() ? leftOver.get() : server.launch();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start docker-registry: " + e.getMessage(), e);
        }
        server.watcher.start();
        return server;
    }

    /** Writes the configuration; true when it differs from what was there. */
    private boolean configure() throws IOException {
        Path folder = settings.folder();
        Files.createDirectories(folder);
        Path passwords = folder.resolve("htpasswd");
        String config =
                """
                version: 0.1
                log: {level: warn, accesslog: {disabled: true}}
                storage:
                  filesystem: {rootdirectory: %s}
                  delete: {enabled: true}
                http:
                  addr: 0.0.0.0:%d
                  tls: {certificate: %s, key: %s}
                auth:
                  htpasswd: {realm: berth, path: %s}
                """
                        .formatted(
                                folder.resolve("data"),
                                settings.port(),
                                settings.certificate(),
                                settings.key(),
                                passwords);
        Path file = folder.resolve("config.yml");
        boolean changed =
                !Files.exists(file)
                        || !Files.readString(file).equals(config)
                        || !Files.exists(passwords);
        if (changed) {
            byte[] salt = new byte[16];
            new SecureRandom().nextBytes(salt);
            String hash =
                    OpenBSDBCrypt.generate(
                            "2y",
                            settings.password().reveal().getBytes(StandardCharsets.UTF_8),
                            salt,
                            5);
            write(passwords, settings.user() + ":" + hash + "\n");
            write(file, config);
        }
        return changed;
    }

    private static void write(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }

    /** By its command line, which names our folder: no process id can be mistaken for another's. */
    private Optional<ProcessHandle> leftOver() {
        String wanted = String.join("\0", command) + "\0";
        return ProcessHandle.allProcesses().filter(p -> commandLine(p).equals(wanted)).findFirst();
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return ""; // it has ended meanwhile
        }
    }

    /** Ends it: the watch starts it again, and it reads its certificate then. */
    void restart() {
        ProcessHandle now = process;
        if (now != null) {
            now.destroy();
        }
    }

    private ProcessHandle launch() throws IOException {
        return new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(settings.folder().resolve("log").toFile()))
                .start()
                .toHandle();
    }

    /** A registry that cannot be started now, on a full disk perhaps, is tried again and again. */
    private void watch() {
        Duration pause = PAUSE;
        try {
            while (!closed) {
                clock.sleep(pause);
                ProcessHandle now = process;
                if (closed || (now != null && now.isAlive())) {
                    pause = PAUSE;
                    continue;
                }
                LOG.log(
                        System.Logger.Level.WARNING,
                        "registry from=running to=dead reason=''process ended'', starting it again (log: {0})",
                        settings.folder().resolve("log"));
                pause =
                        pause.multipliedBy(2).compareTo(LONGEST) > 0
                                ? LONGEST
                                : pause.multipliedBy(2);
                try {
                    process = launch();
                } catch (IOException e) {
                    LOG.log(
                            System.Logger.Level.ERROR,
                            "the registry cannot be started: " + e.getMessage());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed = true;
        watcher.interrupt();
        ProcessHandle now = process;
        if (now != null) {
            now.destroy();
            now.onExit()
                    .orTimeout(5, java.util.concurrent.TimeUnit.SECONDS)
                    .exceptionally(late -> {
                        now.destroyForcibly();
                        return now;
                    })
                    .join();
        }
    }
}
