package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Real loop devices below a folder, and agents' disks on them; needs root. */
final class LoopDisks implements AutoCloseable {
    static final long MIB = 1024 * 1024;

    final Path folder;
    final Layout layout;
    final Programs programs = new Programs.Real();
    final FakeWorkload workload = new FakeWorkload();
    final DiskPorts ports;
    private final List<String> loops = new ArrayList<>();

    LoopDisks(Path folder) {
        this.folder = folder;
        this.layout = Layout.of(folder.resolve("vcap"));
        this.ports = DiskPorts.of(layout, programs);
    }

    Disks disks(String fileSystem) {
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
                ports,
                new DiskRecords(layout, Map.of()),
                () -> settings,
                workload,
                Clock.SYSTEM,
                (name, proof) -> {});
    }

    String run(String... command) {
        return programs.run(Duration.ofSeconds(60), command)
                .orFail(String.join(" ", command))
                .strip();
    }

    /** A disk of that many bytes, none of them used. */
    String plug(String name, long bytes, String... options) {
        Path image = folder.resolve(name);
        length(image, bytes);
        var command = new ArrayList<>(List.of("losetup", "-f", "--show"));
        command.addAll(List.of(options));
        command.add(image.toString());
        String loop = run(command.toArray(String[]::new));
        loops.add(loop);
        return loop;
    }

    void resize(String name, String loop, long bytes) {
        length(folder.resolve(name), bytes);
        run("losetup", "-c", loop);
    }

    private static void length(Path image, long bytes) {
        try (var file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    void unmountAll() {
        try {
            List<String> mounts =
                    Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                            .map(line -> line.split(" ")[4])
                            .filter(at -> Path.of(at).startsWith(folder))
                            .sorted()
                            .toList()
                            .reversed();
            mounts.forEach(at -> programs.run(Duration.ofSeconds(10), "umount", at));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        unmountAll();
        for (String loop : loops) {
            programs.run(Duration.ofSeconds(10), "partx", "--delete", loop); // else they outlive it
            programs.run(Duration.ofSeconds(10), "losetup", "-d", loop);
        }
        unmountAll(); // what files of loop devices were on
    }
}
