package dev.berth.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The processes of commands in containers, and their ends: the engine ends none, but each leads a
 * session of the kernel's, with all it has started in it. Kept in files of a directory in memory,
 * so that an agent's next life can end what it left. Thread-safe.
 */
final class SessionProcesses {
    private static final System.Logger LOG = System.getLogger(SessionProcesses.class.getName());
    private static final Duration OFTEN = Duration.ofMillis(20);

    private final Path folder;
    private final Path proc;
    private final Map<UUID, Leader> leaders = new ConcurrentHashMap<>();

    /**
     * @param startTicks tells it from a later process of the same number
     */
    private record Leader(long pid, long startTicks) {}

    SessionProcesses(Layout layout) {
        this.folder = layout.memory().resolve("sessions");
        this.proc = layout.proc();
    }

    void remember(UUID session, long pid) {
        var leader = new Leader(pid, ProcessTimes.startTicks(proc, pid));
        leaders.put(session, leader);
        DurableFile.write(folder.resolve(session.toString()), leader.pid + " " + leader.startTicks);
    }

    /** Hangs up, as a terminal does; kills what is still there after the grace. */
    void end(UUID session, Duration grace) {
        Leader leader = leaders.remove(session);
        if (leader != null) {
            end(leader, grace);
            DurableFile.delete(folder.resolve(session.toString()));
        }
    }

    /** Ends what is written down. */
    void endAll() {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String[] words = DurableFile.read(file).orElse("").strip().split(" ");
                if (words.length == 2) {
                    end(
                            new Leader(Long.parseLong(words[0]), Long.parseLong(words[1])),
                            Duration.ofMillis(200));
                }
                Files.delete(file);
            }
        } catch (IOException | UncheckedIOException | NumberFormatException e) {
            LOG.log(System.Logger.Level.WARNING, "sessions left over cannot be ended: {0}", e);
        }
    }

    private void end(Leader leader, Duration grace) {
        // A number of another process by now is left alone, and so are its children.
        boolean same = ProcessTimes.startTicks(proc, leader.pid) == leader.startTicks;
        List<ProcessHandle> members = same ? members(leader.pid) : List.of();
        if (members.isEmpty()) {
            return;
        }
        signal("HUP", members);
        long give = System.nanoTime() + grace.toNanos();
        while (System.nanoTime() < give && members.stream().anyMatch(ProcessHandle::isAlive)) {
            try {
                Thread.sleep(OFTEN);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        members.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
    }

    /** All processes of the kernel's session that this one leads, itself included. */
    private List<ProcessHandle> members(long leader) {
        var members = new ArrayList<ProcessHandle>();
        try (Stream<Path> processes = Files.list(proc)) {
            for (Path process : processes.toList()) {
                String name = String.valueOf(process.getFileName());
                if (name.matches("\\d+") && sessionOf(process) == leader) {
                    ProcessHandle.of(Long.parseLong(name)).ifPresent(members::add);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return members;
    }

    /** The fourth field after the name, which may hold anything, blanks and brackets too. */
    private static long sessionOf(Path process) {
        try {
            String stat = Files.readString(process.resolve("stat"));
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[3]);
        } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
            return -1; // it has ended meanwhile
        }
    }

    private static void signal(String name, List<ProcessHandle> members) {
        var command =
                new ArrayList<>(List.of("/bin/sh", "-c", "kill -s " + name + " \"$@\"", "sh"));
        members.forEach(m -> command.add(Long.toString(m.pid())));
        try {
            Process kill = new ProcessBuilder(command).redirectErrorStream(true).start();
            kill.getOutputStream().close();
            kill.getInputStream().readNBytes(1000);
            int ignored = kill.waitFor();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "a session cannot be hung up: {0}", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
