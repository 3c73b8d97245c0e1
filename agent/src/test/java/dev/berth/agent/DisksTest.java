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
    private FakeDiskTools tools = new FakeDiskTools(Path.of(""));
    private Disks disks = disks();

    @BeforeEach
    void setUp() {
        tools = new FakeDiskTools(folder.resolve("devices"));
        disks = disks();
        disks.add(A, Json.of("path", "/dev/a"));
        disks.add(B, "/dev/b");
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
                tools,
                new DiskRecords(layout, Map.of()),
                () -> settings,
                workload,
                clock,
                p -> {});
    }

    private Layout layout() {
        return new Layout(folder, folder.resolve("etc"), Path.of("/proc"), Path.of("/sys"));
    }

    @Test
    void aBlankDiskIsFormattedNamedAndProven() {
        tools.plug("/dev/a", 100 * MIB);
        assertThat(disks.mount(A)).isEmpty();
        assertThat(tools.asked).containsExactly("format /dev/a ext4", "mount /dev/a store");
        assertThat(layout().store().resolve(Disks.IDENTITY_FILE)).hasContent("disk-a");
        assertThat(disks.proven()).containsExactly("disk-a");
        assertThat(disks.list()).containsExactly("disk-a");
        assertThat(workload.proofs).containsExactly(new StoreProof.Proven(A));
    }

    @Test
    void mountingWhatIsMountedIsSuccessAndTouchesNothing() {
        tools.plug("/dev/a", 100 * MIB);
        disks.mount(A);
        tools.asked.clear();
        assertThat(disks.mount(A)).isEmpty();
        assertThat(tools.asked).isEmpty();
    }

    @Test
    void foreignDataIsNeverFormatted() {
        tools.plug("/dev/a", 100 * MIB).holds = new DiskTools.Content.Foreign("LVM2_member");
        assertThatThrownBy(() -> disks.mount(A)).hasMessageContaining("LVM2_member");
        assertThat(tools.asked).isEmpty();
        assertThat(disks.proven()).isEmpty();
    }

    @Test
    void theWrongDiskIsRefusedWithBothNames() throws IOException {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        device.holds = new DiskTools.Content.FileSystem("ext4", 100 * MIB);
        Files.writeString(device.content.resolve(Disks.IDENTITY_FILE), "disk-z\n");
        assertThatThrownBy(() -> disks.mount(A))
                .hasMessageContaining("expected 'disk-a', found 'disk-z'");
        assertThat(tools.mounts).isEmpty();
    }

    @Test
    void dataWithoutAnIdentityIsRefusedAndAnEmptyFileSystemNamed() throws IOException {
        FakeDiskTools.FakeDevice full = tools.plug("/dev/a", 100 * MIB);
        full.holds = new DiskTools.Content.FileSystem("ext4", 100 * MIB);
        Files.writeString(full.content.resolve("rows"), "1");
        assertThatThrownBy(() -> disks.mount(A)).hasMessageContaining("data without an identity");

        tools.plug("/dev/b", 100 * MIB).holds = new DiskTools.Content.FileSystem("xfs", 100 * MIB);
        disks.mount(B);
        assertThat(disks.proven()).containsExactly("disk-b");
        assertThat(tools.asked).noneMatch(line -> line.startsWith("format"));
    }

    @Test
    void aDeviceThatNeverComesIsNamed() {
        assertThatThrownBy(() -> disks.mount(A))
                .hasMessage("device /dev/a of disk disk-a did not appear within 30 s");
        assertThatThrownBy(() -> disks.mount(new DiskCid("nobody")))
                .hasMessage("Persistent disk with volume id 'nobody' could not be found");
    }

    @Test
    void theDiskMountedLastIsMountedAgainInTheNextLifeOnceItsDeviceIsThere() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A);
        tools.unmount(layout().store()); // the VM went down
        tools.devices.clear();
        Disks next = disks();
        assertThat(next.lookAfterLastMounted()).isFalse();
        assertThat(next.proof())
                .isInstanceOfSatisfying(
                        StoreProof.Unproven.class,
                        bad ->
                                assertThat(bad.reason())
                                        .isEqualTo("waiting for device /dev/a of disk disk-a"));
        tools.devices.put(Path.of("/dev/a"), device);
        assertThat(next.lookAfterLastMounted()).isTrue();
        assertThat(next.proven()).containsExactly("disk-a");
    }

    @Test
    void aDiskThatCannotBeWrittenOrLostItsIdentityIsNoLongerProven() throws IOException {
        tools.plug("/dev/a", 100 * MIB);
        disks.mount(A);
        tools.writeError = "Input/output error";
        disks.lookAfterLastMounted();
        assertThat(disks.proof()).isInstanceOf(StoreProof.Unproven.class);
        tools.writeError = null;
        disks.lookAfterLastMounted();
        assertThat(disks.proof()).isEqualTo(new StoreProof.Proven(A));
        Files.writeString(layout().store().resolve(Disks.IDENTITY_FILE), "disk-z");
        disks.lookAfterLastMounted();
        assertThat(disks.proof()).isInstanceOf(StoreProof.Unproven.class);
    }

    @Test
    void aDiskInUseIsNotUnmounted() {
        tools.plug("/dev/a", 100 * MIB);
        disks.mount(A);
        workload.onDisk = List.of("db");
        assertThatThrownBy(() -> disks.unmount(A))
                .hasMessage("disk disk-a is in use by container 'db': stop it first");
        workload.onDisk = List.of();
        assertThat(disks.unmount(A)).containsEntry("message", "Unmounted partition of /dev/a");
        assertThat(disks.unmount(A)).containsEntry("message", "Partition of /dev/a is not mounted");
        assertThat(disks.list()).isEmpty();
        assertThat(disks.proof()).isEqualTo(new StoreProof.None());
        assertThat(disks().lookAfterLastMounted()).isTrue(); // nothing is awaited at the next start
    }

    @Test
    void aSecondDiskGoesBesideTheFirstAndTakesItsPlaceByMigration() throws IOException {
        tools.plug("/dev/a", 100 * MIB);
        tools.plug("/dev/b", 200 * MIB);
        disks.mount(A);
        Files.writeString(layout().store().resolve("rows"), "1 2 3");
        disks.mount(B);
        assertThat(disks.list()).containsExactly("disk-a", "disk-b");
        disks.migrate();
        assertThat(layout().store().resolve("rows")).hasContent("1 2 3");
        assertThat(disks.proven()).containsExactly("disk-b");
        assertThat(disks.list()).containsExactly("disk-b");
        disks.remove(A);
    }

    @Test
    void growthIsOnlineWhereTheKernelLetsIt() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A);
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
        disks.mount(A);
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
        assertThat(workload.proofs).hasSize(2).last().isEqualTo(new StoreProof.Proven(A));
    }

    @Test
    void aDiskThatGrewWhileAwayIsGrownWhenItIsMounted() {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        disks.mount(A);
        disks.unmount(A);
        device.bytes = 300 * MIB;
        tools.growsOnline = false;
        disks.mount(A);
        assertThat(tools.asked).contains("grow unmounted");
        assertThat(disks.proven()).containsExactly("disk-a");
    }

    @Test
    void aFormatThatWasCutShortIsFinished() throws IOException {
        FakeDiskTools.FakeDevice device = tools.plug("/dev/a", 100 * MIB);
        device.holds = new DiskTools.Content.FileSystem("ext4", 100 * MIB);
        Files.createDirectory(device.content.resolve("lost+found"));
        disks.mount(A);
        assertThat(disks.proven()).containsExactly("disk-a");
    }
}
