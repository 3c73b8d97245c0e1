package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same on real loop devices and file systems; needs root. */
@Tag("engine")
class LinuxDisksTest {
    private static final DiskCid A = new DiskCid("disk-a");
    private static final DiskCid B = new DiskCid("disk-b");
    private static final long MIB = 1024 * 1024;

    @TempDir Path folder = Path.of("");
    private final Programs programs = new Programs.Real();
    private final FakeWorkload workload = new FakeWorkload();
    private final List<String> loops = new ArrayList<>();

    @AfterEach
    void tearDown() {
        for (Path at : List.of(layout().store(), layout().aside(""))) {
            programs.run(Duration.ofSeconds(10), "umount", at.toString());
        }
        loops.forEach(loop -> programs.run(Duration.ofSeconds(10), "losetup", "-d", loop));
    }

    private Layout layout() {
        return Layout.of(folder.resolve("vcap"));
    }

    private Disks disks(String fileSystem) {
        Layout layout = layout();
        var settings =
                new Settings(
                        AgentSettings.fromTree(
                                Json.of(
                                        "agent_id",
                                        "a1",
                                        "env",
                                        Json.of("persistent_disk_fs", fileSystem))),
                        Fields.of(Map.of(), ""));
        return new Disks(
                layout,
                new LinuxDisks(layout, programs),
                new Rsync(),
                new DiskRecords(layout, Map.of()),
                () -> settings,
                workload,
                Clock.SYSTEM,
                (name, p) -> {});
    }

    private String plug(String name, long bytes) throws IOException {
        Path image = folder.resolve(name);
        try (var file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(bytes);
        }
        String loop =
                programs.run(Duration.ofSeconds(10), "losetup", "-f", "--show", image.toString())
                        .orFail("losetup")
                        .strip();
        loops.add(loop);
        return loop;
    }

    private void resize(String name, String loop, long bytes) throws IOException {
        try (var file = new RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
            file.setLength(bytes);
        }
        String ignored =
                programs.run(Duration.ofSeconds(10), "losetup", "-c", loop).orFail("losetup -c");
    }

    private long storeBytes() throws IOException {
        return Files.getFileStore(layout().store()).getTotalSpace();
    }

    @Test
    void anExt4DiskIsMadeGrownMovedAndKeepsItsData() throws IOException {
        String loop = plug("a.img", 64 * MIB);
        Disks disks = disks("ext4");
        disks.add(A, Json.of("path", loop), DiskOptions.NONE);
        disks.mount(A, false);
        Files.writeString(layout().store().resolve("rows"), "1 2 3");
        resize("a.img", loop, 256 * MIB);
        workload.onDisk = List.of("db");
        Map<String, Object> grown = disks.grow(A);
        assertThat(grown).containsEntry("size_mb", 256L);
        assertThat(grown.get("path")).isIn("online", "offline");
        assertThat(storeBytes()).isGreaterThan(200 * MIB);
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
        assertThat(disks.grow(A)).containsEntry("path", "none");
        assertThat(disks.proven()).containsExactly("disk-a");

        disks.add(B, plug("b.img", 64 * MIB), DiskOptions.NONE);
        disks.mount(B, false);
        workload.onDisk = List.of();
        disks.migrate(new AgentCall("m", true));
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
        assertThat(disks.proven()).containsExactly("disk-b");
        assertThat(disks.list()).containsExactly("disk-b");
        disks.unmount(B);
        assertThat(disks.list()).isEmpty();
    }

    @Test
    void anXfsDiskGrowsOnline() throws IOException {
        String loop = plug("a.img", 400 * MIB);
        Disks disks = disks("xfs");
        disks.add(A, loop, DiskOptions.NONE);
        disks.mount(A, false);
        Files.writeString(layout().store().resolve("rows"), "1 2 3");
        assertThat(disks.grow(A)).containsEntry("path", "none");
        resize("a.img", loop, 800 * MIB);
        workload.onDisk = List.of("db");
        assertThat(disks.grow(A)).isEqualTo(Json.of("path", "online", "size_mb", 800L));
        assertThat(storeBytes()).isGreaterThan(700 * MIB);
        assertThat(workload.onDisk).containsExactly("db");
        workload.onDisk = List.of();
        disks.unmount(A);
        disks.mount(A, false);
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
    }

    @Test
    void theWrongDiskAndForeignDataAreRefusedUntouched() throws IOException {
        String loop = plug("a.img", 64 * MIB);
        Disks disks = disks("ext4");
        disks.add(A, loop, DiskOptions.NONE);
        disks.mount(A, false);
        disks.unmount(A);
        disks.remove(A);
        disks.add(B, loop, DiskOptions.NONE);
        assertThatThrownBy(() -> disks.mount(B, false))
                .hasMessageContaining("expected 'disk-b', found 'disk-a'");
        assertThat(disks.list()).isEmpty();

        String foreign = plug("c.img", 64 * MIB);
        String ignored = programs.run(Duration.ofSeconds(10), "mkswap", foreign).orFail("mkswap");
        disks.add(B, foreign, DiskOptions.NONE);
        assertThatThrownBy(() -> disks.mount(B, false)).hasMessageContaining("swap");

        String odd = plug("d.img", 64 * MIB);
        try (FileChannel channel = FileChannel.open(Path.of(odd), StandardOpenOption.WRITE)) {
            int written = channel.write(ByteBuffer.wrap(new byte[] {42}), MIB - 1);
            assertThat(written).isEqualTo(1);
            channel.force(true);
        }
        disks.add(B, odd, DiskOptions.NONE);
        assertThatThrownBy(() -> disks.mount(B, false))
                .hasMessageContaining("data of an unknown kind");
    }

    @Test
    void theNextLifeProvesWhatIsMounted() throws IOException {
        Disks disks = disks("ext4");
        disks.add(A, plug("a.img", 64 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        Disks next = disks("ext4");
        assertThat(next.lookAfterAll()).isTrue();
        assertThat(next.proven()).containsExactly("disk-a");
        String ignored =
                programs.run(
                                Duration.ofSeconds(5),
                                "mount",
                                "-o",
                                "remount,ro",
                                layout().store().toString())
                        .orFail("remount");
        next.lookAfterAll();
        assertThat(next.proven()).isEmpty();
    }

    @Test
    void aDiskHeldInAnotherNameSpaceIsNotUnmounted() throws Exception {
        Disks disks = disks("ext4");
        disks.add(A, plug("a.img", 64 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        Process holder =
                new ProcessBuilder("unshare", "-m", "--propagation", "private", "sleep", "1000")
                        .start();
        try {
            Path proc = Path.of("/proc/" + holder.pid() + "/ns/mnt");
            Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/mnt"));
            while (Files.readSymbolicLink(proc).equals(own)) {
                Thread.onSpinWait();
            }
            assertThatThrownBy(() -> disks.unmount(A))
                    .hasMessageContaining("name space of")
                    .hasMessageContaining("sleep");
            assertThat(disks.list()).containsExactly("disk-a");
        } finally {
            holder.destroyForcibly();
        }
        disks.unmount(A);
        assertThat(disks.list()).isEmpty();
    }
}
