package dev.berth.acceptance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Docker Compose on the engine inside a VM, whichever of its two generations this machine has: what
 * people use when they do without Berth.
 */
final class Compose implements AutoCloseable {
    private static final String PROJECT = "berthbench";

    /** The project's label on its containers. */
    private static final String LABEL = "com.docker.compose.project";

    private final List<String> command;
    private final String version;
    private final BenchVm vm;
    private final Path file;

    private Compose(List<String> command, String version, BenchVm vm) throws IOException {
        this.command = command;
        this.version = version;
        this.vm = vm;
        this.file = Files.createTempFile("berth-bench", ".yml");
    }

    /** Empty where there is no Compose. */
    static Optional<Compose> on(BenchVm vm) throws IOException {
        for (List<String> words :
                List.of(List.of("docker", "compose"), List.of("docker-compose"))) {
            String version = version(words);
            if (!version.isEmpty()) {
                return Optional.of(new Compose(words, version, vm));
            }
        }
        return Optional.empty();
    }

    private static String version(List<String> words) {
        var all = new ArrayList<>(words);
        all.addAll(List.of("version", "--short"));
        try {
            return BenchTools.run(all.toArray(String[]::new)).strip();
        } catch (BenchException e) {
            return "";
        }
    }

    /** {@code docker compose 2.26.1} */
    String name() {
        return String.join(" ", command) + " " + version;
    }

    /** {@code up -d} of a project of these services, to its end. Returns seconds. */
    double up(String services) {
        try {
            Files.writeString(file, "services:\n" + services);
        } catch (IOException e) {
            throw new BenchException("cannot write " + file + ": " + e.getMessage(), e);
        }
        var words = new ArrayList<>(command);
        words.addAll(List.of("-p", PROJECT, "-f", file.toString(), "up", "-d"));
        long begun = System.nanoTime();
        BenchTools.run(
                Map.of("DOCKER_HOST", "unix://" + vm.socket()), words.toArray(String[]::new));
        return BenchTools.secondsSince(begun);
    }

    /** Removes the containers; the network stays, as Berth's does. */
    void removeContainers() {
        vm.remove(Map.of(LABEL, PROJECT));
    }

    @Override
    public void close() {
        removeContainers();
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new BenchException("cannot delete " + file + ": " + e.getMessage(), e);
        }
    }
}
