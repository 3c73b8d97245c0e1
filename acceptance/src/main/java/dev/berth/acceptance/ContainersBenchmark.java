package dev.berth.acceptance;

import dev.berth.engine.Engine;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What happens to single containers, on one VM with ten of them. */
final class ContainersBenchmark implements Benchmark {
    private static final String NAME = "bench-ten";
    private static final int COUNT = 10;

    @Override
    public String name() {
        return "containers";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        environment.director().deploy(manifest(0));
        try (var vm = new BenchVm(environment.engine(), environment.director().vm(NAME))) {
            BenchResult restart = restart(vm, Math.min(runs, COUNT));
            return List.of(restart, change(environment, vm, runs));
        } finally {
            environment.director().delete(NAME);
        }
    }

    /** Only the fifth container's value differs from round to round. */
    private static String manifest(int round) {
        var containers = new StringBuilder();
        IntStream.rangeClosed(1, COUNT)
                .forEach(i ->
                        containers.append(
                                BenchEnvironment.idle(
                                        "c" + i, i == 5 ? "round " + round : "same")));
        return BenchEnvironment.manifest(NAME, "", containers.toString());
    }

    // --- killed

    private static BenchResult restart(BenchVm vm, int runs) {
        String image = image(vm);
        var berth = new ArrayList<Double>();
        var own = new ArrayList<Double>();
        for (int i = 1; i <= runs; i++) {
            // Each one is killed once: both sides slow down for one that fails again and again.
            berth.add(killed(vm, "c" + i));
            Map<String, Object> body = Json.of("Image", image, "Cmd", BenchEnvironment.IDLE);
            body.put("HostConfig", Json.of("RestartPolicy", Json.of("Name", "always")));
            String id = vm.inner().createContainer("bench-own", body);
            vm.inner().startContainer(id);
            BenchTools.pause(1000);
            own.add(killed(vm, "bench-own"));
            vm.inner().removeContainer(id, true, true);
        }
        return new BenchResult(
                "container killed, running again",
                "s",
                new Samples(berth),
                new Samples(own),
                "<= 1.1 x engine's restart: always",
                "kill -9 of its first process until the inner engine shows it running with another"
                        + " one, asked every 5 ms; engine: a container of the same image with"
                        + " restart: always on the same engine, its first failure",
                Map.of());
    }

    private static double killed(BenchVm vm, String name) {
        BenchVm.Inner before = vm.inspect(name).orElseThrow();
        ProcessHandle process = ProcessHandle.of(vm.hostPid(before)).orElseThrow();
        long begun = System.nanoTime();
        process.destroyForcibly();
        BenchTools.await(
                name + " to run again",
                60,
                5,
                () ->
                        vm.inspect(name)
                                .filter(now ->
                                        now.running()
                                                && now.pid() > 0 // 0: about to be restarted
                                                && now.pid() != before.pid())
                                .isPresent());
        return BenchTools.secondsSince(begun);
    }

    private static String image(BenchVm vm) {
        return Fields.of(vm.inner().inspectContainer("c1").orElseThrow(), "container")
                .string("Image");
    }

    // --- changed

    private static BenchResult change(BenchEnvironment environment, BenchVm vm, int runs) {
        String image = image(vm);
        var whole = new ArrayList<Double>();
        var bare = new ArrayList<Double>();
        var parts = new ArrayList<Map<String, Double>>();
        for (int round = 1; round <= runs; round++) {
            Map<String, BenchVm.Inner> before = vm.containers();
            try (var moves = new Moves(vm.inner(), "c5")) {
                BenchDirector.Finished task = environment.director().deploy(manifest(round));
                whole.add(task.seconds());
                Map<String, Double> steps = environment.director().steps(task.id());
                steps.put("of it stop to start by the engine's events", moves.seconds());
                parts.add(steps);
            }
            onlyMoved("c5", before, vm.containers());
            bare.add(bare(vm, image, round));
        }
        return new BenchResult(
                "change 1 of 10 containers",
                "s",
                new Samples(whole),
                new Samples(bare),
                "<= docker compose up -d (about 1.45 x bare)",
                "deploy of a manifest with one changed variable, POST until the task is done, nine"
                        + " others proven untouched; bare: stop, remove, create, start of such a"
                        + " container on the same engine",
                BenchResult.medians(parts));
    }

    private static void onlyMoved(
            String name, Map<String, BenchVm.Inner> before, Map<String, BenchVm.Inner> after) {
        var expected = new HashMap<>(before);
        var found = new HashMap<>(after);
        BenchVm.Inner old = expected.remove(name);
        BenchVm.Inner fresh = found.remove(name);
        if (!expected.equals(found)
                || old == null
                || fresh == null
                || old.id().equals(fresh.id())) {
            throw new BenchException("others than " + name + " moved: " + before + " " + after);
        }
    }

    private static double bare(BenchVm vm, String image, int round) {
        Engine inner = vm.inner();
        Map<String, Object> body =
                Json.of(
                        "Image",
                        image,
                        "Cmd",
                        BenchEnvironment.IDLE,
                        "Env",
                        List.of("VALUE=" + round));
        String old = inner.createContainer("bench-bare", body);
        inner.startContainer(old);
        BenchTools.pause(500);
        long begun = System.nanoTime();
        inner.stopContainer(old, Duration.ofSeconds(10));
        inner.removeContainer(old, false, true);
        String fresh = inner.createContainer("bench-bare", body);
        inner.startContainer(fresh);
        double seconds = BenchTools.secondsSince(begun);
        inner.removeContainer(fresh, true, true);
        return seconds;
    }

    /** From the signal to the old container to the start of the new one. */
    private static final class Moves implements AutoCloseable {
        private final AutoCloseable events;
        private volatile long first;
        private volatile long last;

        Moves(Engine engine, String container) {
            events =
                    engine.events(
                            Map.of("type", List.of("container")),
                            event -> note(Fields.of(event, "event"), container),
                            broken -> {});
        }

        private void note(Fields event, String container) {
            String action = event.string("Action", "");
            boolean ours =
                    container.equals(
                            event.object("Actor").stringMap("Attributes").get("berth.container"));
            if (ours && action.equals("kill") && first == 0) {
                first = event.integer("timeNano", 0);
            }
            if (ours && action.equals("start")) {
                last = event.integer("timeNano", 0);
            }
        }

        double seconds() {
            return (last - first) / 1e9;
        }

        @Override
        public void close() {
            try {
                events.close();
            } catch (Exception e) {
                throw new BenchException("closing events: " + e.getMessage(), e);
            }
        }
    }
}
