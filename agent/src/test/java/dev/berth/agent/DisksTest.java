package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens to persistent disks, on devices and mounts that are plain data. */
class DisksTest {
    private static final DiskCid A = new DiskCid("disk-a");
    private static final DiskCid B = new DiskCid("disk-b");
    private static final long MIB = 1024 * 1024;

    @TempDir Path folder = Path.of("");
    private final FakeWorkload workload = new FakeWorkload();
    private final SkippingClock clock = new SkippingClock();
    private final FakeTreeCopier copier = new FakeTreeCopier();
    private final KernelLog kernel = new KernelLog(layout(), new Programs.Real());
    private FakeDiskTools tools = new FakeDiskTools(Path.of(""));
    private Disks disks = disks();

    @BeforeEach
    void setUp() {
        tools = new FakeDiskTools(folder.resolve("devices"));
        disks = disks();
        disks.add(A, Json.of("path", "/dev/a"), DiskOptions.NONE);
        disks.add(B, "/dev/b", DiskOptions.NONE);
    }

    /** A new life of the agent on the same VM. */
    private Disks disks() {
        Layout layout = layout();
        var settings =
                new Settings(
                        AgentSettings.fromTree(Json.of("agent_id", "a1")),
                        dev.berth.model.Fields.of(Map.of(), ""));
        return new Disks(
                layout,
                new DiskPorts(tools, copier, kernel),
                new DiskRecords(layout, Map.of()),
                () -> settings,
                workload,
                clock,
                (name, p) -> {});
    }

    private Layout layout() {
        return new Layout(folder, folder.resolve("etc"), Path.of("/proc"), Path.of("/sys"));
    }

    @Test
    void aBlankDiskIsFormattedNamedAndProven() {
        tools.plug("/dev/a", 100 * MIB);
        assertThat(disks.mount(A, false)).isEmpty();
        assertThat(tools.asked).containsExactly("format /dev/a ext4", "mount /dev/a store");
        assertThat(layout().store().resolve(DiskMarks.IDENTITY_FILE)).hasContent("disk-a");
        assertThat(disks.proven()).containsExactly("disk-a");
        assertThat(disks.list()).containsExactly("disk-a");
        assertThat(workload.proofs).containsExactly(new MountProof.Proven(A));
    }

    /** As a person would who mounts another disk by hand. */
    @Test
    void aStrangerInTheDisksPlaceGivesWayWhenNobodyUsesIt() {
        tools.plug("/dev/a", 100 * MIB);
        tools.plug("/dev/x", 100 * MIB);
        tools.format(Path.of("/dev/x"), "ext4");
        disks.mount(A, false);
        tools.unmount(layout().store());
        tools.mount(Path.of("/dev/x"), layout().store(), "ext4", List.of());
        workload.onDisk = List.of("db");
        assertThatThrownBy(() -> disks.mount(A, false))
                .hasMessageContaining("used by container 'db'");
        workload.onDisk = List.of();
        disks.mount(A, false);
        assertThat(disks.proven()).containsExactly("disk-a");
        assertThat(layout().store().resolve(DiskMarks.IDENTITY_FILE)).hasContent("disk-a");
    }

    @Test
    void mountingWhatIsMountedIsSuccessAndTouchesNothing() {
        tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        tools.asked.clear();
        assertThat(disks.mount(A, false)).isEmpty();
        assertThat(tools.asked).isEmpty();
    }

    @Test
    void foreignDataIsNeverFormatted() {
        tools.plug("/dev/a", 100 * MIB).holds = new DiskTools.Content.Foreign("LVM2_member");
        assertThatThrownBy(() -> disks.mount(A, false)).hasMessageContaining("LVM2_member");
        assertThat(tools.asked).isEmpty();
        assertThat(disks.proven()).isEmpty();
    }

    @Test
    void theWrongDiskIsRefusedWithBothNames() throws IOException {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        device.holds = new DiskTools.Content.FileSystem("ext4", 100 * MIB);
        Files.writeString(device.content.resolve(DiskMarks.IDENTITY_FILE), "disk-z\n");
        assertThatThrownBy(() -> disks.mount(A, false))
                .hasMessageContaining("expected 'disk-a', found 'disk-z'");
        assertThat(tools.mounts).isEmpty();
    }

    @Test
    void dataWithoutAnIdentityIsRefusedAndAnEmptyFileSystemNamed() throws IOException {
        FakeDiskTools.FakeDevice full = tools.plug("/dev/a", 100 * MIB);
        full.holds = new DiskTools.Content.FileSystem("ext4", 100 * MIB);
        Files.writeString(full.content.resolve("rows"), "1");
        assertThatThrownBy(() -> disks.mount(A, false))
                .hasMessageContaining("data without an identity");

        tools.plug("/dev/b", 100 * MIB).holds = new DiskTools.Content.FileSystem("xfs", 100 * MIB);
        disks.mount(B, false);
        assertThat(disks.proven()).containsExactly("disk-b");
        assertThat(tools.asked).noneMatch(line -> line.startsWith("format"));
    }

    @Test
    void aDeviceThatNeverComesIsNamed() {
        assertThatThrownBy(() -> disks.mount(A, false))
                .hasMessage("device /dev/a of disk disk-a did not appear within 30 s");
        assertThatThrownBy(() -> disks.mount(new DiskCid("nobody"), false))
                .hasMessage("Persistent disk with volume id 'nobody' could not be found");
    }

    @Test
    void theDiskMountedLastIsMountedAgainInTheNextLifeOnceItsDeviceIsThere() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        tools.unmount(layout().store()); // the VM went down
        tools.devices.clear();
        Disks next = disks();
        assertThat(next.lookAfterAll()).isFalse();
        assertThat(next.proof())
                .isInstanceOfSatisfying(
                        MountProof.Unproven.class,
                        bad ->
                                assertThat(bad.reason())
                                        .isEqualTo("waiting for device /dev/a of disk disk-a"));
        tools.devices.put(Path.of("/dev/a"), device);
        assertThat(next.lookAfterAll()).isTrue();
        assertThat(next.proven()).containsExactly("disk-a");
    }

    @Test
    void aDiskThatCannotBeWrittenOrLostItsIdentityIsNoLongerProven() throws IOException {
        tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        tools.writeError = "Input/output error";
        disks.lookAfterAll();
        assertThat(disks.proof()).isInstanceOf(MountProof.Unproven.class);
        tools.writeError = null;
        disks.lookAfterAll();
        assertThat(disks.proof()).isEqualTo(new MountProof.Proven(A));
        Files.writeString(layout().store().resolve(DiskMarks.IDENTITY_FILE), "disk-z");
        disks.lookAfterAll();
        assertThat(disks.proof()).isInstanceOf(MountProof.Unproven.class);
    }

    @Test
    void aDiskInUseIsNotUnmounted() {
        tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        workload.onDisk = List.of("db");
        assertThatThrownBy(() -> disks.unmount(A))
                .hasMessage("disk disk-a is in use by container 'db': stop it first");
        workload.onDisk = List.of();
        assertThat(disks.unmount(A)).containsEntry("message", "Unmounted partition of /dev/a");
        assertThat(disks.unmount(A)).containsEntry("message", "Partition of /dev/a is not mounted");
        assertThat(disks.list()).isEmpty();
        assertThat(disks.proof()).isEqualTo(new MountProof.None());
        assertThat(disks().lookAfterAll()).isTrue(); // nothing is awaited at the next start
    }

    @Test
    void aSecondDiskGoesBesideTheFirstAndTakesItsPlaceByMigration() throws IOException {
        tools.plug("/dev/a", 100 * MIB);
        tools.plug("/dev/b", 200 * MIB);
        disks.mount(A, false);
        Files.writeString(layout().store().resolve("rows"), "1 2 3");
        disks.mount(B, false);
        assertThat(disks.list()).containsExactly("disk-a", "disk-b");
        disks.migrate(new AgentCall("m", true));
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
        assertThat(disks.proven()).containsExactly("disk-b");
        assertThat(disks.list()).containsExactly("disk-b");
        disks.remove(A);
    }

    @Test
    void growthIsOnlineWhereTheKernelLetsIt() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        assertThat(disks.grow(A)).isEqualTo(Json.of("path", "none", "size_mb", 100L));
        device.bytes = 300 * MIB;
        workload.onDisk = List.of("db");
        workload.proofs.clear();
        assertThat(disks.grow(A)).isEqualTo(Json.of("path", "online", "size_mb", 300L));
        assertThat(workload.proofs).isEmpty();
        assertThat(workload.onDisk).containsExactly("db");
    }

    @Test
    void growthOtherwiseStopsTheUsersOfTheDiskForTheMoment() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        device.bytes = 300 * MIB;
        tools.growsOnline = false;
        workload.onDisk = List.of("db");
        workload.leavesUnprovenDisk = false;
        clock.onSleep(() -> workload.onDisk = List.of());
        workload.proofs.clear();
        tools.asked.clear();
        assertThat(disks.grow(A)).isEqualTo(Json.of("path", "offline", "size_mb", 300L));
        assertThat(tools.asked)
                .containsExactly("unmount store", "grow unmounted", "mount /dev/a store");
        assertThat(workload.proofs).hasSize(2).last().isEqualTo(new MountProof.Proven(A));
    }

    @Test
    void aDiskThatGrewWhileAwayIsGrownWhenItIsMounted() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A, false);
        disks.unmount(A);
        device.bytes = 300 * MIB;
        tools.growsOnline = false;
        disks.mount(A, false);
        assertThat(tools.asked).contains("grow unmounted");
        assertThat(disks.proven()).containsExactly("disk-a");
    }

    @Test
    void aFormatThatWasCutShortIsFinished() throws IOException {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        device.holds = new DiskTools.Content.FileSystem("ext4", 100 * MIB);
        Files.createDirectory(device.content.resolve("lost+found"));
        disks.mount(A, false);
        assertThat(disks.proven()).containsExactly("disk-a");
    }
}
