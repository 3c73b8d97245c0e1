package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The director of this machine as a process: to start and to stop. */
final class DirectorProcess {
    /** For the log, the database and its journal. */
    private static final long LEAST_SPACE = 16L << 20;

    private static final Duration READY = Duration.ofSeconds(60);

    private final Home home;
    private final Screen screen;

    DirectorProcess(Home home, Screen screen) {
        this.home = home;
        this.screen = screen;
    }

    /**
     * Ready when it returns; one that answers already stays as it is, unless Berth was built anew
     * since: its classes are gone from under it.
     */
    void start(EnvironmentFile file) {
        start(file, Map.of(), READY);
    }

    /**
     * @param env what it finds in its environment besides
     * @param ready how long it may take
     */
    void start(EnvironmentFile file, Map<String, String> env, Duration ready) {
        if (answers(file)) {
            if (!isOlderThanItsBuild()) {
                return;
            }
            screen.line("starting the director anew: Berth was built since it began");
            stop();
        }
        Path log = home.directorLog();
        checkSpace();
        long before = size(log);
        screen.line("starting the director (log: " + log + ")");
        var whole = new HashMap<>(env);
        whole.put("BERTH_HOME", home.path().toString());
        Process process = Tools.detach(whole, log, home.launcher(), "director");
        long giveUp = System.nanoTime() + ready.toNanos();
        while (!answers(file)) {
            if (!process.isAlive() && !isAlive()) {
                throw new CliException(
                        "the director ended at once; its last words:\n" + lastWords(log, before));
            }
            if (System.nanoTime() > giveUp) {
                throw new CliException(
                        "the director did not answer within "
                                + ready.toSeconds()
                                + " s; its last words:\n"
                                + lastWords(log, before));
            }
            TaskFollower.sleep(50);
        }
    }

    private boolean isOlderThanItsBuild() {
        try {
            var place = DirectorProcess.class.getProtectionDomain().getCodeSource();
            if (place == null) {
                return false;
            }
            var built = Files.getLastModifiedTime(Path.of(place.getLocation().toURI())).toInstant();
            return pid().flatMap(ProcessHandle::of)
                    .flatMap(handle -> handle.info().startInstant())
                    .filter(began -> began.isBefore(built))
                    .isPresent();
        } catch (IOException | java.net.URISyntaxException e) {
            return false;
        }
    }

    /** A director on a full disk cannot even write down why it ends. */
    private void checkSpace() {
        try {
            long free = Files.getFileStore(home.path()).getUsableSpace();
            if (free < LEAST_SPACE) {
                throw new CliException(
                        "no space left on device: "
                                + free / 1024
                                + " KiB are free under "
                                + home.path()
                                + ", a director needs "
                                + LEAST_SPACE / 1024 / 1024
                                + " MiB to start; free some and try again");
            }
        } catch (IOException e) {
            throw new CliException("cannot look at " + home.path() + ": " + e.getMessage(), e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0; // there is none yet
        }
    }

    /** What the log has got since it had so many bytes. */
    private static String lastWords(Path log, long before) {
        try {
            byte[] all = Files.readAllBytes(log);
            int from = (int) Math.min(before, all.length);
            String fresh = new String(all, from, all.length - from, StandardCharsets.UTF_8);
            List<String> lines = fresh.lines().toList();
            return lines.isEmpty()
                    ? "(none; look at " + log + ")"
                    : String.join(
                            "\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        } catch (IOException e) {
            return "(no log at " + log + ")";
        }
    }

    private boolean answers(EnvironmentFile file) {
        if (!Files.exists(home.caFile()) || !Ports.isListenedOn(file.host(), file.apiPort())) {
            return false;
        }
        try {
            return new Api(Target.of(file, home)).object("/info").get("user") != null;
        } catch (CliException | IllegalArgumentException e) {
            return false;
        }
    }

    private boolean isAlive() {
        return pid().flatMap(ProcessHandle::of).map(ProcessHandle::isAlive).orElse(false);
    }

    /** The process the pid file names, if it is a director still: numbers are used again. */
    private Optional<Long> pid() {
        try {
            long pid = Long.parseLong(Files.readString(home.pidFile()).strip());
            return commandLine(pid).contains("dev.berth.director")
                    ? Optional.of(pid)
                    : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Empty when it has ended. */
    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    /** The director and its children; what a killed one left is left to the next. */
    void stopIfAlive() {
        pid().ifPresent(pid -> stop(pid, "director, bus and registry"));
    }

    /** The director and its children, also those of one that was killed. */
    void stop() {
        pid().ifPresent(pid -> stop(pid, "director, bus and registry"));
        children().forEach(pid -> stop(pid, "what a killed director left"));
    }

    private void stop(long pid, String what) {
        screen.line("stopping " + what);
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
        for (int i = 0; i < 300; i++) {
            if (ProcessHandle.of(pid).map(h -> !h.isAlive()).orElse(true)) {
                return;
            }
            TaskFollower.sleep(100);
        }
        throw new CliException(what + " (pid " + pid + ") did not stop within 30 s");
    }

    private List<Long> children() {
        List<String> theirs =
                List.of(
                        String.join("\0", "nats-server", "-c", home.path() + "/director/nats/"),
                        String.join("\0", "docker-registry", "serve", home.path() + "/registry/"));
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> theirs.stream().anyMatch(commandLine(pid)::contains))
                .toList();
    }
}
