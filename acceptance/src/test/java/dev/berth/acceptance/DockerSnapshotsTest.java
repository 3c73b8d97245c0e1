package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.model.DiskCid;
import dev.berth.model.SnapshotCid;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of the Docker CPI on file systems that can share blocks and on those that cannot. */
@Tag("engine")
class DockerSnapshotsTest {
    private static final CpiContext CONTEXT = new CpiContext("director", "intent-1", 3, Map.of());
    private static final long MIB = 1 << 20;

    /** Made only to be closed: no test here needs a VM. */
    private final DockerEngine engine = new DockerEngine(EngineUnderTest.socket());

    @TempDir Path folder;

    @AfterEach
    void close() {
        engine.close();
    }

    private DockerCpi cpi(Path base) {
        return new DockerCpi(engine, base);
    }

    private static Path image(Path base, DiskCid disk) {
        return base.resolve("disks/" + disk + "/disk.img");
    }

    private static Path image(Path base, SnapshotCid snapshot) {
        return base.resolve("snapshots/" + snapshot + "/disk.img");
    }

    private static void write(Path file, long at, String text) throws IOException {
        try (var out = new RandomAccessFile(file.toFile(), "rw")) {
            out.seek(at);
            out.write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    private static String read(Path file, long at, int length) throws IOException {
        try (var in = new RandomAccessFile(file.toFile(), "r")) {
            var bytes = new byte[length];
            in.seek(at);
            in.readFully(bytes);
            return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
        }
    }

    private static long taken(Path file) {
        return Long.parseLong(Shell.run(List.of("stat", "-c", "%b", file + "")).ok().strip()) * 512;
    }

    private static String how(DockerCpi cpi, SnapshotCid snapshot) {
        return cpi.inventory(CONTEXT).stream()
                .filter(o -> o.cid().equals(snapshot.value()))
                .map(o -> o.metadata().getOrDefault("berth_how", ""))
                .findFirst()
                .orElseThrow();
    }

    /** What is written after the snapshot is not in it, and a disk of it is a third of its own. */
    private void assertApart(DockerCpi cpi, Path base, String how) throws IOException {
        DiskCid disk = cpi.createDisk(CONTEXT, 64, Map.of(), null);
        write(image(base, disk), 40 * MIB, "before");
        SnapshotCid snapshot = cpi.snapshotDisk(CONTEXT, disk, Map.of("at", "noon"));
        assertThat(how(cpi, snapshot)).isEqualTo(how);
        write(image(base, disk), 40 * MIB, "after!");
        assertThat(read(image(base, snapshot), 40 * MIB, 6)).isEqualTo("before");
        DiskCid again = cpi.createDiskFromSnapshot(CONTEXT, snapshot, 96, Map.of(), null);
        assertThat(Files.size(image(base, again))).isEqualTo(96 * MIB);
        write(image(base, again), 40 * MIB, "third!");
        assertThat(read(image(base, snapshot), 40 * MIB, 6)).isEqualTo("before");
        if (how.equals("copy")) {
            assertThat(taken(image(base, snapshot))).isLessThan(2 * MIB);
        }
        cpi.deleteSnapshot(CONTEXT, snapshot);
        assertThat(read(image(base, disk), 40 * MIB, 6)).isEqualTo("after!");
        cpi.deleteDisk(CONTEXT, again);
        cpi.deleteDisk(CONTEXT, disk);
    }

    @Test
    void blocksAreSharedWhereTheHostCanAndCopiedSparselyElsewhere() throws IOException {
        try (var xfs = new SmallDisk(folder.resolve("x"), 512, "xfs")) {
            assertApart(cpi(xfs.path().resolve("cpi")), xfs.path().resolve("cpi"), "reflink");
        }
        try (var ext4 = new SmallDisk(folder.resolve("e"), 512, "ext4")) {
            assertApart(cpi(ext4.path().resolve("cpi")), ext4.path().resolve("cpi"), "copy");
        }
    }

    @Test
    void aSnapshotThatDoesNotFitLeavesNothing() throws IOException {
        try (var small = new SmallDisk(folder.resolve("s"), 400, "ext4")) {
            Path base = small.path().resolve("cpi");
            DockerCpi cpi = cpi(base);
            DiskCid disk = cpi.createDisk(CONTEXT, 160, Map.of(), null);
            Shell.run(
                            List.of(
                                    "dd",
                                    "if=/dev/urandom",
                                    "of=" + image(base, disk),
                                    "bs=1M",
                                    "count=160",
                                    "conv=notrunc,fsync"))
                    .ok();
            assertThatThrownBy(() -> cpi.snapshotDisk(CONTEXT, disk, Map.of()))
                    .isInstanceOfSatisfying(
                            CpiException.class,
                            e -> assertThat(e.type()).isEqualTo(CpiException.Type.NO_DISK_SPACE));
            assertThat(cpi.inventory(CONTEXT)).hasSize(1);
            try (var left = Files.list(base.resolve("snapshots"))) {
                assertThat(left).isEmpty();
            }
        }
    }

    @Test
    void halfASnapshotIsNoneAndIsSweptAway() throws IOException {
        Path base = folder.resolve("cpi");
        Path half = Files.createDirectories(base.resolve("snapshots/.making-snapshot-1"));
        Files.write(half.resolve("disk.img"), new byte[100]);
        assertThat(cpi(base).inventory(CONTEXT)).isEmpty();
        cpi(base).sweep();
        assertThat(half).doesNotExist();
    }

    /** The kernel keeps a frozen file system, and its device, beyond the VM that froze it. */
    @Test
    void aFileSystemLeftFrozenHoldsNoDisk() {
        Path base = folder.resolve("cpi");
        DockerCpi cpi = cpi(base);
        DiskCid disk = cpi.createDisk(CONTEXT, 64, Map.of(), null);
        Path image = image(base, disk);
        Shell.run(List.of("mkfs.ext4", "-q", "-F", image.toString())).ok();
        Shell.run(
                        List.of(
                                "unshare",
                                "-m",
                                "sh",
                                "-c",
                                "mkdir "
                                        + folder
                                        + "/m && mount -o loop "
                                        + image
                                        + " "
                                        + folder
                                        + "/m && fsfreeze --freeze "
                                        + folder
                                        + "/m"))
                .ok();
        assertThat(Shell.run(List.of("losetup", "-j", image.toString())).ok()).isNotBlank();
        cpi.deleteDisk(CONTEXT, disk);
        assertThat(Shell.run(List.of("losetup", "-l")).ok()).doesNotContain(disk.value());
        assertThat(cpi.inventory(CONTEXT)).extracting(CloudObject::cid).isEmpty();
    }
}
