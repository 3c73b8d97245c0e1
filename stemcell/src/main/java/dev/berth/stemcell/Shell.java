package dev.berth.stemcell;

import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs the system's tools one at a time, each with a time limit and with its output in a log file,
 * whose end goes into the error when one fails.
 */
final class Shell {
    /** The caller may keep its own files to itself; a root file system is read by all its users. */
    private static final String UMASK = "umask 022\n";

    private static final String NAME = "berth-stemcell";
    private static final int LINES_SHOWN = 8;
    private static final long LOG_READ_BYTES = 64 * 1024;
    private final Path log;

    Shell(Path log) {
        this.log = log;
    }

    /**
     * Runs a command to its end.
     *
     * @param doing what it is for, as the error should name it
     * @throws ProblemException when it fails, cannot be started or takes longer than the limit
     */
    void run(String doing, Duration limit, List<String> command) {
        Process process = start(doing, command);
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                end(process);
                throw failed(doing, "not done after " + limit.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            end(process);
            Thread.currentThread().interrupt();
            throw failed(doing, "interrupted");
        }
        if (process.exitValue() != 0) {
            throw failed(doing, command.getFirst() + " ended with status " + process.exitValue());
        }
    }

    /** Runs a script of the Bourne shell that stops at its first failure. */
    void script(String doing, Duration limit, String script, String... arguments) {
        var command = new java.util.ArrayList<>(List.of("sh", "-ec", UMASK + script, NAME));
        command.addAll(List.of(arguments));
        run(doing, limit, command);
    }

    /**
     * Like {@link #script} in a mount name space of its own: what the script mounts is gone with
     * it, however it ends.
     */
    void mounting(String doing, Duration limit, String script, String... arguments) {
        var command =
                new java.util.ArrayList<>(
                        List.of("unshare", "--mount", "--propagation", "private"));
        command.addAll(List.of("sh", "-ec", UMASK + script, NAME));
        command.addAll(List.of(arguments));
        run(doing, limit, command);
    }

    private Process start(String doing, List<String> command) {
        try {
            Files.createDirectories(log.toAbsolutePath().getParent());
            var builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.redirectOutput(log.toFile());
            builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
            var environment = builder.environment();
            environment.put("LC_ALL", "C.UTF-8");
            environment.put("DEBIAN_FRONTEND", "noninteractive");
            // Tools of the administrator's are in sbin, which a plain user's PATH may lack under
            // sudo.
            environment.merge("PATH", ":/usr/sbin:/sbin", String::concat);
            environment.remove("JAVA_TOOL_OPTIONS");
            return builder.start();
        } catch (IOException e) {
            throw failed(doing, "cannot start " + command.getFirst() + ": " + e.getMessage());
        }
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private ProblemException failed(String doing, String why) {
        String output = tail();
        return new ProblemException(
                List.of(
                        new Problem(
                                100,
                                null,
                                doing + " failed: " + why + output,
                                remedy(output, "the whole output is in " + log))));
    }

    /** Names the way out for the failures that people really meet. */
    static String remedy(String output, String otherwise) {
        String text = output.toLowerCase(java.util.Locale.ROOT);
        if (text.contains("no space left on device")) {
            return "the disk is full: free some space, or set BERTH_HOME to a larger disk";
        }
        if (text.contains("couldn't download")
                || text.contains("failed getting release file")
                || text.contains("could not resolve")
                || text.contains("unable to locate package")
                || text.contains("failed to fetch")) {
            return "no Debian archive answers: check the network or name another mirror with"
                    + " --mirror URL or BERTH_DEBIAN_MIRROR";
        }
        if (text.contains("keyring")) {
            return "the archive's keys are missing: install the package debian-archive-keyring";
        }
        if (text.contains("operation not permitted")) {
            return "this user or container may not mount or chroot: run as root on a host that"
                    + " may, or bring a stemcell built elsewhere";
        }
        return otherwise;
    }

    private String tail() {
        try {
            if (!Files.exists(log)) {
                return "";
            }
            byte[] bytes;
            try (var file = Files.newByteChannel(log)) {
                file.position(Math.max(0, file.size() - LOG_READ_BYTES));
                bytes = java.nio.channels.Channels.newInputStream(file).readAllBytes();
            }
            List<String> lines =
                    new String(bytes, StandardCharsets.UTF_8)
                            .lines()
                            .filter(line -> !line.isBlank())
                            .toList();
            List<String> last =
                    lines.subList(Math.max(0, lines.size() - LINES_SHOWN), lines.size());
            return last.isEmpty() ? "" : "\n  " + String.join("\n  ", last) + "\n";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
