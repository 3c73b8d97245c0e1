package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The persistent disks of this VM: prepared, proven, mounted, grown, moved (rules R1 to R3 where
 * the agent has a part in them). One of them may be live at {@code store}, others, by their names,
 * below {@code disks}.
 *
 * <p>One operation at a time; {@link #proof} and {@link #list} never wait for one.
 */
final class Disks {
    private static final System.Logger LOG = System.getLogger(Disks.class.getName());
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration PROOF_PERIOD = Duration.ofSeconds(5);
    private static final Duration STOP_WAIT = Duration.ofMinutes(5);

    private final Layout layout;
    private final DiskTools tools;
    private final DiskWatch watch;
    private final DiskReport report;
    private final DiskRecords records;
    private final DiskDevices devices;
    private final RawDisks raw;
    private final DiskGrowth growth;
    private final DiskPlacer placer;
    private final DiskMigration migration;
    private final DiskCopies copies;
    private final Workload workload;
    private final Clock clock;
    private final Listener listener;
    private final ReentrantLock one = new ReentrantLock();
    private final Map<String, MountProof> proofs = new ConcurrentSkipListMap<>();

    /**
     * @param listener told of each change after the workload was
     */
    Disks(
            Layout layout,
            DiskPorts ports,
            DiskRecords records,
            Supplier<Settings> settings,
            Workload workload,
            Clock clock,
            Listener listener) {
        this.layout = layout;
        this.tools = ports.tools();
        this.records = records;
        this.devices = new DiskDevices(layout, tools, records, clock);
        this.raw = new RawDisks(layout, devices);
        this.growth = new DiskGrowth(tools);
        this.watch = new DiskWatch(layout, ports, devices, clock, listener::trouble);
        this.placer = new DiskPlacer(tools, records, growth, watch, settings);
        this.report = new DiskReport(layout, tools, records, devices, watch, this::proof);
        this.workload = workload;
        this.clock = clock;
        this.listener = listener;
        this.migration =
                new DiskMigration(layout, tools, ports.copier(), records, devices, placer, clock);
        this.copies = new DiskCopies(layout, tools, migration, clock);
    }

    /** Hears of disks. */
    @FunctionalInterface
    interface Listener {
        /** The proof of a disk, by its name, has become another. */
        void proof(String name, MountProof proof);

        /** A trouble goes on, or is over; told again and again. */
        default void trouble(Workload.Trouble trouble) {}
    }

    DiskReport report() {
        return report;
    }

    /** Of the disk at {@code store}. */
    MountProof proof() {
        return proof("");
    }

    MountProof proof(String name) {
        return proofs.getOrDefault(name, new MountProof.None());
    }

    /** Cids of the disks that are mounted and proven now. */
    List<String> proven() {
        return proofs.values().stream()
                .filter(MountProof.Proven.class::isInstance)
                .map(p -> ((MountProof.Proven) p).cid().value())
                .toList();
    }

    /**
     * Mounts again what was mounted last, then proves it from time to time until interrupted.
     *
     * @param looked called once, after the first look
     */
    void keepProven(Runnable looked) throws InterruptedException {
        records.mounted()
                .forEach((name, cid) ->
                        tell(
                                name,
                                new MountProof.Unproven(
                                        "disk " + cid + " is not mounted yet", true)));
        boolean settled = exclusively(this::lookAfterAll);
        looked.run();
        Duration pause = FIRST_PAUSE;
        while (true) {
            pause = settled ? PROOF_PERIOD : min(pause.multipliedBy(2), PROOF_PERIOD);
            clock.sleep(pause);
            settled = exclusively(this::lookAfterAll);
        }
    }

    /** One look; false when a disk that belongs here could not be mounted yet. */
    boolean lookAfterAll() {
        Map<String, DiskCid> wanted = records.mounted();
        proofs.keySet().stream()
                .filter(name -> !wanted.containsKey(name))
                .forEach(name -> tell(name, new MountProof.None()));
        boolean settled = true;
        for (var disk : wanted.entrySet()) {
            settled &= lookAfter(disk.getKey(), disk.getValue());
        }
        return settled;
    }

    private boolean lookAfter(String name, DiskCid cid) {
        try {
            migration.tidy(name);
            if (devices.mountedAt(layout.place(name)).isEmpty()) {
                if (devices.find(cid).isEmpty()) {
                    tell(
                            name,
                            new MountProof.Unproven(
                                    "waiting for device "
                                            + records.device(cid)
                                            + " of disk "
                                            + cid));
                    return false;
                }
                DiskCid live = migration.restore(name, cid);
                tell(name, watch.prove(name, live));
            } else {
                tell(name, watch.prove(name, cid));
            }
            if (proof(name) instanceof MountProof.Proven good) {
                watch.lookAtRoom(name, good.cid());
            }
            return true;
        } catch (RuntimeException e) {
            tell(name, new MountProof.Unproven("disk " + cid + ": " + ActionException.words(e)));
            return false;
        }
    }

    Map<String, Object> add(DiskCid cid, Object hint, DiskOptions options) {
        return exclusively(() -> {
            records.mounted()
                    .forEach((name, live) -> {
                        if (live.equals(cid) && !name.equals(options.name())) {
                            throw new ActionException(
                                    "disk "
                                            + cid
                                            + " is mounted at "
                                            + layout.place(name)
                                            + ": unmount it before it gets another name");
                        }
                    });
            records.add(cid, hint, options);
            return Map.of();
        });
    }

    Map<String, Object> remove(DiskCid cid) {
        return exclusively(() -> {
            copies.end(cid);
            records.remove(cid);
            return Map.of();
        });
    }

    /** Known disks whose device is mounted anywhere, and raw ones that are given to jobs. */
    List<String> list() {
        List<String> numbers = tools.mounts().stream().map(DiskTools.Mount::number).toList();
        return records.hints().keySet().stream()
                .filter(cid -> {
                    var disk = new DiskCid(cid);
                    DiskOptions options = records.options(disk);
                    return options.raw()
                            ? raw.isGiven(options.name())
                            : found(disk)
                                    .filter(d -> numbers.contains(d.device().number()))
                                    .isPresent();
                })
                .toList();
    }

    private Optional<DiskDevices.Found> found(DiskCid cid) {
        try {
            return devices.find(cid);
        } catch (ActionException e) {
            return Optional.empty();
        }
    }

    /**
     * Mounts at its place, or beside it when another disk is there (the director then migrates).
     * Mounted already is success.
     *
     * @param revive whether a disk that was superseded is to be live again, as a person decided
     */
    Map<String, Object> mount(DiskCid cid, boolean revive) {
        return exclusively(() -> {
            DiskOptions options = records.options(cid);
            if (options.raw()) {
                raw.give(cid, options.name());
                return Map.of();
            }
            String name = options.name();
            Path live = layout.place(name);
            DiskDevices.Found disk = devices.await(cid);
            if (records.mounted(name).equals(Optional.of(cid))) {
                clear(name, live);
            }
            if (devices.mountedAt(live).isPresent() && !devices.isMountedAt(cid, live)) {
                mountAside(disk, layout.aside(name));
                return Map.of();
            }
            if (revive) {
                revive(disk, live, layout.aside(name));
            }
            if (devices.isMountedAt(cid, live)) {
                placer.requireLive(cid, live);
            } else {
                migration.mountLive(name, disk);
            }
            records.mounted(name, cid);
            tell(name, watch.prove(name, cid));
            return Map.of();
        });
    }

    /** What somebody mounted in the place of a disk, and nobody has told us of. */
    private void clear(String name, Path live) {
        if (devices.mountedAt(live).isPresent() && devices.diskAt(live).isEmpty()) {
            requireNobody(
                    name,
                    "what is mounted at "
                            + live
                            + " is no disk of this VM, and is used by container ");
            tools.unmount(live);
            LOG.log(System.Logger.Level.WARNING, "a stranger was unmounted from {0}", live);
        }
    }

    private void mountAside(DiskDevices.Found disk, Path aside) {
        if (devices.isMountedAt(disk.cid(), aside)) {
            placer.requireIdentity(disk.cid(), aside);
        } else {
            placer.place(disk, aside);
        }
    }

    private void revive(DiskDevices.Found disk, Path live, Path aside) {
        if (!devices.isMountedAt(disk.cid(), live)) {
            mountAside(disk, aside);
            DiskMarks.revive(aside);
            records.superseded(disk.cid(), null);
            tools.unmount(aside);
        }
    }

    Map<String, Object> unmount(DiskCid cid) {
        return exclusively(() -> {
            copies.end(cid);
            DiskOptions options = records.options(cid);
            String name = options.name();
            Path device = records.device(cid);
            Optional<DiskTools.Mount> mount = devices.mountOf(cid);
            if (options.raw()) {
                raw.take(name);
            }
            if (mount.isEmpty()) {
                records.unmounted(name, cid);
                tellUnlessMounted(name);
                return Json.of("message", "Partition of " + device + " is not mounted");
            }
            boolean live = mount.get().at().equals(layout.place(name));
            if (live) {
                requireNobody(name, "disk " + cid + " is in use by container ");
                tell(name, new MountProof.Unproven("disk " + cid + " is being unmounted", true));
            }
            tools.unmount(mount.get().at());
            if (live) {
                watch.gone(name, cid);
                records.unmounted(name, cid);
                tell(name, new MountProof.None());
            }
            return Json.of("message", "Unmounted partition of " + device);
        });
    }

    private void tellUnlessMounted(String name) {
        if (records.mounted(name).isEmpty()) {
            tell(name, new MountProof.None());
        }
    }

    private void requireNobody(String name, String what) {
        List<String> users = workload.runningOnDisk(name);
        if (!users.isEmpty()) {
            throw new ActionException(what + "'" + String.join("', '", users) + "': stop it first");
        }
    }

    /**
     * Copies the data of a live disk to another one while containers run; may take hours.
     *
     * @see DiskCopies
     */
    Map<String, Object> copy(DiskCid from, DiskCid to, AgentCall call) {
        copies.end(to);
        return copies.copy(from, to, call, this::exclusively);
    }

    /** BOSH's own: from the disk at {@code store} to the one beside it, nobody using them. */
    Map<String, Object> migrate(AgentCall call) {
        Optional<DiskCid> from = devices.diskAt(layout.place(""));
        Optional<DiskCid> to = devices.diskAt(layout.aside(""));
        if (from.isEmpty() || to.isEmpty()) {
            throw new ActionException("two disks must be mounted to migrate from one to the other");
        }
        requireNobody("", "the disk is in use by container ");
        return migrate(from.get(), to.get(), call);
    }

    /**
     * Gives the place of one disk to another, with all data. Containers that use it are stopped for
     * the moment.
     *
     * @see DiskMigration
     */
    Map<String, Object> migrate(DiskCid from, DiskCid to, AgentCall call) {
        return exclusively(() -> {
            copies.end(to);
            String name = migration.nameOf(from, to);
            if (devices.mountedAt(layout.place(name)).isEmpty()) {
                // An earlier attempt was cut short: first it is known which of the two is live.
                boolean ignored = lookAfter(name, records.mounted(name).orElse(from));
            }
            if (migration.isOver(name, to)) {
                return DiskMigration.NOTHING_LEFT.toTree(Duration.ZERO);
            }
            migration.prepare(name, from, to);
            try {
                return moved(name, from, to, call);
            } catch (RuntimeException e) {
                // Whichever of the two is the live one goes back to its place.
                boolean ignored = lookAfter(name, records.mounted(name).orElse(from));
                throw e;
            }
        });
    }

    private Map<String, Object> moved(String name, DiskCid from, DiskCid to, AgentCall call) {
        Instant began = clock.now();
        tell(
                name,
                new MountProof.Unproven(
                        "its data is being moved from disk " + from + " to disk " + to, true));
        awaitNobodyOnDisk(name);
        DiskMigration.Done done = migration.move(name, from, to, call);
        watch.gone(name, from);
        tell(name, watch.prove(name, to));
        return done.toTree(Duration.between(began, clock.now()));
    }

    /**
     * Lets the file system fill a device that has grown: while it is mounted where that is
     * possible, otherwise with the containers that use it stopped for the moment.
     *
     * @return {@code path} ({@code online}, {@code offline} or {@code none}) and {@code size_mb}
     */
    Map<String, Object> grow(DiskCid cid) {
        return exclusively(() -> {
            if (records.options(cid).raw()) { // what it holds is its job's
                long bytes = devices.await(cid).device().bytes();
                return Json.of("path", "none", "size_mb", bytes / (1024 * 1024));
            }
            DiskDevices.Found disk = growth.partition(devices.await(cid));
            Optional<DiskTools.Mount> mount = devices.mountOf(cid);
            String path =
                    mount.isEmpty() ? growth.whenUnmounted(disk) : growMounted(disk, mount.get());
            LOG.log(
                    System.Logger.Level.INFO,
                    "disk={0} state=grown path={1} bytes={2}",
                    cid,
                    path,
                    String.valueOf(disk.device().bytes()));
            return Json.of("path", path, "size_mb", disk.device().bytes() / (1024 * 1024));
        });
    }

    /** Where a disk is mounted for its containers. */
    Path mountPoint(DiskCid cid) {
        return devices.mountOf(cid)
                .map(DiskTools.Mount::at)
                .orElseThrow(() -> new ActionException("disk " + cid + " is not mounted"));
    }

    /** Makes and names the file system of a blank disk, at a place that no container knows. */
    void placeAside(DiskCid cid, Path at) {
        exclusively(() -> {
            placer.place(devices.await(cid), at);
            return Map.of();
        });
    }

    private String growMounted(DiskDevices.Found disk, DiskTools.Mount mount) {
        return switch (tools.growMounted(disk.path(), mount.at(), mount.fileSystem())) {
            case GREW -> "online";
            case NOTHING_TO_DO -> "none";
            case NOT_WHILE_MOUNTED -> {
                growOffline(disk, mount);
                yield "offline";
            }
        };
    }

    private void growOffline(DiskDevices.Found disk, DiskTools.Mount mount) {
        DiskCid cid = disk.cid();
        String name = records.options(cid).name();
        boolean live = mount.at().equals(layout.place(name));
        if (live) {
            // The supervisor stops what uses an unproven disk, and starts it again once it is
            // proven.
            tell(
                    name,
                    new MountProof.Unproven(
                            "the file system of disk " + cid + " is being grown", true));
        }
        try {
            if (live) {
                awaitNobodyOnDisk(name);
            }
            tools.unmount(mount.at());
            try {
                tools.growUnmounted(disk.path(), mount.fileSystem());
            } finally {
                if (live) {
                    placer.placeLive(disk, mount.at());
                } else {
                    placer.place(disk, mount.at());
                }
            }
        } finally {
            if (live) {
                tell(name, watch.prove(name, cid));
            }
        }
    }

    private void awaitNobodyOnDisk(String name) {
        Instant end = clock.now().plus(STOP_WAIT);
        for (List<String> users = workload.runningOnDisk(name);
                !users.isEmpty();
                users = workload.runningOnDisk(name)) {
            if (clock.now().isAfter(end)) {
                throw new ActionException(
                        "container '" + String.join("', '", users) + "' did not leave the disk");
            }
            DiskDevices.sleep(clock, Duration.ofMillis(20));
        }
    }

    private void tell(String name, MountProof next) {
        MountProof before = proof(name);
        if (next.equals(before)) {
            return;
        }
        if (next instanceof MountProof.None) {
            proofs.remove(name);
        } else {
            proofs.put(name, next);
        }
        LOG.log(
                System.Logger.Level.INFO,
                "disk={0} from={1} to={2}",
                name.isEmpty() ? "store" : name,
                before,
                next);
        workload.disk(name, next);
        listener.proof(name, next);
    }

    private <T> T exclusively(Supplier<T> work) {
        one.lock();
        try {
            return work.get();
        } finally {
            one.unlock();
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    /** For settings.disk_associations: where the device of a known disk is. */
    @Nullable Path deviceNode(String cid) {
        return records.hints().containsKey(cid) ? records.device(new DiskCid(cid)) : null;
    }
}
