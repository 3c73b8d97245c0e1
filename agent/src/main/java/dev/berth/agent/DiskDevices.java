package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Where each known disk is now: its device, and where that is mounted. A device with a partition
 * table of one partition is used through that partition. Thread-safe.
 */
final class DiskDevices {
    private static final Duration DEVICE_WAIT = Duration.ofSeconds(30);

    private final Layout layout;
    private final DiskTools tools;
    private final DiskRecords records;
    private final Clock clock;

    DiskDevices(Layout layout, DiskTools tools, DiskRecords records, Clock clock) {
        this.layout = layout;
        this.tools = tools;
        this.records = records;
        this.clock = clock;
    }

    /**
     * A disk whose device is here.
     *
     * @param whole what the hint names
     * @param path what holds the file system: the whole device, or its one partition
     */
    record Found(DiskCid cid, Path whole, Path path, DiskTools.Device device) {}

    Optional<Found> find(DiskCid cid) {
        Path whole = records.device(cid);
        if (tools.device(whole).filter(d -> d.bytes() > 0).isEmpty()) {
            return Optional.empty();
        }
        Path path = tools.partition(whole).orElse(whole);
        return tools.device(path)
                .filter(d -> d.bytes() > 0)
                .map(device -> new Found(cid, whole, path, device));
    }

    /** The same for a disk that may not even be known. */
    Optional<Found> look(DiskCid cid) {
        return records.hints().containsKey(cid.value()) ? find(cid) : Optional.empty();
    }

    /** Waits for a device that is just being attached. */
    Found await(DiskCid cid) {
        Instant end = clock.now().plus(DEVICE_WAIT);
        while (true) {
            Optional<Found> found = find(cid);
            if (found.isPresent()) {
                return found.get();
            }
            if (clock.now().isAfter(end)) {
                throw new ActionException(
                        "device "
                                + records.device(cid)
                                + " of disk "
                                + cid
                                + " did not appear within "
                                + DEVICE_WAIT.toSeconds()
                                + " s");
            }
            sleep(clock, Duration.ofMillis(50));
        }
    }

    /** What is seen at a place: the last mount there. */
    Optional<DiskTools.Mount> mountedAt(Path at) {
        return tools.mounts().stream().filter(m -> m.at().equals(at)).reduce((a, b) -> b);
    }

    boolean isMountedAt(DiskCid cid, Path at) {
        Optional<DiskTools.Mount> mount = mountedAt(at);
        return mount.isPresent()
                && look(cid)
                        .filter(f -> f.device().number().equals(mount.get().number()))
                        .isPresent();
    }

    /** The place of ours at which a disk is mounted. */
    Optional<DiskTools.Mount> mountOf(DiskCid cid) {
        Optional<Found> found = look(cid);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        String name = records.options(cid).name();
        List<Path> ours =
                List.of(layout.place(name), layout.aside(name), layout.migrationSource(name));
        return tools.mounts().stream()
                .filter(m -> m.number().equals(found.get().device().number()))
                .filter(m -> ours.contains(m.at()))
                .findFirst();
    }

    /** The known disk that is mounted at a place. */
    Optional<DiskCid> diskAt(Path at) {
        return records.hints().keySet().stream()
                .map(DiskCid::new)
                .filter(cid -> isMountedAt(cid, at))
                .findFirst();
    }

    static void sleep(Clock clock, Duration time) {
        try {
            clock.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted", e);
        }
    }
}
