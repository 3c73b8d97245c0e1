package dev.berth.acceptance;

import dev.berth.engine.DockerEngine;
import dev.berth.engine.Engine;
import dev.berth.model.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A VM container seen from its host: its inner engine, reached through its root directory without
 * any program in between, and its processes.
 */
final class BenchVm implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final String id;
    private final Path root;
    private final Path socket;
    private final Engine inner;
    private final Instant started;

    /**
     * @param container name or id on the outer engine; it must run
     */
    BenchVm(Engine outer, String container) {
        Fields found =
                Fields.of(
                        outer.inspectContainer(container)
                                .orElseThrow(() -> new BenchException(container + " is not there")),
                        "VM");
        this.id = found.string("Id");
        this.started = Instant.parse(found.object("State").string("StartedAt"));
        long pid = found.object("State").integer("Pid");
        this.root = Path.of("/proc/" + pid + "/root");
        this.socket = root.resolve("run/docker.sock");
        this.inner = new DockerEngine(socket);
    }

    /** Of the VM's container on the outer engine. */
    String id() {
        return id;
    }

    /** The VM's own root directory with all that is mounted in it, as the host sees it. */
    Path root() {
        return root;
    }

    /** Of the inner engine, for programs of this machine. */
    Path socket() {
        return socket;
    }

    Engine inner() {
        return inner;
    }

    Instant started() {
        return started;
    }

    /** One container of Berth's in the VM. */
    record Inner(String id, boolean running, long pid, Instant started) {}

    /** By name. */
    Map<String, Inner> containers() {
        var result = new TreeMap<String, Inner>();
        for (Map<String, Object> listed : containersListed()) {
            Fields container = Fields.of(listed, "container");
            String name = container.stringMap("Labels").getOrDefault("berth.container", "");
            inspect(container.string("Id")).ifPresent(found -> result.put(name, found));
        }
        return result;
    }

    /** The same as the engine lists them. */
    List<Map<String, Object>> containersListed() {
        var labels = new HashMap<String, @org.jspecify.annotations.Nullable String>();
        labels.put("berth.container", null);
        return inner.listContainers(labels, LIMIT);
    }

    java.util.Optional<Inner> inspect(String nameOrId) {
        return inner.inspectContainer(nameOrId)
                .map(tree -> {
                    Fields found = Fields.of(tree, "container");
                    Fields state = found.object("State");
                    return new Inner(
                            found.string("Id"),
                            state.flag("Running", false),
                            state.integer("Pid"),
                            Instant.parse(state.string("StartedAt")));
                });
    }

    /** Id of the image that an inner container is of. */
    String image(String container) {
        return Fields.of(inner.inspectContainer(container).orElseThrow(), "container")
                .string("Image");
    }

    /** Removes all inner containers with these labels, side by side. */
    void remove(Map<String, @org.jspecify.annotations.Nullable String> labels) {
        BenchTools.together(
                inner.listContainers(labels, LIMIT).stream()
                        .map(row -> Fields.of(row, "container").string("Id"))
                        .map(found -> (Runnable) () -> inner.removeContainer(found, true, true))
                        .toList());
    }

    /** The number that the host knows the first process of an inner container by. */
    long hostPid(Inner container) {
        return processes().stream()
                .filter(pid -> {
                    String[] numbers = status(pid, "NSpid").split("\\s+");
                    return numbers.length > 2
                            && numbers[1].equals(String.valueOf(container.pid()))
                            && numbers[2].equals("1");
                })
                .findFirst()
                .orElseThrow(() -> new BenchException("no process of " + container.id()));
    }

    /** The number that the host knows the agent by. */
    long agentPid() {
        return processes().stream()
                .filter(pid -> read(pid, "cmdline").contains("dev.berth.agent.Main"))
                .min(Comparator.naturalOrder())
                .orElseThrow(() -> new BenchException("no agent in " + id));
    }

    /** The number that the host knows the inner Docker daemon by; 0 when there is none. */
    long daemonPid() {
        return processes().stream()
                .filter(pid -> read(pid, "comm").strip().equals("dockerd"))
                .min(Comparator.naturalOrder())
                .orElse(0L);
    }

    private List<Long> processes() {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.map(p -> p.getFileName().toString())
                    .filter(name -> Character.isDigit(name.charAt(0)))
                    .map(Long::valueOf)
                    .filter(pid -> read(pid, "cgroup").contains(id))
                    .toList();
        } catch (IOException e) {
            throw new BenchException("cannot list processes: " + e.getMessage(), e);
        }
    }

    /** What a file of /proc/PID holds; empty when the process has gone. */
    static String read(long pid, String file) {
        return text(Path.of("/proc/" + pid + "/" + file));
    }

    /** Empty when there is no such file. */
    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    /** A line of /proc/PID/status without its name; empty when there is none. */
    static String status(long pid, String name) {
        return read(pid, "status")
                .lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse("");
    }

    @Override
    public void close() {
        inner.close();
    }
}
