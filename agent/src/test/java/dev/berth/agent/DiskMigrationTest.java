package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Data moves from one disk to another; the agent may be killed at any point of it. */
class DiskMigrationTest {
    private static final DiskCid A = new DiskCid("disk-a");
    private static final DiskCid B = new DiskCid("disk-b");
    private static final long MIB = 1024 * 1024;

    @TempDir Path folder = Path.of("");

    /** The agent was killed: nothing of it runs on, not even to tidy up. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;

        Killed(String where) {
            super(where);
        }
    }

    /** One VM with two disks of one name, and the agents that live in it one after the other. */
    private static final class Vm {
        final Layout layout;
        final FakeDiskTools tools;
        final FakeTreeCopier copier = new FakeTreeCopier();
        final FakeWorkload workload = new FakeWorkload();
        final String name;
        Disks disks;
        private int points;
        private String last = "";

        Vm(Path folder, String name) {
            this.name = name;
            this.layout =
                    new Layout(folder, folder.resolve("etc"), Path.of("/proc"), Path.of("/sys"));
            this.tools = new FakeDiskTools(folder.resolve("devices"));
            this.disks = agent();
            tools.plug("/dev/a", 100 * MIB);
            tools.plug("/dev/b", 200 * MIB);
            var options = new DiskOptions(name, null, null, false);
            disks.add(A, "/dev/a", options);
            disks.add(B, "/dev/b", options);
            disks.mount(A, false);
            for (int i = 0; i < 3; i++) {
                write("rows" + i, "1 2 3 " + i);
            }
        }

        private Disks agent() {
            var settings =
                    new Settings(
                            AgentSettings.fromTree(Json.of("agent_id", "a1")),
                            Fields.of(Map.of(), ""));
            return new Disks(
                    layout,
                    new DiskPorts(tools, copier, new KernelLog(layout, new Programs.Real())),
                    new DiskRecords(layout, Map.of()),
                    () -> settings,
                    workload,
                    new SkippingClock(),
                    (disk, proof) -> {});
        }

        void write(String file, String text) {
            try {
                Files.writeString(place().resolve(file), text);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        Path place() {
            return layout.place(name);
        }

        void killAt(int point) {
            points = 0;
            java.util.function.Consumer<String> count =
                    what -> {
                        requireOneLive(what);
                        last = what;
                        if (points++ == point) {
                            throw new Killed(what);
                        }
                    };
            tools.point = count;
            copier.point = count;
        }

        int points() {
            return points;
        }

        /** The next agent; after a reboot of the VM nothing is mounted. */
        void liveAgain(boolean reboot) {
            tools.point = this::requireOneLive;
            copier.point = this::requireOneLive;
            if (reboot) {
                tools.reboot();
            }
            disks = agent();
            assertThat(disks.lookAfterAll()).as("after %s", last).isTrue();
        }

        /** Both may never be live by what is written on them. */
        private void requireOneLive(String when) {
            boolean a = mayBeLive("/dev/a");
            boolean b =
                    mayBeLive("/dev/b") && Files.exists(tools.content("/dev/b").resolve("rows0"));
            assertThat(a && b).as("both live at %s", when).isFalse();
        }

        private boolean mayBeLive(String device) {
            Path at = tools.content(device);
            return DiskMarks.identity(at).isPresent()
                    && DiskMarks.notLive(new DiskCid("any"), at).isEmpty();
        }

        void requireData(String why) {
            try {
                for (int i = 0; i < 3; i++) {
                    assertThat(Files.readString(place().resolve("rows" + i)))
                            .as(why)
                            .isEqualTo("1 2 3 " + i);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(why, e);
            }
        }
    }

    private static AgentCall call() {
        return new AgentCall("c", true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "rows"})
    void theNewDiskTakesThePlaceWithAllData(String name) {
        var vm = new Vm(folder, name);
        Map<String, Object> copied = vm.disks.copy(A, B, call());
        assertThat(copied)
                .isEqualTo(Json.of("passes", 1L, "files", 3L, "bytes", 21L, "left_bytes", 21L));
        vm.write("rows2", "1 2 3 2".repeat(1));
        vm.write("late", "x");
        vm.workload.onDisk = List.of("db");
        vm.workload.onNamedDisks.put("rows", List.of("db"));
        Map<String, Object> moved = vm.disks.migrate(A, B, call());
        assertThat(moved)
                .containsEntry("files", 4L)
                .containsEntry("bytes", 1L)
                .containsEntry("verified_files", 4L)
                .containsKey("stopped_ms");
        vm.requireData("moved");
        assertThat(vm.disks.proven()).containsExactly("disk-b");
        assertThat(vm.disks.list()).containsExactly("disk-b");
        assertThat(vm.copier.passes).containsExactly("live", "last");
        assertThat(vm.disks.migrate(A, B, call())).containsEntry("stopped_ms", 0L);
    }

    @Test
    void theOldDiskIsNeverLiveAgainUnlessAPersonWantsIt() {
        var vm = new Vm(folder, "");
        vm.disks.migrate(A, B, call());
        vm.disks.unmount(B);
        assertThatThrownBy(() -> vm.disks.mount(A, false))
                .hasMessageContaining("was superseded by disk 'disk-b'")
                .hasMessageContaining("'revive'");
        assertThat(vm.tools.mounts).isEmpty();
        assertThat(vm.disks.report().all().getFirst()).containsEntry("superseded_by", "disk-b");
        vm.disks.mount(A, true);
        assertThat(vm.disks.report().all().getFirst()).containsEntry("superseded_by", null);
        assertThat(vm.disks.proven()).containsExactly("disk-a");
        vm.requireData("revived");
    }

    @Test
    void aCopyThatIsNotFinishedIsNeverLive() {
        var vm = new Vm(folder, "");
        vm.disks.copy(A, B, call());
        vm.disks.unmount(B);
        vm.disks.unmount(A);
        assertThatThrownBy(() -> vm.disks.mount(B, false))
                .hasMessageContaining("unfinished copy of disk 'disk-a'");
        vm.disks.mount(A, false);
        vm.requireData("back");
    }

    /** What needs the disk does not wait for hours: the copy ends, and can be taken up later. */
    @Test
    void aCopyEndsWhenItsDiskIsWantedForSomethingElse() throws Exception {
        var vm = new Vm(folder, "");
        vm.copier.waitsForCancel = true;
        var failure = new java.util.concurrent.CompletableFuture<String>();
        AgentCall call = call();
        Thread copying =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                failure.complete("it ended: " + vm.disks.copy(A, B, call));
                            } catch (RuntimeException e) {
                                failure.complete(ActionException.words(e));
                            }
                        });
        while (vm.copier.passes.isEmpty()) {
            Thread.onSpinWait();
        }
        vm.disks.unmount(B);
        copying.join();
        assertThat(failure.get()).isEqualTo("cancelled");
        assertThat(call.isCancelled()).isTrue();
        vm.copier.waitsForCancel = false;
        vm.disks.copy(A, B, call());
        vm.disks.migrate(A, B, call());
        vm.requireData("moved");
    }

    /**
     * Passes end when little is left, when it no longer gets less, and at the latest after eight.
     */
    @Test
    void passesEnd() {
        long gib = 1L << 30;
        assertThat(CopyPasses.another(List.of())).isTrue();
        assertThat(CopyPasses.another(List.of(CopyPasses.SMALL))).isFalse();
        assertThat(CopyPasses.another(List.of(10 * gib))).isTrue();
        assertThat(CopyPasses.another(List.of(10 * gib, 2 * gib))).isTrue();
        assertThat(CopyPasses.another(List.of(10 * gib, 9 * gib))).isFalse();
        var shrinking = new ArrayList<Long>();
        for (int i = 0; i < CopyPasses.MOST; i++) {
            assertThat(CopyPasses.another(shrinking)).isTrue();
            shrinking.add(gib << (20 - i));
        }
        assertThat(CopyPasses.another(shrinking)).isFalse();
    }

    @Test
    void whatWouldLoseDataIsRefused() throws IOException {
        var vm = new Vm(folder, "");
        vm.tools.plug("/dev/c", 1); // smaller than what is used
        var c = new DiskCid("disk-c");
        vm.disks.add(c, "/dev/c", DiskOptions.NONE);
        assertThatThrownBy(() -> vm.disks.copy(A, c, call())).hasMessageContaining("does not fit");
        vm.disks.unmount(c);

        FakeDiskTools.FakeDevice own = vm.tools.plug("/dev/d", 200 * MIB);
        own.holds = new DiskTools.Content.FileSystem("ext4", 200 * MIB);
        Files.writeString(own.content.resolve(DiskMarks.IDENTITY_FILE), "disk-d");
        Files.writeString(own.content.resolve("precious"), "1");
        var d = new DiskCid("disk-d");
        vm.disks.add(d, "/dev/d", DiskOptions.NONE);
        assertThatThrownBy(() -> vm.disks.migrate(A, d, call()))
                .hasMessageContaining("data of its own");
        vm.disks.unmount(d);
        assertThatThrownBy(() -> vm.disks.migrate(A, A, call())).hasMessageContaining("itself");
        vm.disks.add(d, "/dev/d", new DiskOptions("other", null, null, false));
        assertThatThrownBy(() -> vm.disks.migrate(A, d, call())).hasMessageContaining("one name");
    }

    @Test
    void aCopyThatDiffersLeavesTheOldDiskLive() {
        var vm = new Vm(folder, "");
        vm.copier.damages = true;
        vm.workload.onDisk = List.of("db");
        assertThatThrownBy(() -> vm.disks.migrate(A, B, call()))
                .hasMessageContaining("the old disk stays")
                .hasMessageContaining("differs");
        assertThat(vm.disks.proven()).containsExactly("disk-a");
        vm.requireData("back");
        vm.copier.damages = false;
        vm.disks.migrate(A, B, call());
        assertThat(vm.disks.proven()).containsExactly("disk-b");
        vm.requireData("moved");
    }

    /** Killed at each point in turn: agent alone, or the whole VM. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void killedAtAnyPointOneDiskIsLiveWithAllData(boolean reboot) throws IOException {
        int points = 1;
        var ends = new ArrayList<String>();
        for (int point = 0; point < points; point++) {
            var vm = new Vm(Files.createDirectories(folder.resolve("vm" + point)), "");
            vm.killAt(point);
            try {
                vm.disks.copy(A, B, call());
                vm.disks.migrate(A, B, call());
            } catch (Killed e) {
                ends.add(e.getMessage());
            }
            points = Math.max(points, vm.points() + 1);
            vm.liveAgain(reboot);
            assertThat(vm.disks.proof()).as("%s", ends).isInstanceOf(MountProof.Proven.class);
            vm.requireData("after " + ends);
            vm.write("new", "written by containers meanwhile");
            vm.disks.migrate(A, B, call());
            assertThat(vm.disks.proven()).as("%s", ends).containsExactly("disk-b");
            vm.requireData("at last, after " + ends);
            assertThat(vm.place().resolve("new")).exists();
            assertThat(DiskMarks.successor(vm.tools.content("/dev/a")))
                    .isEqualTo(Optional.of("disk-b"));
        }
        assertThat(ends).hasSizeGreaterThan(25);
    }

    /** The VM is lost in the one moment in which neither is live by itself. */
    @Test
    void aNewVmWithBothDisksFindsTheLiveOne() {
        var vm = new Vm(folder, "");
        vm.killAt(-1);
        vm.tools.point =
                what -> {
                    if (what.equals("before unmount store_migration_target")
                            && DiskMarks.successor(vm.tools.content("/dev/a")).isPresent()) {
                        throw new Killed(what);
                    }
                };
        assertThatThrownBy(() -> vm.disks.migrate(A, B, call())).isInstanceOf(Killed.class);
        DiskMarks.receive(
                vm.tools.content("/dev/b"), A, Instant.EPOCH); // and its last write was lost
        vm.tools.point = what -> {};
        vm.tools.reboot();
        DurableFile.delete(vm.layout.lastMountedDisk()); // a new VM remembers nothing
        vm.disks = vm.agent();
        assertThatThrownBy(() -> vm.disks.mount(A, false)).hasMessageContaining("superseded");
        vm.disks.mount(B, false);
        assertThat(vm.disks.proven()).containsExactly("disk-b");
        vm.requireData("on B");
    }
}
