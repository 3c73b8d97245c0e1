package dev.berth.acceptance;

import dev.berth.engine.Engine;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    public List<BenchResult> run(BenchEnvironment environment, int runs) throws IOException {
        environment.director().deploy(manifest(0));
        try (var vm = new BenchVm(environment.engine(), environment.director().vm(NAME))) {
            return List.of(change(environment, vm, runs));
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

    // --- changed

    private static BenchResult change(BenchEnvironment environment, BenchVm vm, int runs)
            throws IOException {
        String image = vm.image("c1");
        Optional<Compose> compose = Compose.on(vm);
        var whole = new ArrayList<Double>();
        var composed = new ArrayList<Double>();
        var bare = new ArrayList<Double>();
        var parts = new ArrayList<Map<String, Double>>();
        compose.ifPresent(c -> c.up(services(image, 0)));
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
            int next = round;
            compose.ifPresent(c -> composed.add(c.up(services(image, next))));
            bare.add(bare(vm, image, round));
        }
        Map<String, Double> medians = BenchResult.medians(parts);
        medians.put("bare engine", new Samples(bare).median());
        compose.ifPresent(Compose::close);
        return new BenchResult(
                "change 1 of 10 containers",
                "s",
                new Samples(whole),
                new Samples(composed.isEmpty() ? bare : composed),
                "<= docker compose up -d",
                "deploy of a manifest with one changed variable, POST until the task is done, nine"
                        + " others proven untouched; baseline: "
                        + compose.map(c -> c.name() + " up -d of the same ten with the same change")
                                .orElse("the bare engine, no Compose here")
                        + " on the same engine; bare engine: stop, remove, create, start of such a"
                        + " container",
                medians);
    }

    /** The same as Compose has it. */
    private static String services(String image, int round) {
        var services = new StringBuilder();
        IntStream.rangeClosed(1, COUNT)
                .forEach(i ->
                        services.append(
                                UpBenchmark.service(
                                        "s" + i, image, i == 5 ? "round " + round : "same")));
        return services.toString();
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
