package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong with a disk while it is in use is seen, told and named. */
class DiskWatchTest {
    private static final DiskCid A = new DiskCid("disk-a");
    private static final DiskCid B = new DiskCid("disk-b");
    private static final long MIB = 1024 * 1024;

    @TempDir Path folder = Path.of("");
    private final FakeWorkload workload = new FakeWorkload();
    private final List<Workload.Trouble> troubles = new ArrayList<>();
    private FakeDiskTools tools = new FakeDiskTools(Path.of(""));
    private KernelLog kernel = new KernelLog(Layout.of(Path.of("")), new Programs.Real());
    private Disks disks = agent();

    @BeforeEach
    void setUp() {
        tools = new FakeDiskTools(folder.resolve("devices"));
        disks = agent();
        tools.plug("/dev/nosuch-a", 100 * MIB);
        disks.add(A, "/dev/nosuch-a", DiskOptions.NONE);
        disks.mount(A, false);
        disks.lookAfterAll();
        troubles.clear();
    }

    private Disks agent() {
        var layout = layout();
        kernel = new KernelLog(layout, new Programs.Real());
        var settings =
                new Settings(
                        AgentSettings.fromTree(Json.of("agent_id", "a1")), Fields.of(Map.of(), ""));
        var listener =
                new Disks.Listener() {
                    @Override
                    public void proof(String name, MountProof proof) {}

                    @Override
                    public void trouble(Workload.Trouble trouble) {
                        troubles.add(trouble);
                    }
                };
        return new Disks(
                layout,
                new DiskPorts(tools, new FakeTreeCopier(), kernel),
                new DiskRecords(layout, Map.of()),
                () -> settings,
                workload,
                new SkippingClock(),
                listener);
    }

    private Layout layout() {
        return new Layout(folder, folder.resolve("etc"), Path.of("/proc"), folder.resolve("sys"));
    }

    private String reason() {
        disks.lookAfterAll();
        return disks.proof() instanceof MountProof.Unproven bad ? bad.reason() : "";
    }

    @Test
    void aDeviceThatGoesWhileItIsMountedIsMissed() {
        FakeDiskTools.FakeDevice device = tools.devices.remove(Path.of("/dev/nosuch-a"));
        assertThat(reason()).contains("disk-a is missing").contains("its device is gone");
        tools.devices.put(Path.of("/dev/nosuch-a"), device);
        assertThat(reason()).isEmpty();
    }

    @Test
    void anotherDeviceUnderTheSameNodeIsNoticed() {
        tools.plug("/dev/nosuch-b", 100 * MIB);
        tools.devices.put(Path.of("/dev/nosuch-a"), tools.devices.remove(Path.of("/dev/nosuch-b")));
        assertThat(reason()).contains("wrong device: expected 7:1").contains("found 7:0");
    }

    @Test
    void aWriteThatFailsIsNamed() {
        tools.writeError = "Input/output error";
        assertThat(reason()).contains("disk-a cannot be written: Input/output error");
        tools.writeError = null;
        assertThat(reason()).isEmpty();
    }

    /** Lines as the kernel writes them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "3,1,99,-;I/O error, dev nosuch-a, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1",
                "3,1,99,-;critical space allocation error, dev nosuch-a, sector 9 op 0x1:(WRITE) flags 0x0",
                "3,1,99,-;Buffer I/O error on dev nosuch-a, logical block 5, lost async page write",
                "3,1,99,-;nosuch-a: writeback error on inode 133, offset 208150528, sector 192",
                "2,1,99,-;EXT4-fs error (device nosuch-a): ext4_find_entry:1455: inode #2",
                "2,1,99,-;EXT4-fs (nosuch-a): Remounting filesystem read-only",
                "1,1,99,-;XFS (nosuch-a): log I/O error -5",
                "1,1,99,-;XFS (nosuch-a): Filesystem has been shut down due to log error (0x2).",
                "3,1,99,-;BTRFS error (device nosuch-a state EA): bdev /dev/x errs: wr 1, rd 0",
            })
    void aWriteThatFailedLaterIsRememberedUntilTheDiskIsMountedAnew(String record) {
        kernel.record(record.replace("nosuch-a", "other"), 0);
        kernel.record(record, 100); // told before this agent lived
        assertThat(reason()).isEmpty();
        kernel.record(record, 0);
        assertThat(reason()).contains("disk-a is failing, the kernel says: ").contains("nosuch-a");
        disks = agent(); // the next agent has not heard the kernel
        assertThat(reason()).contains("is failing");
        disks.unmount(A);
        disks.mount(A, false);
        assertThat(reason()).isEmpty();
    }

    /** What the kernel says of sound disks, too. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "3,1,99,-;operation not supported error, dev nosuch-a, sector 9 op 0x9:(WRITE_ZEROES) flags 0x800",
                "3,1,99,-;I/O error, dev nosuch-a, sector 8 op 0x3:(DISCARD) flags 0x0",
                "6,1,99,-;EXT4-fs (nosuch-a): mounted filesystem 1-2 r/w with ordered data mode",
                "4,1,99,-;EXT4-fs warning (device nosuch-a): ext4_dx_add_entry:2461: Directory index full!",
                "5,1,99,-;XFS (nosuch-a): Mounting V5 Filesystem 0a40",
                "6,1,99,-;BTRFS info (device nosuch-a): using crc32c checksum algorithm",
                "garbage",
                "3,1,x,-;I/O error, dev nosuch-a, sector 2048 op 0x1:(WRITE) flags 0x800",
            })
    void otherWordsOfTheKernelStopNobody(String record) {
        kernel.record(record, 0);
        assertThat(reason()).isEmpty();
        assertThat(troubles).noneMatch(t -> t.key().equals("disk read"));
    }

    @Test
    void aReadThatFailsStopsNobodyButIsTold() {
        kernel.record("3,1,99,-;I/O error, dev nosuch-a, sector 8 op 0x0:(READ) flags 0x0", 0);
        kernel.record("3,1,99,-;I/O error, dev nosuch-a, sector 8 op 0x3:(DISCARD) flags 0", 0);
        assertThat(reason()).isEmpty();
        assertThat(troubles)
                .anyMatch(t -> t.key().equals("disk read") && t.summary().contains("sector 8"));
    }

    @Test
    void aFullDiskIsToldOfButStopsNobody() throws Exception {
        Files.write(layout().store().resolve("rows"), new byte[(int) (99 * MIB)]);
        assertThat(reason()).isEmpty();
        assertThat(troubles)
                .anyMatch(t ->
                        t.key().equals("disk space")
                                && !t.resolved()
                                && t.severity() == 2
                                && t.title().equals("persistent disk is full")
                                && t.summary().contains("99 % of 100 MiB are used"));
        Files.delete(layout().store().resolve("rows"));
        troubles.clear();
        disks.lookAfterAll();
        assertThat(troubles).allMatch(Workload.Trouble::resolved).isNotEmpty();
    }

    /** Expected and found, in the report of all disks and in the heartbeat's few words. */
    @Test
    void theReportSaysWhatIsKnownOfEachDisk() {
        tools.plug("/dev/nosuch-b", 200 * MIB);
        disks.add(B, "/dev/nosuch-b", DiskOptions.NONE);
        disks.mount(B, false);
        tools.writeError = "Input/output error";
        disks.lookAfterAll();
        List<Map<String, Object>> all = disks.report().all();
        assertThat(all.getFirst())
                .containsEntry("cid", "disk-a")
                .containsEntry("name", "")
                .containsEntry("mounted", "store")
                .containsEntry("proof", "unproven")
                .containsEntry("reason", "disk disk-a cannot be written: Input/output error")
                .containsEntry("file_system", "ext4")
                .containsEntry("size_mb", 100L)
                .containsKeys("used_bytes", "available_bytes", "days_to_full", "superseded_by");
        assertThat(all.getLast())
                .containsEntry("cid", "disk-b")
                .containsEntry("mounted", "aside")
                .containsEntry("proof", "none");
        assertThat(disks.report().brief())
                .containsExactly(
                        Json.of(
                                "cid",
                                "disk-a",
                                "name",
                                "",
                                "proof",
                                "unproven",
                                "reason",
                                "disk disk-a cannot be written: Input/output error",
                                "percent",
                                0L));
    }
}
