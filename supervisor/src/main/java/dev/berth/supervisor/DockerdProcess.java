package dev.berth.supervisor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The daemon of this VM: found by its pid file, started by a command that detaches it. */
public final class DockerdProcess implements DaemonProcess {
    private static final long COMMAND_SECONDS = 15;

    private final Path pidFile;
    private final List<String> startCommand;
    private final BooleanSupplier mayStart;

    /**
     * @param startCommand starts a daemon in a session of its own unless one runs, writes the pid
     *     file, and returns at once
     */
    public DockerdProcess(Path pidFile, List<String> startCommand) {
        this(pidFile, startCommand, () -> true);
    }

    /**
     * @param mayStart whether a daemon may be started now
     */
    public DockerdProcess(Path pidFile, List<String> startCommand, BooleanSupplier mayStart) {
        this.pidFile = pidFile;
        this.startCommand = List.copyOf(startCommand);
        this.mayStart = mayStart;
    }

    @Override
    public boolean mayStart() {
        return mayStart.getAsBoolean();
    }

    /** A stale pid file may name another process by now: only one called dockerd counts. */
    @Override
    public Optional<Alive> find() {
        try {
            long pid = Long.parseLong(Files.readString(pidFile).strip());
            String name = Files.readString(Path.of("/proc", Long.toString(pid), "comm")).strip();
            if (!name.equals("dockerd")) {
                return Optional.empty();
            }
            return ProcessHandle.of(pid)
                    .filter(handle -> !zombie(pid))
                    .map(h -> new Alive(pid, h.info().startInstant().orElse(Instant.EPOCH)));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** A daemon that ended and was not reaped yet is as gone as one that was. */
    private static boolean zombie(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            return stat.startsWith(") Z", stat.lastIndexOf(')'));
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void start() {
        if (mayStart()) {
            run(startCommand);
        }
    }

    @Override
    public void signal(long pid, Signal signal) {
        String name =
                switch (signal) {
                    case DUMP -> "USR1";
                    case TERM -> "TERM";
                    case RELOAD -> "HUP";
                    case KILL -> "KILL";
                };
        // The shell's own word: a machine need not have the program.
        run(List.of("/bin/sh", "-c", "kill -s " + name + " " + pid));
    }

    private static void run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            process.getOutputStream().close();
            if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
