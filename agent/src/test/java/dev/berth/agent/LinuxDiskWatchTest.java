package dev.berth.agent;

import static dev.berth.agent.LoopDisks.MIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.berth.model.DiskCid;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real devices that fail while they are in use; needs root. */
@Tag("engine")
class LinuxDiskWatchTest {
    private static final DiskCid A = new DiskCid("disk-a");

    @TempDir Path folder = Path.of("");
    private LoopDisks vm = new LoopDisks(folder);

    @BeforeEach
    void setUp() {
        vm = new LoopDisks(folder);
        vm.ports.kernel().start();
    }

    @AfterEach
    void tearDown() {
        vm.close();
    }

    /**
     * A device that cannot take what is written to it: its file lies on a file system with less
     * room than it claims. Programs are told of success, the kernel fails later.
     */
    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs", "btrfs"})
    void aDeviceThatLosesWritesIsNoticed(String fileSystem) throws Exception {
        assumeThat(Files.readString(Path.of("/proc/filesystems")))
                .as("the kernel of this machine has no %s", fileSystem)
                .contains(fileSystem);
        Path small = Files.createDirectories(folder.resolve("small"));
        vm.run("mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", small.toString());
        Disks disks = vm.disks(fileSystem);
        disks.add(A, vm.plug("small/a.img", 400 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        disks.lookAfterAll();
        assertThat(disks.proof()).isEqualTo(new MountProof.Proven(A));
        Path rows = vm.layout.store().resolve("rows");
        vm.programs.run(
                Duration.ofSeconds(60), "dd", "if=/dev/zero", "of=" + rows, "bs=1M", "count=200");
        vm.programs.run(Duration.ofSeconds(60), "sync", "-f", vm.layout.store().toString());
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!disks.proven().isEmpty() && System.nanoTime() < end) {
            Thread.sleep(100); // the kernel's words come on their own way
            disks.lookAfterAll();
        }
        assertThat(disks.proof())
                .isInstanceOfSatisfying(
                        MountProof.Unproven.class,
                        bad ->
                                assertThat(bad.reason())
                                        .containsAnyOf(
                                                "is failing, the kernel says",
                                                "cannot be written",
                                                "read-only",
                                                "unreadable"));
    }

    /** Nothing is wrong with a disk that is full. */
    @Test
    void aFullDiskIsStillProven() {
        Disks disks = vm.disks("ext4");
        disks.add(A, vm.plug("a.img", 64 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        vm.programs.run(
                Duration.ofSeconds(60),
                "dd",
                "if=/dev/zero",
                "of=" + vm.layout.store().resolve("rows"),
                "bs=1M");
        disks.lookAfterAll();
        assertThat(disks.proven()).containsExactly("disk-a");
        assertThat(disks.report().brief().getFirst())
                .hasEntrySatisfying("percent", p -> assertThat((Long) p).isGreaterThan(97));
    }
}
