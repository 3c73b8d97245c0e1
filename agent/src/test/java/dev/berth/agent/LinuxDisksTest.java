package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same on real loop devices and file systems; needs root. */
@Tag("engine")
class LinuxDisksTest {
    private static final DiskCid A = new DiskCid("disk-a");
    private static final DiskCid B = new DiskCid("disk-b");
    private static final long MIB = 1024 * 1024;

    @TempDir Path folder = Path.of("");
    private LoopDisks vm = new LoopDisks(folder);
    private final Programs programs = new Programs.Real();
    private FakeWorkload workload = vm.workload;

    @BeforeEach
    void setUp() {
        vm = new LoopDisks(folder);
        workload = vm.workload;
    }

    @AfterEach
    void tearDown() {
        vm.close();
    }

    private Layout layout() {
        return vm.layout;
    }

    private Disks disks(String fileSystem) {
        return vm.disks(fileSystem);
    }

    private String plug(String name, long bytes) {
        return vm.plug(name, bytes);
    }

    private void resize(String name, String loop, long bytes) {
        vm.resize(name, loop, bytes);
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

    @Test
    void aBtrfsDiskIsMadeGrownAndKeepsItsData() throws IOException {
        assumeThat(Files.readString(Path.of("/proc/filesystems")))
                .as("the kernel of this machine has no btrfs")
                .contains("btrfs");
        String loop = plug("a.img", 256 * MIB);
        Disks disks = disks("btrfs");
        disks.add(A, loop, DiskOptions.NONE);
        disks.mount(A, false);
        assertThat(disks.proven()).containsExactly("disk-a");
        assertThat(disks.list()).containsExactly("disk-a");
        Files.writeString(layout().store().resolve("rows"), "1 2 3");
        assertThat(disks.grow(A)).containsEntry("path", "none");
        resize("a.img", loop, 512 * MIB);
        workload.onDisk = List.of("db");
        assertThat(disks.grow(A)).isEqualTo(Json.of("path", "online", "size_mb", 512L));
        assertThat(storeBytes()).isGreaterThan(500 * MIB);
        workload.onDisk = List.of();
        disks.unmount(A);
        resize("a.img", loop, 600 * MIB);
        disks.mount(A, false);
        assertThat(storeBytes()).isGreaterThan(590 * MIB);
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
    }

    /** Clouds and the stock agent give such disks; partition and file system grow as one. */
    @ParameterizedTest
    @ValueSource(strings = {"dos", "gpt"})
    void aPartitionedDiskIsUsedThroughItsPartitionAndGrown(String table) throws IOException {
        String loop = plug("a.img", 64 * MIB);
        vm.run("bash", "-c", "echo 'start=2048' | sfdisk -q -X $0 $1", table, loop);
        Disks disks = disks("ext4");
        disks.add(A, loop, DiskOptions.NONE);
        disks.mount(A, false);
        assertThat(vm.run("findmnt", "-no", "SOURCE", layout().store().toString()))
                .isEqualTo(loop + "p1");
        Files.writeString(layout().store().resolve("rows"), "1 2 3");
        resize("a.img", loop, 200 * MIB);
        assertThat(disks.grow(A).get("path")).isIn("online", "offline");
        assertThat(storeBytes()).isGreaterThan(150 * MIB);
        assertThat(disks.grow(A)).containsEntry("path", "none");
        disks.unmount(A);
        resize("a.img", loop, 300 * MIB);
        disks.mount(A, false); // what grew while it was away
        assertThat(storeBytes()).isGreaterThan(250 * MIB);
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
        disks.unmount(A);
    }

    @Test
    void mountOptionsAreUsedAndWrongOnesNamed() {
        Disks disks = disks("ext4");
        var quiet = new DiskOptions("logs", "xfs", List.of("noatime", "nodev"), false);
        disks.add(A, plug("a.img", 400 * MIB), quiet);
        disks.mount(A, false);
        String at = layout().place("logs").toString();
        assertThat(vm.run("findmnt", "-no", "FSTYPE,OPTIONS", at))
                .startsWith("xfs")
                .contains("noatime")
                .contains("nodev");
        assertThat(disks.proof("logs")).isEqualTo(new MountProof.Proven(A));

        var wrong = new DiskOptions("", null, List.of("nosuchthing"), false);
        disks.add(B, plug("b.img", 64 * MIB), wrong);
        assertThatThrownBy(() -> disks.mount(B, false)).hasMessageContaining("nosuchthing");
        Disks other = disks("zfs");
        other.add(B, plug("c.img", 64 * MIB), DiskOptions.NONE);
        assertThatThrownBy(() -> other.mount(B, false))
                .hasMessageContaining("'zfs' is not known: use ext4, xfs or btrfs");
    }
}
