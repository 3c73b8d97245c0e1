package dev.berth.acceptance;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What the number of containers on a VM changes: up to fifty of them under one agent. */
final class ManyContainersBenchmark implements Benchmark {
    private static final String NAME = "bench-many";
    private static final List<Integer> COUNTS = List.of(1, 10, 50);
    private static final int MOST = COUNTS.getLast();

    @Override
    public String name() {
        return "many";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        var results = new ArrayList<BenchResult>();
        try {
            for (int count : COUNTS) {
                environment.director().deploy(manifest(count));
                try (var vm = vm(environment)) {
                    results.add(restart(environment, vm, count, runs));
                }
            }
            try (var vm = vm(environment)) {
                results.addAll(agent(environment, vm, runs));
                results.add(daemon(environment, vm, runs));
            }
            return results;
        } finally {
            environment.director().delete(NAME);
        }
    }

    private static BenchVm vm(BenchEnvironment environment) {
        return new BenchVm(environment.engine(), environment.director().vm(NAME));
    }

    private static String manifest(int count) {
        var containers = new StringBuilder();
        IntStream.rangeClosed(1, count)
                .forEach(i -> containers.append(BenchEnvironment.idle("c" + i, "same")));
        return BenchEnvironment.manifest(NAME, "", containers.toString());
    }

    // --- killed

    private static BenchResult restart(
            BenchEnvironment environment, BenchVm vm, int count, int runs) {
        var berth = new ArrayList<Double>();
        var own = new ArrayList<Double>();
        // Others than those of the smaller counts, while there are: both sides slow down for one
        // that fails again and again. Where there are none, a restart by an operator forgives.
        int first = count / 2 + 1;
        int fresh = count - first + 1;
        for (int i = 0; i < runs; i++) {
            String name = "c" + (first + i % fresh);
            berth.add(KilledContainer.away(vm, name));
            if (runs > fresh) {
                environment.director().restartContainer(NAME, name);
            }
            own.add(KilledContainer.awayUnderTheEngine(vm));
        }
        return new BenchResult(
                "container killed, running again, " + count + " on the VM",
                "s",
                new Samples(berth),
                new Samples(own),
                "<= 1.1 x engine's restart: always",
                "kill -9 of its first process until the inner engine shows it running with another"
                        + " one, asked every 5 ms; engine: a container of the same image with"
                        + " restart: always on the same engine, its first failure",
                Map.of());
    }

    // --- at rest

    private static List<BenchResult> agent(BenchEnvironment environment, BenchVm vm, int runs) {
        var log = new AgentLog(environment.engine(), vm);
        log.tellOfLooks();
        awaitDaemonUp(environment);
        BenchTools.pause(15_000); // what a start leaves behind is not what it costs to be there
        int before = log.looks().size();
        var results = new ArrayList<>(FootprintBenchmark.agent(vm, MOST, runs));
        List<AgentLog.Look> all = log.looks();
        List<AgentLog.Look> looks = all.subList(Math.min(before, all.size() - 1), all.size());
        var parts = new LinkedHashMap<String, Double>();
        parts.put(
                "of it asking, reading and comparing with what was seen (microseconds)",
                median(looks.stream().map(l -> l.look() * 1000).toList()));
        parts.put(
                "deciding (microseconds)",
                median(looks.stream().map(l -> l.turn() * 1000).toList()));
        results.addFirst(
                new BenchResult(
                        "look that finds nothing to do, " + MOST + " containers",
                        "ms",
                        new Samples(looks.stream().map(l -> l.look() + l.turn()).toList()),
                        new Samples(asked(vm)),
                        "<= 10 ms",
                        "the agent's own word on each of its looks at rest, at debug level: from the"
                                + " question to the engine to the end of the decision; baseline: the"
                                + " same question to the same engine from here, and no more",
                        parts));
        return results;
    }

    /** Milliseconds of the list that a look asks for. */
    private static List<Double> asked(BenchVm vm) {
        var all = new ArrayList<Double>();
        for (int i = 0; i < 10; i++) {
            long begun = System.nanoTime();
            vm.containersListed();
            all.add(BenchTools.secondsSince(begun) * 1000);
            BenchTools.pause(100);
        }
        return all;
    }

    private static double median(List<Double> values) {
        return new Samples(values).median();
    }

    // --- the daemon

    private static BenchResult daemon(BenchEnvironment environment, BenchVm vm, int runs) {
        var berth = new ArrayList<Double>();
        var byHand = new ArrayList<Double>();
        var parts = new ArrayList<Map<String, Double>>();
        for (int i = 0; i < runs; i++) {
            Map<String, BenchVm.Inner> before = vm.containers();
            long begun = System.nanoTime();
            awaitOther(vm, killed(vm));
            double answers = BenchTools.secondsSince(begun);
            awaitDaemonUp(environment);
            berth.add(BenchTools.secondsSince(begun));
            parts.add(Map.of("of it until the API answers", answers));
            untouched(before, vm.containers());
            byHand.add(startedByHand(environment, vm));
            awaitDaemonUp(environment);
            untouched(before, vm.containers());
        }
        return new BenchResult(
                "daemon killed, " + MOST + " containers adopted",
                "s",
                new Samples(berth),
                new Samples(byHand),
                "nothing stopped",
                "kill -9 of the inner dockerd until the agent answers that the daemon is up and"
                        + " everything is listed, every process proven the same; baseline: the agent"
                        + " halted, the same daemon killed and started at once by hand, until it"
                        + " answers",
                BenchResult.medians(parts));
    }

    private static long killed(BenchVm vm) {
        long daemon = vm.daemonPid();
        ProcessHandle.of(daemon).orElseThrow().destroyForcibly();
        return daemon;
    }

    private static void awaitOther(BenchVm vm, long old) {
        BenchTools.await(
                "another daemon",
                60,
                5,
                () -> vm.inner().ping(Duration.ofSeconds(1)) && vm.daemonPid() != old);
    }

    private static double startedByHand(BenchEnvironment environment, BenchVm vm) {
        String agent = String.valueOf(vm.agentPid());
        BenchTools.run("sh", "-c", "kill -STOP " + agent);
        try {
            long begun = System.nanoTime();
            long old = killed(vm);
            environment
                    .engine()
                    .exec(
                            vm.id(),
                            List.of("/var/vcap/bosh/bin/berth-dockerd"),
                            Map.of(),
                            Duration.ofSeconds(20));
            awaitOther(vm, old);
            return BenchTools.secondsSince(begun);
        } finally {
            BenchTools.run("sh", "-c", "kill -CONT " + agent);
        }
    }

    private static void awaitDaemonUp(BenchEnvironment environment) {
        BenchTools.await(
                "the agent to see the daemon",
                120,
                5,
                () -> "up".equals(environment.director().why(NAME).string("daemon", "")));
    }

    private static void untouched(
            Map<String, BenchVm.Inner> before, Map<String, BenchVm.Inner> after) {
        if (!before.equals(after)) {
            throw new BenchException(
                    "containers did not outlive the daemon: " + before + " " + after);
        }
    }
}
