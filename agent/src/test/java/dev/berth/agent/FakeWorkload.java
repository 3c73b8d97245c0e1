package dev.berth.agent;

import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Json;
import dev.berth.wire.AgentState.ContainerState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Containers that are up as soon as they are started, and remembers what was asked. */
class FakeWorkload implements Workload {
    final List<String> asked = new ArrayList<>();
    final List<MountProof> proofs = new ArrayList<>();
    List<ContainerSpec> wish = List.of();
    private List<ContainerSpec> before = List.of();
    private String mark = "";
    private String markBefore = "";
    boolean running;
    List<String> onDisk = List.of();
    final List<MountProof> namedProofs = new ArrayList<>();
    final Map<String, List<String>> onNamedDisks = new java.util.HashMap<>();

    /** Whether users of the disk stop when it is no longer proven, as the supervisor makes them. */
    boolean leavesUnprovenDisk = true;

    volatile @Nullable CountDownLatch prepareBlocks;
    private Runnable changed = () -> {};
    private Consumer<Trouble> trouble = t -> {};

    private synchronized void note(String what) {
        asked.add(what);
    }

    @Override
    public void prepare(List<ContainerSpec> containers) {
        note("prepare " + containers.stream().map(ContainerSpec::name).toList());
        CountDownLatch blocks = prepareBlocks;
        if (blocks != null) {
            try {
                blocks.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        if (containers.stream().anyMatch(c -> "missing".equals(c.image().reference()))) {
            throw new ActionException("container 'x', image 'missing': manifest unknown");
        }
    }

    @Override
    public synchronized String apply(
            List<ContainerSpec> containers, DaemonSettings settings, int index, String newMark) {
        note("apply " + containers.stream().map(ContainerSpec::name).toList());
        if (running) {
            before = wish;
            markBefore = mark;
        }
        wish = List.copyOf(containers);
        mark = newMark;
        changed.run();
        return "";
    }

    @Override
    public synchronized Optional<String> before() {
        return Optional.of(markBefore);
    }

    @Override
    public synchronized String rollBack(DaemonSettings settings, int index) {
        note("roll back");
        wish = before;
        mark = markBefore;
        return "";
    }

    @Override
    public synchronized void start() {
        note("start");
        running = true;
        changed.run();
    }

    @Override
    public synchronized void stop(Duration limit) {
        note("stop");
        running = false;
        changed.run();
    }

    @Override
    public synchronized Status status() {
        return new Status(
                running || wish.isEmpty() ? "running" : "stopped",
                "up",
                wish.stream()
                        .map(spec ->
                                new ContainerState(
                                        spec.name(),
                                        String.valueOf(spec.image().reference()),
                                        null,
                                        running ? "up" : "stopped",
                                        "none",
                                        spec.digest(),
                                        null,
                                        0,
                                        0,
                                        null,
                                        false,
                                        "",
                                        "",
                                        0))
                        .toList());
    }

    @Override
    public synchronized void disk(String name, MountProof proof) {
        (name.isEmpty() ? proofs : namedProofs).add(proof);
        if (leavesUnprovenDisk && !(proof instanceof MountProof.Proven)) {
            if (name.isEmpty()) {
                onDisk = List.of();
            } else {
                onNamedDisks.remove(name);
            }
        }
    }

    @Override
    public synchronized List<String> runningOnDisk(String name) {
        return name.isEmpty() ? onDisk : onNamedDisks.getOrDefault(name, List.of());
    }

    @Override
    public void startContainer(String name) {
        note("start " + name);
    }

    @Override
    public void stopContainer(String name) {
        note("stop " + name);
    }

    @Override
    public void restartContainer(String name) {
        note("restart " + name);
    }

    @Override
    public String logs(String name, int tail) {
        return "log of " + name + "\n";
    }

    @Override
    public void copyLogs(String name, int tail, OutputStream out) {
        try {
            out.write(logs(name, tail).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Map<String, Object> readLogs(String name, String cursor, int most) {
        return Json.of("asked", name + " " + cursor + " " + most);
    }

    @Override
    public Map<String, Object> explain(String name) {
        return Json.of("asked", name);
    }

    @Override
    public Output run(String name, List<String> command, Duration limit) {
        return new Output(3, String.join(" ", command), "");
    }

    @Override
    public void onChange(Runnable listener) {
        changed = listener;
    }

    @Override
    public void onTrouble(Consumer<Trouble> listener) {
        trouble = listener;
    }

    void raise(Trouble what) {
        trouble.accept(what);
    }
}
