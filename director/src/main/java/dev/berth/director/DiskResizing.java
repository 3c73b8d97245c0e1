package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.planner.Desired;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Changes the disks of one instance by the way that the plan chose, or by copy where the cloud
 * turns out not to be able to, and says which it was and for how long containers stopped.
 */
final class DiskResizing {
    /** The payload's key of tasks that want to be told. */
    static final String ASKED = "size_mb";

    /** A disk that grew while containers stood still. */
    private record Grown(Rows.Disk was, Desired.DiskWish to) {}

    private final InstanceContext on;
    private final DiskActs disks;
    private final DiskCopy copies;
    private final Consumer<String> progress;
    private final List<Grown> grown = new ArrayList<>();
    private @Nullable Instant stopped;

    DiskResizing(InstanceContext on, DiskActs disks, Consumer<String> progress) {
        this.on = on;
        this.disks = disks;
        this.progress = progress;
        this.copies = new DiskCopy(on, disks, progress);
    }

    void grow(Step.GrowDisk step) {
        Rows.Disk was = on.disk(step.disk());
        Instant begun = on.hands().clock().now();
        DiskActs.Growth growth = disks.growDisk(step);
        if (!growth.grown()) {
            if (step.attached()) {
                copy(step.to());
            } else if (step.to().raw()) {
                throw new dev.berth.model.ProblemException(
                        100,
                        on.plan().text()
                                + ": the cloud cannot grow disk "
                                + was.cid()
                                + ", and a raw disk cannot be copied; keep its size");
            }
        } else if (step.attached()) {
            String path =
                    growth.answer() == null
                            ? "none"
                            : Fields.of(growth.answer(), "grow_disk").string("path", "online");
            long millis = Duration.between(begun, on.hands().clock().now()).toMillis();
            say(was, step.to(), path, path.equals("offline") ? millis : 0);
        } else {
            grown.add(new Grown(was, step.to()));
        }
    }

    void copy(Desired.DiskWish to) {
        Rows.Disk was = on.disk(to.name());
        Fields moved = copies.run(to);
        if (moved != null) {
            say(was, to, "copy", moved.integer("stopped_ms", 0));
        }
    }

    void stopping() {
        if (stopped == null) {
            stopped = on.hands().clock().now();
        }
    }

    void running() {
        Instant now = on.hands().clock().now();
        long millis = stopped == null ? 0 : Duration.between(stopped, now).toMillis();
        grown.forEach(g -> say(g.was(), g.to(), "offline", millis));
        grown.clear();
        stopped = null;
    }

    private void say(Rows.Disk was, Desired.DiskWish to, String way, long stoppedMillis) {
        Rows.Disk now = on.disk(to.name());
        String how =
                switch (way) {
                    case "online" -> "in place, no container stopped";
                    case "none" -> "in place";
                    case "offline" -> "in place, containers stopped for " + seconds(stoppedMillis);
                    default ->
                            "by copy to "
                                    + now.cid()
                                    + ", containers that use it stopped for "
                                    + seconds(stoppedMillis)
                                    + "; "
                                    + was.cid()
                                    + " is kept as an orphan";
                };
        progress.accept(
                "disk " + was.cid() + ": " + was.sizeMb() + " → " + now.sizeMb() + " MB " + how);
        if (on.task().payload().containsKey(ASKED)) {
            Map<String, Object> result =
                    Json.of(
                            "instance",
                            on.plan().name(),
                            "name",
                            to.name(),
                            "disk_cid",
                            now.cid().value(),
                            "old_disk_cid",
                            was.cid().value(),
                            "from_mb",
                            was.sizeMb(),
                            "to_mb",
                            now.sizeMb(),
                            "way",
                            way,
                            "stopped_ms",
                            stoppedMillis,
                            "text",
                            how);
            on.task().log().result(Json.write(result));
        }
    }

    private static String seconds(long millis) {
        return String.format(java.util.Locale.ROOT, "%.1f s", millis / 1000.0);
    }
}
