package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The persistent disks of this VM: prepared, proven, mounted, grown (rules R1 to R3 where the agent
 * has a part in them). A device is formatted only when it is blank; a file system is mounted only
 * when it carries the expected disk's identity in {@value #IDENTITY_FILE}.
 *
 * <p>One operation at a time; {@link #proof} and {@link #list} never wait for one.
 */
final class Disks {
    private static final System.Logger LOG = System.getLogger(Disks.class.getName());
    static final String IDENTITY_FILE = ".berth-disk";
    static final String PROBE_FILE = ".berth-probe";
    private static final Duration DEVICE_WAIT = Duration.ofSeconds(30);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration PROOF_PERIOD = Duration.ofSeconds(5);
    private static final Duration STOP_WAIT = Duration.ofMinutes(5);

    /**
     * A file system is never exactly as long as its device; below this there is nothing to gain.
     */
    private static final long SLACK = 1024 * 1024;

    private final Layout layout;
    private final DiskTools tools;
    private final StoreProver prover;
    private final DiskRecords records;
    private final Supplier<Settings> settings;
    private final Workload workload;
    private final Clock clock;
    private final Consumer<StoreProof> onProof;
    private final ReentrantLock one = new ReentrantLock();
    private volatile StoreProof proof = new StoreProof.None();

    /**
     * @param onProof told of each change of the proof, after the workload was
     */
    Disks(
            Layout layout,
            DiskTools tools,
            DiskRecords records,
            Supplier<Settings> settings,
            Workload workload,
            Clock clock,
            Consumer<StoreProof> onProof) {
        this.layout = layout;
        this.tools = tools;
        this.prover = new StoreProver(layout, tools);
        this.records = records;
        this.settings = settings;
        this.workload = workload;
        this.clock = clock;
        this.onProof = onProof;
    }

    StoreProof proof() {
        return proof;
    }

    /** Cids of the disks that are mounted and proven now. */
    List<String> proven() {
        return proof instanceof StoreProof.Proven p ? List.of(p.cid().value()) : List.of();
    }

    /**
     * Mounts again what was mounted last, then proves it from time to time until interrupted.
     *
     * @param looked called once, after the first look
     */
    void keepProven(Runnable looked) throws InterruptedException {
        records.lastMounted()
                .ifPresent(cid ->
                        tell(new StoreProof.Unproven("disk " + cid + " is not mounted yet", true)));
        boolean settled = exclusively(this::lookAfterLastMounted);
        looked.run();
        Duration pause = FIRST_PAUSE;
        while (true) {
            pause = settled ? PROOF_PERIOD : min(pause.multipliedBy(2), PROOF_PERIOD);
            clock.sleep(pause);
            settled = exclusively(this::lookAfterLastMounted);
        }
    }

    /** One look; false when the disk that belongs here could not be mounted yet. */
    boolean lookAfterLastMounted() {
        Optional<DiskCid> last = records.lastMounted();
        if (last.isEmpty()) {
            tell(new StoreProof.None());
            return true;
        }
        DiskCid cid = last.get();
        try {
            if (prover.mountedAt(layout.store()).isEmpty()) {
                Path device = records.device(cid);
                if (tools.device(device).isEmpty()) {
                    tell(
                            new StoreProof.Unproven(
                                    "waiting for device " + device + " of disk " + cid));
                    return false;
                }
                place(cid, device, layout.store());
            }
            tell(prover.full(cid));
            return true;
        } catch (ActionException e) {
            tell(new StoreProof.Unproven("disk " + cid + ": " + e.getMessage()));
            return false;
        }
    }

    Map<String, Object> add(DiskCid cid, Object hint) {
        return exclusively(() -> {
            records.add(cid, hint);
            return Map.of();
        });
    }

    Map<String, Object> remove(DiskCid cid) {
        return exclusively(() -> {
            records.remove(cid);
            return Map.of();
        });
    }

    /** Known disks whose device is mounted anywhere. */
    List<String> list() {
        List<String> numbers = tools.mounts().stream().map(DiskTools.Mount::number).toList();
        return records.hints().keySet().stream()
                .filter(cid ->
                        deviceOf(new DiskCid(cid))
                                .filter(d -> numbers.contains(d.number()))
                                .isPresent())
                .toList();
    }

    /**
     * Mounts at {@code store}, or beside it when another disk is there (the director then
     * migrates). Mounted already is success.
     */
    Map<String, Object> mount(DiskCid cid) {
        return exclusively(() -> {
            Path device = records.device(cid);
            String number = awaitDevice(cid, device).number();
            Optional<DiskTools.Mount> there = prover.mountedAt(layout.store());
            boolean aside = there.isPresent() && !there.get().number().equals(number);
            Path at = aside ? layout.migrationTarget() : layout.store();
            if (prover.mountedAt(at).filter(m -> m.number().equals(number)).isEmpty()) {
                place(cid, device, at);
            } else {
                requireIdentity(cid, at);
            }
            if (!aside) {
                records.mounted(cid);
                tell(prover.full(cid));
            }
            return Map.of();
        });
    }

    Map<String, Object> unmount(DiskCid cid) {
        return exclusively(() -> {
            Path device = records.device(cid);
            Optional<DiskTools.Mount> mount = mountOf(cid);
            if (mount.isEmpty()) {
                records.unmounted(cid);
                return Json.of("message", "Partition of " + device + " is not mounted");
            }
            List<String> users = workload.runningOnDisk();
            boolean isStore = mount.get().at().equals(layout.store());
            if (isStore && !users.isEmpty()) {
                throw new ActionException(
                        "disk "
                                + cid
                                + " is in use by container '"
                                + String.join("', '", users)
                                + "': stop it first");
            }
            if (isStore) {
                tell(new StoreProof.Unproven("disk " + cid + " is being unmounted", true));
            }
            tools.unmount(mount.get().at());
            if (isStore) {
                records.unmounted(cid);
                tell(new StoreProof.None());
            }
            return Json.of("message", "Unmounted partition of " + device);
        });
    }

    /**
     * Moves the data of the disk at {@code store} to the one mounted beside it, which takes its
     * place.
     */
    Map<String, Object> migrate() {
        return exclusively(() -> {
            Optional<DiskCid> target = cidMountedAt(layout.migrationTarget());
            if (target.isEmpty() || prover.mountedAt(layout.store()).isEmpty()) {
                throw new ActionException(
                        "two disks must be mounted to migrate from one to the other");
            }
            List<String> users = workload.runningOnDisk();
            if (!users.isEmpty()) {
                throw new ActionException(
                        "container '"
                                + String.join("', '", users)
                                + "' uses the disk: stop it before its data is migrated");
            }
            DiskCid to = target.get();
            tell(new StoreProof.Unproven("data is being migrated to disk " + to, true));
            tools.remountReadOnly(layout.store());
            tools.copy(
                    layout.store(),
                    layout.migrationTarget(),
                    List.of(IDENTITY_FILE, PROBE_FILE, "lost+found"));
            tools.unmount(layout.migrationTarget());
            tools.unmount(layout.store());
            records.mounted(to);
            place(to, records.device(to), layout.store());
            tell(prover.full(to));
            return Map.of();
        });
    }

    /**
     * Lets the file system fill a device that has grown: while it is mounted where that is
     * possible, otherwise with the containers that use it stopped for the moment.
     *
     * @return {@code path} ({@code online}, {@code offline} or {@code none}) and {@code size_mb}
     */
    Map<String, Object> grow(DiskCid cid) {
        return exclusively(() -> {
            Path device = records.device(cid);
            DiskTools.Device now = awaitDevice(cid, device);
            Optional<DiskTools.Mount> mount = mountOf(cid);
            String path =
                    mount.isEmpty()
                            ? growUnmounted(device, now)
                            : growMounted(cid, device, mount.get());
            LOG.log(
                    System.Logger.Level.INFO,
                    "disk={0} state=grown path={1} bytes={2}",
                    cid,
                    path,
                    String.valueOf(now.bytes()));
            return Json.of("path", path, "size_mb", now.bytes() / (1024 * 1024));
        });
    }

    private String growUnmounted(Path device, DiskTools.Device now) {
        if (!(tools.look(device) instanceof DiskTools.Content.FileSystem fs)
                || fs.bytes() + SLACK >= now.bytes()) {
            return "none";
        }
        tools.growUnmounted(device, fs.type());
        return fs.type().equals("xfs") ? "none" : "offline"; // XFS grows when it is mounted next
    }

    private String growMounted(DiskCid cid, Path device, DiskTools.Mount mount) {
        return switch (tools.growMounted(device, mount.at(), mount.fileSystem())) {
            case GREW -> "online";
            case NOTHING_TO_DO -> "none";
            case NOT_WHILE_MOUNTED -> {
                growOffline(cid, device, mount);
                yield "offline";
            }
        };
    }

    private void growOffline(DiskCid cid, Path device, DiskTools.Mount mount) {
        boolean isStore = mount.at().equals(layout.store());
        if (isStore) {
            // The supervisor stops what uses an unproven disk, and starts it again once it is
            // proven.
            tell(
                    new StoreProof.Unproven(
                            "the file system of disk " + cid + " is being grown", true));
        }
        try {
            if (isStore) {
                awaitNobodyOnDisk();
            }
            tools.unmount(mount.at());
            try {
                tools.growUnmounted(device, mount.fileSystem());
            } finally {
                place(cid, device, mount.at());
            }
        } finally {
            if (isStore) {
                tell(prover.full(cid));
            }
        }
    }

    private void awaitNobodyOnDisk() {
        Instant end = clock.now().plus(STOP_WAIT);
        for (List<String> users = workload.runningOnDisk();
                !users.isEmpty();
                users = workload.runningOnDisk()) {
            if (clock.now().isAfter(end)) {
                throw new ActionException(
                        "container '" + String.join("', '", users) + "' did not leave the disk");
            }
            sleep(Duration.ofMillis(20));
        }
    }

    /** Makes the file system if the device is blank, and mounts it if it is the right one. */
    private void place(DiskCid cid, Path device, Path at) {
        switch (tools.look(device)) {
            case DiskTools.Content.Foreign foreign ->
                    throw new ActionException(
                            "device "
                                    + device
                                    + " of disk "
                                    + cid
                                    + " holds "
                                    + foreign.what()
                                    + " and is neither blank nor a file system we mount");
            case DiskTools.Content.FileSystem fs -> mountExisting(cid, device, at, fs);
            case DiskTools.Content.Blank blank -> {
                String type = settings.get().diskFileSystem();
                records.formatting(cid);
                LOG.log(
                        System.Logger.Level.INFO,
                        "disk={0} device={1} state=formatting type={2}",
                        cid,
                        device,
                        type);
                tools.format(device, type);
                tools.mount(device, at, type, settings.get().diskMountOptions());
                writeIdentity(cid, at);
                records.formatted();
            }
        }
        LOG.log(
                System.Logger.Level.INFO,
                "disk={0} device={1} state=mounted at={2}",
                cid,
                device,
                at);
    }

    private void mountExisting(DiskCid cid, Path device, Path at, DiskTools.Content.FileSystem fs) {
        boolean larger =
                tools.device(device).filter(d -> d.bytes() > fs.bytes() + SLACK).isPresent();
        boolean ext4 = fs.type().equals("ext4");
        tools.mount(device, at, fs.type(), settings.get().diskMountOptions());
        try {
            requireIdentity(cid, at);
        } catch (RuntimeException e) {
            tools.unmount(at);
            throw e;
        }
        // Only the right disk is ever changed, so its identity is read before it is grown.
        if (larger
                && tools.growMounted(device, at, fs.type()) == DiskTools.Growth.NOT_WHILE_MOUNTED
                && ext4) {
            tools.unmount(at);
            try {
                tools.growUnmounted(device, fs.type());
            } finally {
                tools.mount(device, at, fs.type(), settings.get().diskMountOptions());
            }
        }
    }

    /** The identity must be the expected one; an empty file system of ours may still lack it. */
    private void requireIdentity(DiskCid cid, Path at) {
        Optional<String> found = StoreProver.identity(at);
        if (found.isEmpty() && (isEmpty(at) || records.isBeingFormatted(cid))) {
            writeIdentity(cid, at); // the agent or the VM ended between making it and naming it
            records.formatted();
        } else if (!found.equals(Optional.of(cid.value()))) {
            throw new ActionException(StoreProver.wrong(cid, found));
        }
    }

    private static void writeIdentity(DiskCid cid, Path at) {
        DurableFile.write(at.resolve(IDENTITY_FILE), cid + "\n");
    }

    private static boolean isEmpty(Path at) {
        try (var entries = Files.newDirectoryStream(at)) {
            for (Path entry : entries) {
                String name = String.valueOf(entry.getFileName());
                // The identity's own unfinished file: the VM ended while it was written.
                if (!name.equals("lost+found") && !name.equals(IDENTITY_FILE + ".new")) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private DiskTools.Device awaitDevice(DiskCid cid, Path device) {
        Instant end = clock.now().plus(DEVICE_WAIT);
        while (true) {
            Optional<DiskTools.Device> found = tools.device(device).filter(d -> d.bytes() > 0);
            if (found.isPresent()) {
                return found.get();
            }
            if (clock.now().isAfter(end)) {
                throw new ActionException(
                        "device "
                                + device
                                + " of disk "
                                + cid
                                + " did not appear within "
                                + DEVICE_WAIT.toSeconds()
                                + " s");
            }
            sleep(Duration.ofMillis(50));
        }
    }

    private Optional<DiskTools.Device> deviceOf(DiskCid cid) {
        try {
            return tools.device(records.device(cid));
        } catch (ActionException e) {
            return Optional.empty();
        }
    }

    private Optional<DiskTools.Mount> mountOf(DiskCid cid) {
        return deviceOf(cid)
                .flatMap(device ->
                        tools.mounts().stream()
                                .filter(m -> m.number().equals(device.number()))
                                .filter(m ->
                                        m.at().equals(layout.store())
                                                || m.at().equals(layout.migrationTarget()))
                                .findFirst());
    }

    private Optional<DiskCid> cidMountedAt(Path at) {
        return records.hints().keySet().stream()
                .map(DiskCid::new)
                .filter(cid -> mountOf(cid).filter(m -> m.at().equals(at)).isPresent())
                .findFirst();
    }

    private void tell(StoreProof next) {
        if (next.equals(proof)) {
            return;
        }
        LOG.log(System.Logger.Level.INFO, "disk from={0} to={1}", proof, next);
        proof = next;
        workload.disk(next);
        onProof.accept(next);
    }

    private void sleep(Duration time) {
        try {
            clock.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted", e);
        }
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
