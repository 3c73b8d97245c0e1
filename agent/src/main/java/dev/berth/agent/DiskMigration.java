package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.wire.DiskRefusal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Gives the place of one disk to another one, with all data. Which of the two is live is decided by
 * what is written on them, and by nothing else:
 *
 * <ol>
 *   <li>the new disk is marked as incoming, before the first byte: it is not live;
 *   <li>the old one leaves its live place, the last difference is copied, compared and synced;
 *   <li>the old one is marked as superseded: from here on it is not live. This is the one moment;
 *   <li>the new one loses its mark and takes the place.
 * </ol>
 *
 * After an end at any of these points {@link #restore} goes back (before 3) or on (after it). Its
 * owner lets one operation run at a time.
 */
final class DiskMigration {
    private static final System.Logger LOG = System.getLogger(DiskMigration.class.getName());

    /** Files get the time of the kernel's last tick. */
    private static final Duration CLOCK_GRAIN = Duration.ofMillis(100);

    private static final long MIB = 1024 * 1024;

    private final Layout layout;
    private final DiskTools tools;
    private final TreeCopier copier;
    private final DiskRecords records;
    private final DiskDevices devices;
    private final DiskPlacer placer;
    private final Clock clock;

    /** What a migration did that was over when it was asked for. */
    static final Done NOTHING_LEFT = new Done(0, 0, 0);

    /**
     * @param bytes copied while nobody used the disk
     * @param verified files that were compared
     */
    record Done(long files, long bytes, long verified) {
        Map<String, Object> toTree(Duration stopped) {
            return Json.of(
                    "files",
                    files,
                    "bytes",
                    bytes,
                    "verified_files",
                    verified,
                    "stopped_ms",
                    stopped.toMillis());
        }
    }

    DiskMigration(
            Layout layout,
            DiskTools tools,
            TreeCopier copier,
            DiskRecords records,
            DiskDevices devices,
            DiskPlacer placer,
            Clock clock) {
        this.layout = layout;
        this.tools = tools;
        this.copier = copier;
        this.records = records;
        this.devices = devices;
        this.placer = placer;
        this.clock = clock;
    }

    /** The name that both have: data moves only between disks of one name. */
    String nameOf(DiskCid from, DiskCid to) {
        if (from.equals(to)) {
            throw new ActionException("disk " + from + " cannot be copied to itself");
        }
        DiskOptions old = records.options(from);
        DiskOptions next = records.options(to);
        if (old.raw() || next.raw()) {
            throw new ActionException(
                    "a raw disk belongs to its job: disks "
                            + from
                            + " and "
                            + to
                            + " cannot be copied by the agent");
        }
        if (!old.name().equals(next.name())) {
            throw new ActionException(
                    "disk "
                            + from
                            + " has the name '"
                            + old.name()
                            + "', disk "
                            + to
                            + " the name '"
                            + next.name()
                            + "': data moves only within one name");
        }
        return old.name();
    }

    boolean isOver(String name, DiskCid to) {
        return records.mounted(name).equals(Optional.of(to))
                && devices.isMountedAt(to, layout.place(name));
    }

    /** Before anything is copied, while containers run: both are there, and the data will fit. */
    void prepare(String name, DiskCid from, DiskCid to) {
        Path live = layout.place(name);
        if (!records.mounted(name).equals(Optional.of(from)) || !devices.isMountedAt(from, live)) {
            throw new ActionException(
                    "disk "
                            + from
                            + " is not mounted at "
                            + live
                            + ": mount it first; there is "
                            + records.mounted(name).map(c -> "disk " + c).orElse("none"));
        }
        Path aside = layout.aside(name);
        mountAside(devices.await(to), aside);
        Optional<String> source = DiskMarks.source(aside);
        if (DiskMarks.successor(aside).isPresent()) {
            throw DiskMarks.notLive(to, aside).orElseThrow().failure();
        }
        if (source.isPresent() && !source.get().equals(from.value())) {
            throw new ActionException(
                    "disk "
                            + to
                            + " has an unfinished copy of disk '"
                            + source.get()
                            + "', not of disk "
                            + from
                            + ": give a new disk");
        }
        if (source.isEmpty() && !DiskMarks.isEmpty(aside)) {
            throw new ActionException(
                    "disk "
                            + to
                            + " has data of its own, which the copy would replace:"
                            + " give a new disk");
        }
        requireRoom(from, live, to, aside);
        if (source.isEmpty()) {
            Instant now = clock.now();
            tools.sync(live);
            DiskMarks.receive(aside, from, now.minus(CLOCK_GRAIN));
        }
    }

    /** One pass over a live disk, and the note of how far what it copied can be trusted. */
    TreeCopier.Passed passLive(String name, DiskCid from, TreeCopier.Watch watch) {
        Path live = layout.place(name);
        Path aside = layout.aside(name);
        Instant began = clock.now().minus(CLOCK_GRAIN);
        tools.sync(live); // what is written from here on changes a file's time at least once
        TreeCopier.Passed passed =
                copier.pass(live, aside, DiskMarks.receivedSince(aside), true, watch);
        DiskMarks.receive(aside, from, began);
        return passed;
    }

    private void mountAside(DiskDevices.Found disk, Path aside) {
        if (!devices.isMountedAt(disk.cid(), aside)) {
            Optional<DiskTools.Mount> other = devices.mountedAt(aside);
            if (other.isPresent()) {
                throw new ActionException(
                        "another disk is mounted at " + aside + ": unmount it first");
            }
            placer.place(disk, aside);
        }
        placer.requireIdentity(disk.cid(), aside);
    }

    private void requireRoom(DiskCid from, Path live, DiskCid to, Path aside) {
        DiskTools.Space have = tools.space(live);
        DiskTools.Space room = tools.space(aside);
        if (have.used() > room.used() + room.available()) {
            throw new ActionException(
                    "the data of disk "
                            + from
                            + " does not fit disk "
                            + to
                            + ": "
                            + Math.ceilDiv(have.used(), MIB)
                            + " MiB are used, "
                            + (room.used() + room.available()) / MIB
                            + " MiB are available");
        }
    }

    /** With nobody on the disk. The old one ends unmounted, the new one at the live place. */
    Done move(String name, DiskCid from, DiskCid to, AgentCall call) {
        Path live = layout.place(name);
        Path source = layout.migrationSource(name);
        Path aside = layout.aside(name);
        // Moved away first: nobody can write to it any more, and its cached tree stays warm.
        tools.bindReadOnly(live, source);
        tools.unmount(live);
        Done done = copyLast(source, aside, call);
        tools.unmount(source);
        placer.place(devices.await(from), source);
        DiskMarks.supersede(source, to, clock.now());
        tools.unmount(source); // and with that it is on the disk before the other may be live
        LOG.log(System.Logger.Level.INFO, "disk={0} state=superseded by={1}", from, to);
        finish(name, from, to);
        return done;
    }

    private Done copyLast(Path source, Path aside, AgentCall call) {
        TreeCopier.Watch watch = DiskCopies.watch(call, 0, 0, clock, clock.now());
        Instant since = clock.now().minus(CLOCK_GRAIN);
        TreeCopier.Passed passed =
                copier.pass(source, aside, DiskMarks.receivedSince(aside), false, watch);
        Instant copied = clock.now();
        tools.sync(aside);
        Instant synced = clock.now();
        TreeCopier.Compared compared = copier.compare(source, aside, since);
        LOG.log(
                System.Logger.Level.INFO,
                "disk at={0} state=copied files={1} copy_ms={2} sync_ms={3} compare_ms={4}",
                aside,
                String.valueOf(passed.files()),
                String.valueOf(Duration.between(since, copied).toMillis()),
                String.valueOf(Duration.between(copied, synced).toMillis()),
                String.valueOf(Duration.between(synced, clock.now()).toMillis()));
        if (!compared.differences().isEmpty()) {
            throw new ActionException(
                    "the copy differs from its source, and the old disk stays: "
                            + String.join("; ", compared.differences()));
        }
        return new Done(passed.files(), passed.bytes(), compared.files());
    }

    /** From the moment on at which the old disk is superseded; may be repeated. */
    private void finish(String name, DiskCid from, DiskCid to) {
        records.superseded(from, to.value());
        if (!records.hints().containsKey(to.value())) {
            throw new ActionException(
                    "disk "
                            + from
                            + " was superseded by disk '"
                            + to
                            + "', which is not attached to this VM: attach and mount that one",
                    new DiskRefusal(DiskRefusal.Reason.SUPERSEDED, to));
        }
        Path aside = layout.aside(name);
        DiskDevices.Found disk = devices.await(to);
        mountAside(disk, aside);
        Optional<String> source = DiskMarks.source(aside);
        if (source.isPresent() && !source.get().equals(from.value())) {
            throw DiskMarks.notLive(to, aside).orElseThrow().failure();
        }
        DiskMarks.received(aside);
        tools.unmount(aside);
        records.mounted(name, to);
        placer.placeLive(disk, layout.place(name));
    }

    /** Unmounts what an earlier life left at a place of its own. */
    void tidy(String name) {
        Path source = layout.migrationSource(name);
        while (devices.mountedAt(source).isPresent()) {
            tools.unmount(source);
        }
    }

    /**
     * Mounts at an empty live place what belongs there: the disk that was there last, or the one
     * that has taken over its data.
     *
     * @return the disk that is there now
     */
    DiskCid restore(String name, DiskCid last) {
        Path live = layout.place(name);
        DiskDevices.Found disk = devices.await(last);
        if (devices.isMountedAt(last, layout.aside(name))) {
            tools.unmount(layout.aside(name));
        }
        placer.place(disk, live);
        Optional<String> successor = DiskMarks.successor(live);
        if (successor.isPresent()) {
            tools.unmount(live);
            var next = new DiskCid(successor.get());
            finish(name, last, next);
            return next;
        }
        requireReceived(name, disk);
        return last;
    }

    /** Mounts a disk at an empty live place, if it may be live. */
    void mountLive(String name, DiskDevices.Found disk) {
        tidy(name);
        if (devices.isMountedAt(disk.cid(), layout.aside(name))) {
            tools.unmount(layout.aside(name));
        }
        placer.place(disk, layout.place(name));
        requireReceived(name, disk);
    }

    /** A copy that is complete by what its source says, but not yet marked so, is finished. */
    private void requireReceived(String name, DiskDevices.Found disk) {
        Path live = layout.place(name);
        Optional<String> from = DiskMarks.source(live);
        Optional<DiskMarks.NotLive> why = DiskMarks.notLive(disk.cid(), live);
        if (why.isEmpty()) {
            return;
        }
        DiskMarks.successor(live).ifPresent(by -> records.superseded(disk.cid(), by));
        tools.unmount(live);
        boolean complete =
                from.isPresent() && supersededBy(name, new DiskCid(from.get()), disk.cid());
        if (!complete) {
            throw why.get().failure();
        }
        finish(name, new DiskCid(from.get()), disk.cid());
    }

    private boolean supersededBy(String name, DiskCid from, DiskCid to) {
        Optional<DiskDevices.Found> old = devices.look(from);
        Path source = layout.migrationSource(name);
        if (old.isEmpty()) {
            return false;
        }
        placer.place(old.get(), source);
        try {
            return DiskMarks.successor(source).equals(Optional.of(to.value()));
        } finally {
            tools.unmount(source);
        }
    }
}
