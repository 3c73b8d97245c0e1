package dev.berth.bus;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One running {@code nats-server}, our child or one that a killed director left behind. Alive means
 * that the process with its id still runs our very command line: ids are reused, and a dead process
 * nobody has waited for has no command line.
 */
record NatsProcess(long pid, List<String> command, NatsConfig config) {
    private static final int LOG_LOOK = 64 * 1024;

    static List<String> command(String binary, NatsConfig config) {
        return List.of(binary, "-c", config.main().toString());
    }

    static NatsProcess start(String binary, NatsConfig config) {
        List<String> command = command(binary, config);
        try {
            Files.deleteIfExists(config.pidFile());
            // Output goes to the log file: a pipe would end the server with a killed director.
            Process process =
                    new ProcessBuilder(command)
                            .directory(config.folder().toFile())
                            .redirectInput(
                                    ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(config.log().toFile()))
                            .start();
            return new NatsProcess(process.pid(), command, config);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot start " + binary + ": is nats-server installed?", e);
        }
    }

    /** The one whose id is in the file, if it still runs. */
    static Optional<NatsProcess> leftOver(String binary, NatsConfig config) {
        try {
            if (!Files.exists(config.pidFile())) {
                return Optional.empty();
            }
            long pid = Long.parseLong(Files.readString(config.pidFile()).strip());
            var process = new NatsProcess(pid, command(binary, config), config);
            return process.isAlive() ? Optional.of(process) : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    boolean isAlive() {
        try {
            String line = Files.readString(Path.of("/proc/" + pid + "/cmdline"));
            return line.equals(String.join("\0", command) + "\0");
        } catch (IOException e) {
            return false;
        }
    }

    void reload() {
        signal("HUP");
    }

    /** Orderly first, then by force; gone when it returns. */
    void stop() {
        ProcessHandle.of(pid)
                .ifPresent(handle -> {
                    if (isAlive()) {
                        handle.destroy();
                        if (!goneWithin(Duration.ofSeconds(5))) {
                            handle.destroyForcibly();
                            goneWithin(Duration.ofSeconds(5));
                        }
                    }
                });
    }

    private boolean goneWithin(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (isAlive()) {
            if (System.nanoTime() > end || !Pause.millis(5)) {
                return !isAlive();
            }
        }
        return true;
    }

    private void signal(String name) {
        try {
            // The JDK can send TERM and KILL only.
            Process kill =
                    new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + pid)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            kill.waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot signal nats-server", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Where the log ends now; what comes after is new. */
    static long logEnd(NatsConfig config) {
        return config.log().toFile().length();
    }

    /** What the log says beyond a place, its last part if that is much. */
    static String logSince(NatsConfig config, long place) {
        return new String(logSince(config, place, LOG_LOOK), StandardCharsets.UTF_8);
    }

    static byte[] logSince(NatsConfig config, long place, int most) {
        try (var file = new RandomAccessFile(config.log().toFile(), "r")) {
            long length = file.length();
            // Shorter than before: the server has begun a new file.
            long from = Math.max(length < place ? 0 : place, length - most);
            byte[] bytes = new byte[(int) (length - from)];
            file.seek(from);
            file.readFully(bytes);
            return bytes;
        } catch (IOException e) {
            return new byte[0];
        }
    }

    /** The last complaint in a piece of log. */
    static @Nullable String complaint(String log) {
        return log.lines()
                .filter(line ->
                        line.contains("[ERR]")
                                || line.contains("[FTL]")
                                || line.startsWith("nats-server:"))
                .reduce((first, second) -> second)
                .orElse(null);
    }
}
