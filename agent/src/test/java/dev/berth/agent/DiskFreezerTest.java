package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.DiskCid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file system is held for a moment, and goes on whoever dies. */
@Tag("engine")
class DiskFreezerTest {
    private static final DiskCid DISK = new DiskCid("disk-1");
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Programs.Real programs = new Programs.Real();

    @TempDir Path folder;
    private Path at = Path.of("");

    @BeforeEach
    void mount() throws IOException {
        at = Files.createDirectories(folder.resolve("m"));
        run("truncate", "-s", "64M", folder.resolve("img").toString());
        run("mkfs.ext4", "-q", folder.resolve("img").toString());
        run("mount", "-o", "loop", folder.resolve("img").toString(), at.toString());
    }

    @AfterEach
    void unmount() {
        programs.run(LIMIT, "fsfreeze", "--unfreeze", at.toString());
        run("umount", at.toString());
    }

    private void run(String... command) {
        String ignored = programs.run(LIMIT, command).orFail(command[0]);
    }

    private Layout layout() {
        return Layout.of(folder);
    }

    private DiskFreezer freezer() {
        return new DiskFreezer(layout(), programs, cid -> at);
    }

    /** Ends when the write does; a process, for a thread of ours could not be given up. */
    private CompletableFuture<Process> write() throws IOException {
        return new ProcessBuilder("sh", "-c", "echo written > " + at.resolve("file"))
                .start()
                .onExit();
    }

    private static Optional<ProcessHandle> guard(Path of) {
        return ProcessHandle.allProcesses()
                .filter(p ->
                        p.info()
                                .arguments()
                                .map(a -> String.join(" ", a))
                                .orElse("")
                                .contains("berth-thaw " + of + " "))
                .findFirst();
    }

    @Test
    void writersWaitUntilItIsThawed() throws Exception {
        DiskFreezer freezer = freezer();
        assertThat(freezer.freeze(DISK, 20)).containsEntry("frozen", true);
        CompletableFuture<Process> writer = write();
        assertThat(DiskFreezer.isFrozen(layout(), at)).isTrue();
        assertThat(new LinuxDisks(layout(), programs).cannotWrite(at)).isEmpty();
        assertThat(writer).isNotDone();
        assertThat(freezer.thaw(DISK)).containsEntry("held", true);
        writer.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(at.resolve("file")).hasContent("written");
        assertThat(DiskFreezer.isFrozen(layout(), at)).isFalse();
        assertThat(guard(at)).isEmpty();
    }

    @Test
    void itThawsByItselfAndSaysSo() throws Exception {
        DiskFreezer freezer = freezer();
        freezer.freeze(DISK, 1);
        write().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(freezer.thaw(DISK)).containsEntry("held", false);
    }

    @Test
    void itThawsThoughItsGuardIsKilled() throws Exception {
        DiskFreezer freezer = freezer();
        freezer.freeze(DISK, 1);
        guard(at).orElseThrow().destroyForcibly();
        write().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    /** The guard alone, and the next life of the agent alone. */
    @Test
    void itThawsThoughTheAgentIsGone() throws Exception {
        run(
                "sh",
                "-c",
                "mkdir -p " + layout().memory().resolve("frozen") + "; fsfreeze --freeze " + at);
        Path mark = layout().memory().resolve("frozen").resolve(at.toString().replace('/', '_'));
        Files.writeString(mark, at + "\n1\nof an earlier life\n");
        CompletableFuture<Process> writer = write();
        freezer().takeOver();
        writer.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        // The mark goes after the freeze: until then a slow write is excused, never the other way.
        long end = System.nanoTime() + LIMIT.toNanos();
        while (DiskFreezer.isFrozen(layout(), at) && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        assertThat(DiskFreezer.isFrozen(layout(), at)).isFalse();
    }

    @Test
    void noOneFreezesForLong() {
        assertThatThrownBy(() -> freezer().freeze(DISK, 46))
                .isInstanceOf(ActionException.class)
                .hasMessageContaining("1 to 45");
    }

    @Test
    void aKernelThatRefusesIsToldHonestly() {
        // Of a file system without such a call.
        var freezer = new DiskFreezer(layout(), programs, cid -> Path.of("/proc"));
        assertThat(freezer.freeze(DISK, 5)).containsEntry("frozen", false).containsKey("reason");
        assertThat(DiskFreezer.isFrozen(layout(), Path.of("/proc"))).isFalse();
    }
}
