package dev.berth.cpi.docker;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Snapshots of disks: copies of their images. Where the host's file system can (XFS, Btrfs), a copy
 * shares its blocks with the image, takes no time whatever the size, and no space until one of them
 * is written; elsewhere what was ever written to the disk is copied.
 *
 * <p>A copy is made in a folder whose name begins with a dot and has its record before it gets its
 * name, so half of one is never taken for a snapshot. It is not the disk's: deleting the disk
 * leaves it whole.
 */
final class Snapshots {
    private static final System.Logger LOG = System.getLogger(Snapshots.class.getName());
    private static final long MIB = 1024L * 1024;
    private static final String MAKING = ".making-";

    /** In the metadata: of which disk, and {@value #REFLINK} or {@value #COPY}. */
    private static final String DISK = "disk";

    private static final String HOW = "berth_how";
    private static final String REFLINK = "reflink";
    private static final String COPY = "copy";

    private final Base base;
    private final FileLocks locks;
    private final Disks disks;

    Snapshots(Base base, FileLocks locks, Disks disks) {
        this.base = base;
        this.locks = locks;
        this.disks = disks;
    }

    SnapshotCid take(CpiContext context, DiskCid disk, Map<String, String> metadata) {
        disks.get(disk);
        var cid = new SnapshotCid("snapshot-" + UUID.randomUUID());
        Records.createFolder(base.snapshots());
        Path making = base.snapshots().resolve(MAKING + cid);
        // Held as long as it is made: what carries such a name and is not locked was left over.
        try (var lock = locks.lock(cid.value())) {
            Files.createDirectory(making);
            String how = copy(base.image(disk), making.resolve("disk.img"));
            var all = new LinkedHashMap<>(metadata);
            all.put(DISK, disk.value());
            all.put(HOW, how);
            Records.write(
                    making.resolve("record.json"),
                    Json.of(
                            "cid",
                            cid.value(),
                            "director",
                            context.directorUuid(),
                            "request_id",
                            context.requestId(),
                            "metadata",
                            all));
            Files.move(making, base.snapshot(cid), StandardCopyOption.ATOMIC_MOVE);
            return cid;
        } catch (IOException e) {
            Records.deleteTree(making);
            throw Records.failed("take a snapshot of disk " + disk, e);
        } catch (RuntimeException e) {
            Records.deleteTree(making);
            throw e;
        }
    }

    private String copy(Path from, Path to) throws IOException {
        if (reflink(from, to)) {
            return REFLINK;
        }
        try (var lock = locks.lock("disk-space")) {
            disks.checkSpace(SparseCopy.written(from));
        }
        SparseCopy.run(from, to);
        return COPY;
    }

    private static boolean reflink(Path from, Path to) throws IOException {
        boolean shared =
                Commands.tryRun("cp", "--reflink=always", from.toString(), to.toString()).exitCode()
                        == 0;
        if (!shared) {
            Files.deleteIfExists(to);
            return false;
        }
        try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        return true;
    }

    void delete(SnapshotCid snapshot) {
        try (var lock = locks.lock(Base.name(snapshot.value()))) {
            get(snapshot);
            // It loses its name at once, so that a deletion cut short leaves none that is half.
            Path leaving = base.snapshots().resolve(MAKING + snapshot);
            Files.move(base.snapshot(snapshot), leaving, StandardCopyOption.ATOMIC_MOVE);
            Records.deleteTree(leaving);
        } catch (IOException e) {
            throw Records.failed("delete snapshot " + snapshot, e);
        }
    }

    /** A disk of its own: the snapshot stays. */
    DiskCid disk(
            CpiContext context,
            SnapshotCid snapshot,
            long sizeMb,
            Map<String, Object> cloudProperties) {
        get(snapshot);
        Path image = base.snapshotImage(snapshot);
        long least = sizeMb(image);
        if (sizeMb < least) {
            throw new CpiException(
                    Type.NOT_SUPPORTED,
                    "snapshot "
                            + snapshot
                            + " has "
                            + least
                            + " MiB and does not fit a disk of "
                            + sizeMb);
        }
        return disks.create(
                context,
                sizeMb,
                cloudProperties,
                to -> {
                    if (!reflink(image, to)) {
                        SparseCopy.run(image, to);
                    }
                });
    }

    private Fields get(SnapshotCid snapshot) {
        return find(snapshot)
                .orElseThrow(
                        () -> new CpiException(Type.DISK_NOT_FOUND, "no snapshot " + snapshot));
    }

    private Optional<Fields> find(SnapshotCid snapshot) {
        return Records.read(base.snapshotRecord(snapshot));
    }

    private static long sizeMb(Path image) {
        try {
            return Files.size(image) / MIB;
        } catch (IOException e) {
            throw Records.failed("measure " + image, e);
        }
    }

    List<CloudObject> listed(CpiContext context) {
        var list = new ArrayList<CloudObject>();
        for (Path folder : Records.folders(base.snapshots())) {
            var cid = new SnapshotCid(folder.getFileName().toString());
            find(cid)
                    .filter(r -> r.string("director").equals(context.directorUuid()))
                    .map(r ->
                            new CloudObject(
                                    CloudObject.Kind.SNAPSHOT,
                                    cid.value(),
                                    r.string("request_id"),
                                    null,
                                    null,
                                    sizeMb(base.snapshotImage(cid)),
                                    r.stringMap("metadata")))
                    .ifPresent(list::add);
        }
        return list;
    }

    /** Removes copies whose maker died. */
    void sweep() {
        if (!Files.isDirectory(base.snapshots())) {
            return;
        }
        try (var left = Files.newDirectoryStream(base.snapshots(), MAKING + "*")) {
            for (Path folder : left) {
                String cid = folder.getFileName().toString().substring(MAKING.length());
                if (locks.isFree(cid)) {
                    Records.deleteTree(folder);
                    LOG.log(System.Logger.Level.INFO, "half a snapshot is removed: {0}", cid);
                }
            }
        } catch (IOException e) {
            throw Records.failed("list " + base.snapshots(), e);
        }
    }
}
