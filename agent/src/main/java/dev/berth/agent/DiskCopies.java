package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Copies of live disks, made while containers run: pass after pass, until little is left for {@link
 * DiskMigration}. Each pass takes up what an earlier one left, also that of an earlier life of the
 * agent. Thread-safe.
 */
final class DiskCopies {
    private static final Duration END_WAIT = Duration.ofSeconds(60);

    private final Layout layout;
    private final DiskTools tools;
    private final DiskMigration migration;
    private final Clock clock;

    /** Copies under way, by the disk they go to. */
    private final Map<DiskCid, Underway> underway = new HashMap<>();

    private record Underway(DiskCid from, AgentCall call, CountDownLatch over) {}

    DiskCopies(Layout layout, DiskTools tools, DiskMigration migration, Clock clock) {
        this.layout = layout;
        this.tools = tools;
        this.migration = migration;
        this.clock = clock;
    }

    /** Runs one preparation while no other operation on disks runs. */
    interface Exclusively {
        <T> T run(Supplier<T> work);
    }

    /**
     * Copies until little is left.
     *
     * @return {@code passes}, {@code files}, {@code bytes} and {@code left_bytes}, what the last
     *     pass had to copy, and so about what the next one has to
     */
    Map<String, Object> copy(DiskCid from, DiskCid to, AgentCall call, Exclusively exclusively) {
        var mine = new Underway(from, call, new CountDownLatch(1));
        String name =
                exclusively.run(() -> {
                    String common = migration.nameOf(from, to);
                    migration.prepare(common, from, to);
                    synchronized (underway) {
                        underway.put(to, mine);
                    }
                    return common;
                });
        try {
            return passes(name, from, call);
        } finally {
            synchronized (underway) {
                underway.remove(to, mine);
            }
            mine.over().countDown();
        }
    }

    private Map<String, Object> passes(String name, DiskCid from, AgentCall call) {
        var bytes = new ArrayList<Long>();
        long files = 0;
        long sum = 0;
        Instant began = clock.now();
        while (CopyPasses.another(bytes)) {
            long total = bytes.isEmpty() ? tools.space(layout.place(name)).used() : 0;
            TreeCopier.Passed passed =
                    migration.passLive(name, from, watch(call, sum, total, clock, began));
            if (call.isCancelled()) {
                throw new ActionException("cancelled; what was copied so far is kept");
            }
            files = passed.files();
            sum += passed.bytes();
            bytes.add(passed.bytes());
        }
        tools.sync(layout.aside(name)); // else the migration would have to, with containers stopped
        return Json.of(
                "passes",
                (long) bytes.size(),
                "files",
                files,
                "bytes",
                sum,
                "left_bytes",
                bytes.getLast());
    }

    /** Passes on how far it is: the first pass knows how much there is, later ones do not. */
    static TreeCopier.Watch watch(
            AgentCall call, long before, long total, Clock clock, Instant began) {
        return new TreeCopier.Watch() {
            @Override
            public void bytes(long sofar) {
                long done = before + sofar;
                long all = Math.max(total, done);
                long millis = Math.max(1, Duration.between(began, clock.now()).toMillis());
                long left = done == 0 ? 0 : (all - done) / Math.max(1, done * 1000 / millis);
                call.progress(Json.of("bytes", done, "total", all, "seconds_left", left));
            }

            @Override
            public boolean isCancelled() {
                return call.isCancelled();
            }
        };
    }

    /** Ends the copy to or from a disk, if there is one, and waits until it has. */
    void end(DiskCid disk) {
        List<Underway> ending;
        synchronized (underway) {
            ending =
                    underway.entrySet().stream()
                            .filter(e ->
                                    e.getKey().equals(disk) || e.getValue().from().equals(disk))
                            .map(Map.Entry::getValue)
                            .toList();
        }
        for (Underway copy : ending) {
            copy.call().cancel();
            try {
                if (!copy.over().await(END_WAIT.toSeconds(), TimeUnit.SECONDS)) {
                    throw new ActionException(
                            "disk " + disk + " is being copied, and the copy does not end");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ActionException("interrupted", e);
            }
        }
    }
}
