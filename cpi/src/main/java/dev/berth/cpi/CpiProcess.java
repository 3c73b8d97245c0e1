package dev.berth.cpi;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One run of a CPI executable: cleared environment, the request on its stdin, both outputs read
 * while it runs, the exit code of no account.
 */
final class CpiProcess {
    private static final int LONGEST_ANSWER = 16 * 1024 * 1024;
    private static final int LONGEST_LINE = 8192;

    /** A grandchild may hold the pipe after the CPI itself ended; the answer is there by then. */
    private static final Duration LINGER = Duration.ofSeconds(5);

    private final Path executable;
    private final Map<String, String> environment;
    private final Duration limit;

    CpiProcess(Path executable, Map<String, String> environment, Duration limit) {
        this.executable = executable;
        this.environment = environment;
        this.limit = limit;
    }

    /** Returns what it printed on stdout. */
    String run(String request, Consumer<String> stderr) {
        if (!Files.isExecutable(executable)) {
            throw new CpiException(
                    CpiException.Type.CPI_ERROR, "the CPI " + executable + " is not executable");
        }
        Process process = start();
        try {
            var answer = new ByteArrayOutputStream();
            Thread outReader = Thread.startVirtualThread(() -> collect(process, answer));
            Thread errReader =
                    Thread.startVirtualThread(() -> lines(process.getErrorStream(), stderr));
            // On a thread of its own too: a CPI that never reads must still meet the time limit.
            Thread writer = Thread.startVirtualThread(() -> write(process, request));
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw unknown("did not finish within " + limit.toSeconds() + " s and was killed");
            }
            outReader.join(LINGER);
            errReader.join(LINGER);
            writer.join(LINGER);
            synchronized (answer) {
                return answer.toString(StandardCharsets.UTF_8);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unknown("was interrupted and killed");
        } finally {
            end(process);
        }
    }

    private Process start() {
        var builder = new ProcessBuilder(executable.toAbsolutePath().toString());
        builder.environment().clear();
        builder.environment().putAll(environment);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new CpiException(
                    CpiException.Type.CPI_ERROR,
                    "the CPI " + executable + " cannot be started: " + e.getMessage(),
                    false,
                    e);
        }
    }

    private CpiException unknown(String what) {
        return new CpiException(
                CpiException.Type.UNKNOWN,
                "the CPI "
                        + executable
                        + " "
                        + what
                        + "; what it was asked may or may not have happened");
    }

    private static void write(Process process, String request) {
        try (OutputStream in = process.getOutputStream()) {
            in.write((request + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // A CPI may answer without reading to the end; what it answered decides.
        }
    }

    private static void collect(Process process, ByteArrayOutputStream answer) {
        byte[] buffer = new byte[8192];
        try (InputStream out = process.getInputStream()) {
            for (int count = out.read(buffer); count >= 0; count = out.read(buffer)) {
                synchronized (answer) {
                    // Too long is cut, and then is no JSON: refused as such, never held in memory.
                    answer.write(buffer, 0, Math.min(count, LONGEST_ANSWER - answer.size()));
                }
            }
        } catch (IOException e) {
            // The process was killed: the time limit is the error that is told.
        }
    }

    private static void lines(InputStream err, Consumer<String> stderr) {
        var line = new ByteArrayOutputStream();
        try (var in = new java.io.BufferedInputStream(err)) {
            for (int b = in.read(); b >= 0; b = in.read()) {
                if (b != '\n') {
                    line.write(b);
                }
                if (b == '\n' || line.size() >= LONGEST_LINE) {
                    stderr.accept(line.toString(StandardCharsets.UTF_8));
                    line.reset();
                }
            }
        } catch (IOException e) {
            // As above.
        }
        if (line.size() > 0) {
            stderr.accept(line.toString(StandardCharsets.UTF_8));
        }
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
