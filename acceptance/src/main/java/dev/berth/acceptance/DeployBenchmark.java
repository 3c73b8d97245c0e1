package dev.berth.acceptance;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One VM with three containers, from nothing. */
final class DeployBenchmark implements Benchmark {
    private static final String NAME = "bench-three";
    private static final List<String> CONTAINERS = List.of("one", "two", "three");

    @Override
    public String name() {
        return "deploy";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        var berth = new ArrayList<Double>();
        var bare = new ArrayList<Double>();
        var steps = new ArrayList<Map<String, Double>>();
        var bareSteps = new ArrayList<Map<String, Double>>();
        for (int i = 0; i < runs; i++) {
            BenchDirector.Finished task = environment.director().deploy(manifest());
            berth.add(task.seconds());
            steps.add(environment.director().steps(task.id()));
            Fields vm = checked(environment);
            environment.director().delete(NAME);
            Map<String, Double> parts = bare(environment, vm);
            bareSteps.add(parts);
            bare.add(parts.values().stream().mapToDouble(v -> v).sum());
        }
        Map<String, Double> parts = BenchResult.medians(steps);
        parts.putAll(BenchResult.medians(bareSteps));
        return List.of(
                new BenchResult(
                        "deploy 1 VM, 3 containers",
                        "s",
                        new Samples(berth),
                        new Samples(bare),
                        "<= 5 s, then <= 2.6 s",
                        "POST /deployments until the task is done; bare: the same VM container, one"
                                + " pull and three runs at once by Engine API. The VM's engine has no"
                                + " image, the registry has it",
                        parts));
    }

    private static String manifest() {
        var containers = new StringBuilder();
        CONTAINERS.forEach(name -> containers.append(BenchEnvironment.idle(name, "1")));
        return BenchEnvironment.manifest(NAME, "", containers.toString());
    }

    /** All three run, or the figure is none. */
    private static Fields checked(BenchEnvironment environment) {
        String cid = environment.director().vm(NAME);
        try (var vm = new BenchVm(environment.engine(), cid)) {
            Map<String, BenchVm.Inner> containers = vm.containers();
            if (!containers.keySet().equals(java.util.Set.copyOf(CONTAINERS))
                    || !containers.values().stream().allMatch(BenchVm.Inner::running)) {
                throw new BenchException("not all containers run after a deploy: " + containers);
            }
        }
        return Fields.of(environment.engine().inspectContainer(cid).orElseThrow(), "VM");
    }

    private static Map<String, Double> bare(BenchEnvironment environment, Fields like) {
        long begun = System.nanoTime();
        try (BareVm vm = BareVm.start(environment, like, "")) {
            double up = BenchTools.secondsSince(begun);
            String image = vm.pull(BenchEnvironment.IMAGE);
            double pulled = BenchTools.secondsSince(begun);
            var bodies = new LinkedHashMap<String, Map<String, Object>>();
            CONTAINERS.forEach(name ->
                    bodies.put(name, Json.of("Image", image, "Cmd", BenchEnvironment.IDLE)));
            vm.runTogether(bodies);
            var parts = new LinkedHashMap<String, Double>();
            parts.put("bare: VM and its engine", up);
            parts.put("bare: pull", pulled - up);
            parts.put("bare: three runs", BenchTools.secondsSince(begun) - pulled);
            return parts;
        }
    }
}
