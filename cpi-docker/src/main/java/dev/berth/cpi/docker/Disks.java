package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * Persistent disks: a file each, shown to a VM as the device node of its loop device. Their space
 * is taken when they are made: a database whose disk turns read-only because the host's is full
 * would be a high price for space that others promised too. Only who asks for an overcommit gets
 * sparse files.
 *
 * <p>Rule R1 is kept here: a disk recorded as given to a VM goes to another only when the first VM
 * is gone and the kernel has let the device go.
 */
final class Disks {
    private static final System.Logger LOG = System.getLogger(Disks.class.getName());
    private static final long MIB = 1024L * 1024;

    /** What disks leave to the director's own files. */
    private static final long MARGIN = 128 * MIB;

    private final Base base;
    private final FileLocks locks;
    private final LoopDevices loops;
    private final Mounts mounts;
    private final FrozenFileSystems frozen;
    private final double overcommit;

    /**
     * @param overcommit how many times the free space may be promised; above 1 files are sparse
     */
    Disks(Base base, FileLocks locks, Mounts mounts, double overcommit) {
        this.base = base;
        this.locks = locks;
        this.loops = new LoopDevices(locks, overcommit > 1);
        this.mounts = mounts;
        this.frozen = new FrozenFileSystems(base, loops, mounts);
        this.overcommit = overcommit;
    }

    DiskCid create(CpiContext context, long sizeMb, Map<String, Object> cloudProperties) {
        return create(context, sizeMb, cloudProperties, image -> {});
    }

    /** Fills a new image before the disk exists. */
    interface Content {
        void writeTo(Path image) throws IOException;
    }

    /**
     * @param content lets the image be no longer than it will be; a reflink of it takes its space
     *     only when it is written
     */
    DiskCid create(
            CpiContext context, long sizeMb, Map<String, Object> cloudProperties, Content content) {
        DiskCid cid = new DiskCid("disk-" + UUID.randomUUID());
        Records.createFolder(base.disks());
        try (var lock = locks.lock("disk-space")) {
            checkSpace(sizeMb * MIB);
            Path making = base.disks().resolve(".making-" + cid);
            try {
                Files.createDirectory(making);
                content.writeTo(making.resolve("disk.img"));
                allocate(making.resolve("disk.img"), sizeMb * MIB);
                var record =
                        new DiskRecord(
                                cid,
                                context.directorUuid(),
                                context.requestId(),
                                cloudProperties,
                                Map.of(),
                                null);
                Records.write(making.resolve("record.json"), record.toTree());
                // From here on it exists, whole.
                Files.move(making, base.disk(cid), StandardCopyOption.ATOMIC_MOVE);
                return cid;
            } catch (IOException e) {
                Records.deleteTree(making);
                throw Records.failed("create disk " + cid, e);
            } catch (RuntimeException e) {
                Records.deleteTree(making);
                throw e;
            }
        }
    }

    /** What sparse files promised may still be asked for. The caller holds the lock of space. */
    void checkSpace(long more) {
        try {
            long usable = Files.getFileStore(base.disks()).getUsableSpace();
            long free = Math.max(0, usable - MARGIN);
            long promised = more;
            for (Path folder : Records.folders(base.disks())) {
                Path image = folder.resolve("disk.img");
                if (Files.exists(image)) {
                    promised += Files.size(image) - allocated(image);
                }
            }
            if (more > free * overcommit || promised > free * overcommit) {
                throw new CpiException(
                        Type.NO_DISK_SPACE,
                        "no space for "
                                + more / MIB
                                + " MiB more under "
                                + base.disks()
                                + ": "
                                + free / MIB
                                + " MiB free, "
                                + (promised - more) / MIB
                                + " MiB of it promised to other disks; free some, or move BERTH_HOME to a bigger file system",
                        true,
                        null);
            }
        } catch (IOException e) {
            throw Records.failed("measure " + base.disks(), e);
        }
    }

    /** What the file takes of the file system now. */
    static long allocated(Path file) {
        // Linux counts 512-byte blocks here, whatever the file system's own block is.
        return Long.parseLong(Commands.run("stat", "-c", "%b", file.toString())) * 512;
    }

    void delete(DiskCid disk) {
        try (var lock = locks.lock("disk-" + Base.name(disk.value()))) {
            DiskRecord record = get(disk);
            VmCid vm = record.attachedTo();
            if (vm != null) {
                throw new CpiException(
                        Type.CLOUD_ERROR,
                        "disk " + disk + " is attached to " + vm + "; detach it first");
            }
            release(disk);
            Records.deleteTree(base.disk(disk));
        }
    }

    boolean has(DiskCid disk) {
        return find(disk).isPresent() && Files.exists(base.image(disk));
    }

    Optional<DiskRecord> find(DiskCid disk) {
        return Records.read(base.diskRecord(disk)).map(DiskRecord::fromTree);
    }

    DiskRecord get(DiskCid disk) {
        return find(disk)
                .orElseThrow(() -> new CpiException(Type.DISK_NOT_FOUND, "no disk " + disk));
    }

    long sizeMb(DiskCid disk) {
        try {
            return Files.size(base.image(disk)) / MIB;
        } catch (IOException e) {
            throw Records.failed("measure disk " + disk, e);
        }
    }

    List<DiskRecord> all() {
        return Records.folders(base.disks()).stream()
                .map(folder -> find(new DiskCid(folder.getFileName().toString())))
                .flatMap(Optional::stream)
                .toList();
    }

    List<DiskRecord> attachedTo(VmCid vm) {
        return all().stream().filter(record -> vm.equals(record.attachedTo())).toList();
    }

    /**
     * The caller holds the VM's lock and knows that the VM exists.
     *
     * @param exists whether another VM is still there
     */
    Map<String, Object> attach(VmCid vm, DiskCid disk, Predicate<VmCid> exists) {
        try (var lock = locks.lock("disk-" + Base.name(disk.value()))) {
            DiskRecord record = get(disk);
            VmCid holder = record.attachedTo();
            if (!vm.equals(holder)) {
                if (holder != null && exists.test(holder)) {
                    throw new CpiException(
                            Type.CLOUD_ERROR,
                            "disk " + disk + " is attached to " + holder + ", which still exists");
                }
                release(disk);
                Records.write(base.diskRecord(disk), record.attachedTo(vm).toTree());
            }
            show(vm, disk);
            return Json.of("path", "/dev/berth/" + disk);
        }
    }

    /** Makes the node of every disk of a VM anew, as after a reboot of the host. */
    void showAll(VmCid vm) {
        for (DiskRecord record : attachedTo(vm)) {
            try (var lock = locks.lock("disk-" + Base.name(record.cid().value()))) {
                show(vm, record.cid());
            }
        }
    }

    private void show(VmCid vm, DiskCid disk) {
        LoopDevices.Loop loop = loops.attach(base.image(disk));
        Path node = base.devices(vm).resolve(Base.name(disk.value()));
        if (!isNode(node, loop)) {
            Records.deleteTree(node);
            Commands.run("mknod", "-m", "0600", node.toString(), "b", "7", "" + loop.minor());
        }
        checkOpens(node);
    }

    private static boolean isNode(Path node, LoopDevices.Loop loop) {
        try {
            long device = ((Number) Files.getAttribute(node, "unix:rdev")).longValue();
            // glibc's packing of major and minor into one number.
            long major = device >> 8 & 0xfff;
            long minor = device & 0xff | device >> 12 & 0xffffff00L;
            return major == 7 && minor == loop.minor();
        } catch (IOException e) {
            return false;
        }
    }

    /** A file system mounted nodev shows device nodes that nobody can open. */
    private static void checkOpens(Path node) {
        try (FileChannel channel = FileChannel.open(node, StandardOpenOption.READ)) {
            channel.size();
        } catch (AccessDeniedException e) {
            Records.deleteTree(node);
            throw new CpiException(
                    Type.CLOUD_ERROR,
                    "device nodes do not work below "
                            + node.getParent()
                            + ": its file system is mounted nodev; move BERTH_HOME to one that is not",
                    false,
                    e);
        } catch (IOException e) {
            throw Records.failed("open " + node, e);
        }
    }

    /** The caller holds the VM's lock. */
    void detach(VmCid vm, DiskCid disk) {
        try (var lock = locks.lock("disk-" + Base.name(disk.value()))) {
            DiskRecord record = get(disk);
            if (!vm.equals(record.attachedTo())) {
                throw new CpiException(
                        Type.DISK_NOT_ATTACHED,
                        "disk " + disk + " is not attached to " + vm,
                        true,
                        null);
            }
            release(disk);
            Records.deleteTree(base.devices(vm).resolve(disk.value()));
            Records.write(base.diskRecord(disk), record.attachedTo(null).toTree());
        }
    }

    /** After the VM is gone. The caller holds its lock. */
    void releaseAll(VmCid vm) {
        for (DiskRecord attached : attachedTo(vm)) {
            try (var lock = locks.lock("disk-" + Base.name(attached.cid().value()))) {
                // Read again under the lock: a takeover may have been quicker.
                DiskRecord record = get(attached.cid());
                if (vm.equals(record.attachedTo())) {
                    release(attached.cid());
                    Records.write(base.diskRecord(record.cid()), record.attachedTo(null).toTree());
                }
            }
        }
    }

    /** Lets the device go, after a look that nobody has it mounted: never a forced unmount. */
    private void release(DiskCid disk) {
        for (LoopDevices.Loop loop : loops.of(base.image(disk))) {
            mounts.of(loop.number())
                    .ifPresent(mount -> {
                        throw new CpiException(
                                Type.CLOUD_ERROR,
                                "disk "
                                        + disk
                                        + " is still mounted at "
                                        + mount.place()
                                        + " (seen by process "
                                        + mount.pid()
                                        + " of the host); unmount it in the VM first");
                    });
        }
        try {
            loops.release(base.image(disk));
        } catch (CpiException e) {
            // Nobody has it mounted, so what holds it may be a file system that was left frozen.
            if (!frozen.thawUnmounted(base.image(disk))) {
                throw e;
            }
            loops.release(base.image(disk));
        }
    }

    /**
     * Lets writers of a VM that is about to be deleted go on: who waits for a frozen file system
     * cannot even be killed.
     */
    void thawAll(VmCid vm) {
        for (DiskRecord record : attachedTo(vm)) {
            frozen.thawMounted(base.image(record.cid()));
        }
    }

    void resize(DiskCid disk, long sizeMb) {
        try (var space = locks.lock("disk-space");
                var lock = locks.lock("disk-" + Base.name(disk.value()))) {
            get(disk);
            long now = sizeMb(disk);
            if (sizeMb < now) {
                throw new CpiException(
                        Type.NOT_SUPPORTED,
                        "disk " + disk + " has " + now + " MiB and cannot shrink to " + sizeMb);
            }
            if (sizeMb > now) {
                checkSpace((sizeMb - now) * MIB);
                allocate(base.image(disk), sizeMb * MIB);
            }
            // Also when the size is right already: the call before may have died between the two.
            loops.grown(base.image(disk));
        }
    }

    private void allocate(Path file, long bytes) {
        if (overcommit <= 1) {
            Commands.Result taken = Commands.tryRun("fallocate", "-l", "" + bytes, file.toString());
            if (taken.output().contains("No space left")) {
                throw new CpiException(Type.NO_DISK_SPACE, taken.output(), true, null);
            }
            if (taken.exitCode() != 0) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "disk={0} is sparse, for its file system cannot take space ahead: {1}",
                        file,
                        taken.output());
            }
        }
        setLength(file, bytes);
    }

    private static void setLength(Path file, long bytes) {
        try (var image = new RandomAccessFile(file.toFile(), "rw")) {
            image.setLength(bytes);
            image.getFD().sync();
        } catch (IOException e) {
            throw Records.failed("size " + file, e);
        }
    }

    void setMetadata(DiskCid disk, Map<String, String> metadata) {
        try (var lock = locks.lock("disk-" + Base.name(disk.value()))) {
            Records.write(base.diskRecord(disk), get(disk).metadata(metadata).toTree());
        }
    }
}
