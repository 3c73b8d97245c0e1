package dev.berth.acceptance;

import dev.berth.model.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Ten and twenty containers that are added to a VM which has their image, flat and in a chain. */
final class UpBenchmark implements Benchmark {
    private static final String NAME = "bench-up";
    private static final String BARE = "bench-bare-";

    @Override
    public String name() {
        return "up";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) throws IOException {
        environment.director().deploy(manifest(0, false));
        try (var vm = new BenchVm(environment.engine(), environment.director().vm(NAME))) {
            Optional<Compose> compose = Compose.on(vm);
            try {
                var results = new ArrayList<BenchResult>();
                for (boolean chain : List.of(false, true)) {
                    for (int count : List.of(10, 20)) {
                        results.add(up(environment, vm, compose.orElse(null), count, chain, runs));
                    }
                }
                return results;
            } finally {
                compose.ifPresent(Compose::close);
            }
        } finally {
            environment.director().delete(NAME);
        }
    }

    /** Beside one that is there from the beginning. */
    private static String manifest(int count, boolean chain) {
        var containers = new StringBuilder(BenchEnvironment.idle("c1", "there"));
        for (int i = 1; i <= count; i++) {
            String idle = BenchEnvironment.idle("x" + i, "same").stripTrailing();
            containers.append(
                    chain && i > 1
                            ? idle.substring(0, idle.length() - 1)
                                    + ", depends_on: [x"
                                    + (i - 1)
                                    + "]}\n"
                            : idle + "\n");
        }
        return BenchEnvironment.manifest(NAME, "", containers.toString());
    }

    private static BenchResult up(
            BenchEnvironment environment,
            BenchVm vm,
            @Nullable Compose compose,
            int count,
            boolean chain,
            int runs) {
        var berth = new ArrayList<Double>();
        var composed = new ArrayList<Double>();
        var bare = new ArrayList<Double>();
        for (int run = 0; run < runs; run++) {
            berth.add(environment.director().deploy(manifest(count, chain)).seconds());
            environment.director().deploy(manifest(0, false));
            if (compose != null) {
                composed.add(compose.up(services(vm.image("c1"), count, chain)));
                compose.removeContainers();
            }
            bare.add(bare(vm, count, chain));
        }
        var parts = new LinkedHashMap<String, Double>();
        parts.put("bare engine", new Samples(bare).median());
        return new BenchResult(
                "up of " + count + " containers, " + (chain ? "in a chain" : "flat"),
                "s",
                new Samples(berth),
                new Samples(compose == null ? bare : composed),
                "<= docker compose",
                "deploy of a manifest with so many containers more, POST until the task is done and"
                        + " all run; baseline: "
                        + (compose == null
                                ? "create and start of each by the Engine API, no Compose here"
                                : compose.name() + " up -d")
                        + " on the same engine, image and network there; bare engine: create and"
                        + " start of each by the Engine API, "
                        + (chain ? "one after another" : "all at once"),
                parts);
    }

    static String services(String image, int count, boolean chain) {
        var services = new StringBuilder();
        for (int i = 1; i <= count; i++) {
            services.append(service("x" + i, image, "same"));
            if (chain && i > 1) {
                services.append("    depends_on: [x").append(i - 1).append("]\n");
            }
        }
        return services.toString();
    }

    /** What {@link BenchEnvironment#idle} is in a manifest. */
    static String service(String name, String image, String value) {
        return "  %s:\n    image: '%s'\n    command: %s\n    environment: {VALUE: '%s'}\n"
                .formatted(name, image, Json.write(BenchEnvironment.IDLE), value);
    }

    private static double bare(BenchVm vm, int count, boolean chain) {
        Map<String, Object> body =
                Json.of(
                        "Image",
                        vm.image("c1"),
                        "Cmd",
                        BenchEnvironment.IDLE,
                        "Labels",
                        Json.of("bench", "bare"),
                        "HostConfig",
                        Json.of("NetworkMode", "berth"));
        var works = new ArrayList<Runnable>();
        for (int i = 1; i <= count; i++) {
            String name = BARE + i;
            works.add(() -> vm.inner().startContainer(vm.inner().createContainer(name, body)));
        }
        long begun = System.nanoTime();
        if (chain) {
            works.forEach(Runnable::run);
        } else {
            BenchTools.together(works);
        }
        double seconds = BenchTools.secondsSince(begun);
        vm.remove(Map.of("bench", "bare"));
        return seconds;
    }
}
