package dev.berth.agent;

import static dev.berth.agent.LoopDisks.MIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.berth.model.DiskCid;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Data that moves between real file systems arrives as it was; needs root. */
@Tag("engine")
class LinuxDiskCopyTest {
    private static final DiskCid A = new DiskCid("disk-a");
    private static final DiskCid B = new DiskCid("disk-b");

    @TempDir Path folder = Path.of("");
    private LoopDisks vm = new LoopDisks(folder);

    @BeforeEach
    void setUp() {
        vm = new LoopDisks(folder);
    }

    @AfterEach
    void tearDown() {
        vm.close();
    }

    private static AgentCall call() {
        return new AgentCall("c", true);
    }

    private static void assumeKernelKnows(String fileSystem) throws IOException {
        assumeThat(Files.readString(Path.of("/proc/filesystems")))
                .as("the kernel of this machine has no %s", fileSystem)
                .contains(fileSystem);
    }

    /** One of everything that a file system can hold. */
    private void everything(Path at) throws IOException {
        Path folder = Files.createDirectories(at.resolve("a folder/inner"));
        byte[] bytes = new byte[3 * 1024 * 1024];
        new Random(1).nextBytes(bytes);
        Files.write(folder.resolve("random"), bytes);
        Files.createLink(at.resolve("linked"), folder.resolve("random"));
        Files.createSymbolicLink(at.resolve("link"), Path.of("nowhere/at all"));
        Files.write(folder.resolve("empty"), new byte[0]);
        vm.run("truncate", "-s", "40M", folder.resolve("sparse").toString());
        vm.run("mkfifo", "-m", "600", at.resolve("pipe").toString());
        vm.run("mknod", at.resolve("null").toString(), "c", "1", "3");
        try (var socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(at.resolve("socket"))); // the file stays
        }
        vm.run("chown", "1234:4321", folder.resolve("random").toString());
        vm.run("chmod", "6751", folder.resolve("empty").toString());
        vm.run("setfacl", "-m", "u:77:r", folder.resolve("empty").toString());
        vm.run("setfattr", "-n", "user.why", "-v", "because", folder.resolve("sparse").toString());
        vm.run("setfattr", "-n", "trusted.deep", "-v", "1", folder.toString());
        vm.run("bash", "-c", "echo x > \"$1\"/$'odd\\n\\377name'", "odd", folder.toString());
        vm.run("touch", "-d", "2001-02-03 04:05:06.789", folder.resolve("sparse").toString());
        vm.run("touch", "-d", "1999-01-01", folder.toString());
    }

    @ParameterizedTest
    @CsvSource({"ext4,ext4", "xfs,ext4", "ext4,btrfs"})
    void everythingArrives(String from, String to) throws IOException {
        assumeKernelKnows(from);
        assumeKernelKnows(to);
        Disks disks = vm.disks(from);
        disks.add(A, vm.plug("a.img", 400 * MIB), DiskOptions.NONE);
        disks.add(B, vm.plug("b.img", 400 * MIB), new DiskOptions("", to, null, false));
        disks.mount(A, false);
        Path store = vm.layout.store();
        everything(store);
        assertThat(disks.copy(A, B, call())).containsEntry("passes", 2L);
        Files.writeString(store.resolve("a folder/late"), "x");
        vm.run("bash", "-c", SAME_TIME, "x", inner(store, "random")); // as through memory
        Files.delete(store.resolve("a folder/inner/empty"));
        String before = listing(store);
        assertThat((Long) disks.migrate(A, B, call()).get("bytes")).isGreaterThan(3 * MIB);
        assertThat(disks.proven()).containsExactly("disk-b");
        assertThat(listing(store)).isEqualTo(before);
        assertThat(vm.run("stat", "-c", "%b", store + "/a folder/inner/sparse")).isEqualTo("0");
        assertThat(
                        vm.run(
                                "getfattr",
                                "--absolute-names",
                                "--only-values",
                                "-n",
                                "user.why",
                                inner(store, "sparse")))
                .isEqualTo("because");
        disks.unmount(B);
        assertThatThrownBy(() -> disks.mount(A, false)).hasMessageContaining("superseded");
    }

    private static String inner(Path store, String name) {
        return store + "/a folder/inner/" + name;
    }

    /** By programs that had no part in the copy. */
    private String listing(Path at) {
        return vm.run(
                "bash",
                "-c",
                "cd \"$1\" && find . -mindepth 1 -not -name '.berth-*' -not -name lost+found"
                        + " -printf '%P %y %m %U %G %l %T@' \\( -type d -o -printf ' %n %s' \\)"
                        + " -printf '\\n' | sort; find . -type f -not -name '.berth-*' -exec"
                        + " md5sum {} + | sort; if [ -d 'a folder' ]; then"
                        + " getfacl -Rn --skip-base 'a folder';"
                        + " getfattr -Rdm - --absolute-names 'a folder'; fi",
                "listing",
                at.toString());
    }

    /** Each way in which a copy can be wrong is seen. */
    @Test
    void aWrongCopyIsNoticed() throws IOException {
        Disks disks = vm.disks("ext4");
        disks.add(A, vm.plug("a.img", 200 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        Path from = Files.createDirectories(vm.layout.store().resolve("from"));
        everything(from);
        String[][] damages = {
            {"touch", "-d", "2002-02-02", "a folder/inner/random"},
            {"chown", "9", "a folder/inner/empty"},
            {"chmod", "700", "a folder"},
            {"rm", "pipe"},
            {"touch", "extra"},
            {"setfattr", "-x", "trusted.deep", "a folder/inner"},
            {"setfacl", "-b", "a folder/inner/empty"},
            {"ln", "-snf", "elsewhere", "link"},
            {"cp", "--remove-destination", "-p", "a folder/inner/random", "linked"},
            {"truncate", "-s", "41M", "a folder/inner/sparse"},
            {"bash", "-c", SAME_TIME, "x", "a folder/inner/random"},
        };
        for (String[] damage : damages) {
            Path to = vm.layout.store().resolve("to");
            vm.run("rm", "-rf", to.toString());
            Instant since = Instant.now().minusSeconds(2);
            vm.run("cp", "-a", "--preserve=all", from.toString(), to.toString());
            var rsync = new Rsync();
            assertThat(rsync.compare(from, to, since).differences()).isEmpty();
            String command = "cd \"$0\" && \"$@\"";
            var all = new java.util.ArrayList<>(List.of("bash", "-c", command, to.toString()));
            all.addAll(List.of(damage));
            vm.run(all.toArray(String[]::new));
            assertThat(rsync.compare(from, to, since).differences())
                    .as(String.join(" ", damage))
                    .isNotEmpty();
        }
    }

    /** One byte in the middle, and the time as it was: only a look at the content finds it. */
    private static final String SAME_TIME =
            "cp -p \"$1\" ref; printf x | dd of=\"$1\" bs=1 seek=2000000 conv=notrunc;"
                    + " touch -r ref \"$1\"; rm ref";

    /** The agent is killed, with its rsync, in the middle of a copy and of a move. */
    @Test
    void aKilledCopyIsTakenUp() throws Exception {
        Disks disks = vm.disks("ext4");
        disks.add(A, vm.plug("a.img", 600 * MIB), DiskOptions.NONE);
        disks.add(B, vm.plug("b.img", 800 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        Path store = vm.layout.store();
        for (int i = 0; i < 6; i++) {
            vm.run("dd", "if=/dev/urandom", "of=" + store.resolve("f" + i), "bs=1M", "count=30");
        }
        String before = listing(store);
        for (String what : List.of("copy", "migrate")) {
            Process agent = agent(what);
            awaitCopying(agent);
            agent.destroyForcibly().waitFor();
            awaitNoRsync();
            Disks next = vm.disks("ext4");
            assertThat(next.lookAfterAll()).isTrue();
            assertThat(next.proven()).containsExactly("disk-a");
            assertThat(listing(store)).isEqualTo(before);
        }
        Disks last = vm.disks("ext4");
        last.copy(A, B, call());
        last.migrate(A, B, call());
        assertThat(last.proven()).containsExactly("disk-b");
        assertThat(listing(store)).isEqualTo(before);
    }

    /** A process of its own that does one thing to the disks; see {@link DiskAgentMain}. */
    private Process agent(String what) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DiskAgentMain.class.getName(),
                        folder.toString(),
                        what)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("agent.log").toFile())
                .start();
    }

    private void awaitCopying(Process agent) throws Exception {
        Path aside = vm.layout.aside("");
        while (rsyncs().isEmpty()) {
            assertThat(agent.isAlive()).as(Files.readString(folder.resolve("agent.log"))).isTrue();
            Thread.sleep(5);
        }
        assertThat(aside).exists();
    }

    private void awaitNoRsync() throws Exception {
        while (!rsyncs().isEmpty()) {
            Thread.sleep(5);
        }
    }

    private List<String> rsyncs() {
        return ProcessHandle.allProcesses()
                .map(p -> p.info().commandLine().orElse(""))
                .filter(line -> line.contains("rsync ") && line.contains(folder.toString()))
                .toList();
    }

    @Test
    void aCancelledCopyLeavesNobodyWriting() throws Exception {
        Disks disks = vm.disks("ext4");
        disks.add(A, vm.plug("a.img", 300 * MIB), DiskOptions.NONE);
        disks.mount(A, false);
        Path from = Files.createDirectories(vm.layout.store().resolve("from"));
        Path to = Files.createDirectories(vm.layout.store().resolve("to"));
        vm.run("dd", "if=/dev/zero", "of=" + from.resolve("f"), "bs=1M", "count=100");
        var bytes = new java.util.concurrent.atomic.AtomicLong();
        var watch =
                new TreeCopier.Watch() {
                    @Override
                    public void bytes(long sofar) {
                        bytes.set(sofar);
                    }

                    @Override
                    public boolean isCancelled() {
                        return true;
                    }
                };
        assertThatThrownBy(() -> new Rsync().pass(from, to, Instant.EPOCH, true, watch))
                .hasMessageContaining("cancelled");
        awaitNoRsync();
        AgentCall call = call();
        var passed =
                new Rsync()
                        .pass(
                                from,
                                to,
                                Instant.EPOCH,
                                true,
                                DiskCopies.watch(
                                        call, 0, 0, dev.berth.model.Clock.SYSTEM, Instant.now()));
        assertThat(passed).isEqualTo(new TreeCopier.Passed(2, 100 * MIB));
        assertThat(call.answer().toTree().toString())
                .contains("bytes=" + 100 * MIB)
                .contains("total=" + 100 * MIB)
                .contains("seconds_left=0");
    }
}
