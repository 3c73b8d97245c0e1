package dev.berth.alerts;

import dev.berth.model.Clock;
import dev.berth.model.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** One executable that is kept running. Thread-safe. */
final class PluginProcess implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PluginProcess.class.getName());
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofSeconds(60);

    /** Whoever ran that long had not just failed to start. */
    private static final Duration STABLE = Duration.ofSeconds(60);

    private static final int LONGEST_LINE = 1_000;

    private final Path path;
    private final Clock clock;
    private final ReentrantLock writing = new ReentrantLock();
    private volatile @Nullable Process process;
    private volatile boolean stuck;
    private Instant startedAt = Instant.MIN;
    private Instant notBefore = Instant.MIN;
    private Duration pause = SHORTEST;
    private String lastTaken = "";

    PluginProcess(Path path, Clock clock) {
        this.path = path;
        this.clock = clock;
    }

    Path path() {
        return path;
    }

    /** Nothing when it has taken that notice already. */
    void tell(Notice notice) throws IOException {
        writing.lock();
        try {
            if (notice.id().equals(lastTaken)) {
                return;
            }
            Process running = running();
            byte[] line = (Json.write(notice.asBosh()) + "\n").getBytes(StandardCharsets.UTF_8);
            stuck = true;
            try {
                var in = running.getOutputStream();
                in.write(line);
                in.flush();
            } catch (IOException e) {
                throw new IOException("it has ended: " + e.getMessage(), e);
            } finally {
                stuck = false;
            }
            lastTaken = notice.id();
        } finally {
            writing.unlock();
        }
    }

    private Process running() throws IOException {
        Process old = process;
        if (old != null && old.isAlive()) {
            return old;
        }
        Instant now = clock.now();
        if (old != null) {
            LOG.log(Level.WARNING, "plugin={0} state=ended exit={1}", path, old.exitValue());
            boolean stable = now.isAfter(startedAt.plus(STABLE));
            pause = stable ? SHORTEST : min(pause.multipliedBy(2), LONGEST);
            notBefore = stable ? now : now.plus(pause);
            process = null;
        }
        if (now.isBefore(notBefore)) {
            throw new IOException("it has ended, and is started again at " + notBefore);
        }
        Process fresh = new ProcessBuilder(path.toString()).redirectErrorStream(true).start();
        startedAt = now;
        process = fresh;
        Thread.ofVirtual().name("plugin-output").start(() -> log(fresh));
        LOG.log(Level.INFO, "plugin={0} state=running pid={1}", path, fresh.pid());
        return fresh;
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private void log(Process of) {
        try (var lines =
                new BufferedReader(
                        new InputStreamReader(of.getInputStream(), StandardCharsets.UTF_8))) {
            var line = new StringBuilder();
            for (int c = lines.read(); c >= 0; c = lines.read()) {
                if (c == '\n') {
                    LOG.log(Level.INFO, "plugin={0} said={1}", path, line);
                    line.setLength(0);
                } else if (line.length() < LONGEST_LINE) {
                    line.append((char) c);
                }
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "output of " + path, e);
        }
    }

    /** It does not read: ending it frees whoever waits for it. */
    void endIfStuck() {
        Process hanging = process;
        if (stuck && hanging != null) {
            LOG.log(Level.WARNING, "plugin={0} does not read its input: it is ended", path);
            hanging.destroyForcibly();
        }
    }

    @Override
    public void close() {
        Process old = process;
        process = null;
        if (old == null) {
            return;
        }
        try {
            old.getOutputStream().close(); // the end of its input is the sign to end
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "input of " + path, e);
        }
        try {
            if (!old.waitFor(2, TimeUnit.SECONDS)) {
                old.destroy();
            }
        } catch (InterruptedException e) {
            old.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
