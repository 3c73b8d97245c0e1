package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Holds all writes to a file system for a moment, so that a snapshot of its disk is one of a file
 * system at rest. Whoever writes meanwhile waits and cannot be killed, so it must never stay: a
 * process of its own, which the agent's end does not touch, thaws after the time; the agent does so
 * a little later, also in its next life; and a VM that ends frozen is the CPI's to thaw.
 */
final class DiskFreezer {
    private static final System.Logger LOG = System.getLogger(DiskFreezer.class.getName());

    /**
     * Longer than any snapshot that shares blocks takes, shorter than clients wait, and than a
     * small write may take before the disk counts as hanging.
     */
    static final int MOST_SECONDS = 45;

    private static final Duration SYNC = Duration.ofMinutes(10);
    private static final Duration SHORT = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofSeconds(2);

    /** Its file says so to everybody in this VM; gone with the boot, as the freeze is. */
    private static final String MARKS = "frozen";

    /**
     * Signals are ignored and a reader that is gone does not matter: once it has frozen, it lives
     * to thaw.
     */
    private static final String GUARD =
            "trap '' HUP INT TERM PIPE; fsfreeze --freeze \"$1\" 2>&1 || exit 1; echo frozen;"
                    + " sleep \"$2\"; fsfreeze --unfreeze \"$1\" 2>/dev/null; rm -f \"$3\"";

    private final Layout layout;
    private final Programs programs;
    private final Function<DiskCid, Path> mounted;
    private final Map<Path, Process> guards = new ConcurrentHashMap<>();

    /**
     * @param mounted where a disk is mounted; throws when it is not
     */
    DiskFreezer(Layout layout, Programs programs, Function<DiskCid, Path> mounted) {
        this.layout = layout;
        this.programs = programs;
        this.mounted = mounted;
    }

    /** Whether writers at this place wait. */
    static boolean isFrozen(Layout layout, Path at) {
        return Files.exists(mark(layout, at));
    }

    private static Path mark(Layout layout, Path at) {
        return layout.memory().resolve(MARKS).resolve(at.toString().replace('/', '_'));
    }

    /** Thaws what an earlier life of this agent froze, when its time is over. */
    void takeOver() {
        Path marks = layout.memory().resolve(MARKS);
        if (!Files.isDirectory(marks)) {
            return;
        }
        try (Stream<Path> files = Files.list(marks)) {
            for (Path mark : files.toList()) {
                String said = DurableFile.read(mark).orElse("");
                List<String> lines = said.lines().toList();
                if (lines.size() == 3 && lines.get(1).matches("\\d{1,3}")) {
                    thawLater(Path.of(lines.getFirst()), Integer.parseInt(lines.get(1)), said);
                }
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot read {0}: {1}", marks, e);
        }
    }

    /**
     * @return {@code frozen}; false with a {@code reason} where the kernel refuses: what is written
     *     is then on the disk, but nothing keeps writers from going on
     */
    Map<String, Object> freeze(DiskCid cid, int seconds) {
        if (seconds < 1 || seconds > MOST_SECONDS) {
            throw new ActionException("a disk is frozen for 1 to " + MOST_SECONDS + " seconds");
        }
        Path at = mounted.apply(cid);
        // Most of what is to be written is written before anybody has to wait for it.
        String ignored =
                programs.run(SYNC, "sync", "-f", at.toString()).orFail("cannot write out " + at);
        Path mark = mark(layout, at);
        String said = at + "\n" + seconds + "\n" + UUID.randomUUID() + "\n";
        DurableFile.write(mark, said);
        String refused;
        try {
            refused = begin(at, seconds, mark);
        } catch (IOException | RuntimeException e) {
            thaw(at);
            throw new ActionException("cannot freeze " + at + ": " + ActionException.words(e), e);
        }
        if (!refused.isEmpty()) {
            DurableFile.delete(mark);
            return Json.of("frozen", false, "reason", refused);
        }
        thawLater(at, seconds, said);
        LOG.log(System.Logger.Level.INFO, "disk={0} state=frozen seconds={1}", cid, "" + seconds);
        return Json.of("frozen", true);
    }

    /** Returns why not; empty: it is frozen. */
    private String begin(Path at, int seconds, Path mark) throws IOException {
        Process guard =
                new ProcessBuilder(
                                "setsid",
                                "sh",
                                "-c",
                                GUARD,
                                "berth-thaw",
                                at.toString(),
                                "" + seconds,
                                mark.toString())
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = guard.inputReader().readLine();
        if (!"frozen".equals(said)) {
            return said == null ? "fsfreeze says nothing" : said;
        }
        guards.put(at, guard);
        return "";
    }

    /**
     * The second guard, for the case that the first was killed.
     *
     * @param said in the mark of this freeze, and of no later one
     */
    private void thawLater(Path at, int seconds, String said) {
        Thread.ofVirtual()
                .name("thaw " + at)
                .start(() -> {
                    try {
                        Thread.sleep(Duration.ofSeconds(seconds).plus(GRACE));
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    boolean still = DurableFile.read(mark(layout, at)).equals(Optional.of(said));
                    if (still && thaw(at)) {
                        LOG.log(System.Logger.Level.WARNING, "thawed {0}, whose time was over", at);
                    }
                });
    }

    /**
     * @return {@code held}: whether it was frozen all the time until now; if not, what was made of
     *     the disk meanwhile is worth no more than without
     */
    Map<String, Object> thaw(DiskCid cid) {
        boolean held = thaw(mounted.apply(cid));
        LOG.log(System.Logger.Level.INFO, "disk={0} state=thawed held={1}", cid, held);
        return Json.of("held", held);
    }

    private boolean thaw(Path at) {
        boolean held = programs.run(SHORT, "fsfreeze", "--unfreeze", at.toString()).ok();
        Process guard = guards.remove(at);
        if (guard != null) {
            List<ProcessHandle> members = guard.descendants().toList();
            guard.destroyForcibly();
            members.forEach(ProcessHandle::destroyForcibly);
        }
        DurableFile.delete(mark(layout, at));
        return held;
    }

    List<Action> all() {
        return List.of(
                Action.aside("freeze_disk", 2, (a, call) -> freeze(cid(a), a.integer(1, 0))),
                Action.aside("thaw_disk", 1, (a, call) -> thaw(cid(a))));
    }

    private static DiskCid cid(Arguments a) {
        return new DiskCid(a.string(0));
    }
}
