package dev.berth.acceptance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What Berth itself costs: the director's start and size, the agent's size and idle work. */
final class FootprintBenchmark implements Benchmark {
    private static final String NAME = "bench-idle";
    private static final String CACHE = "-XX:AOTCache=";
    private static final int IDLE_SECONDS = 10;
    private static final int CONTAINERS = 3;

    @Override
    public String name() {
        return "footprint";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        environment.director().deploy(manifest());
        try {
            var results = new ArrayList<>(agent(environment, runs));
            results.addAll(director(environment, runs));
            results.add(up(environment, runs));
            return results;
        } finally {
            environment.director().delete(NAME);
        }
    }

    private static String manifest() {
        var containers = new StringBuilder();
        IntStream.rangeClosed(1, CONTAINERS)
                .forEach(i -> containers.append(BenchEnvironment.idle("c" + i, "same")));
        return BenchEnvironment.manifest(NAME, "", containers.toString());
    }

    // --- agent

    private static List<BenchResult> agent(BenchEnvironment environment, int runs) {
        try (var vm = new BenchVm(environment.engine(), environment.director().vm(NAME))) {
            BenchTools.pause(5000); // what a start leaves behind is not what it costs to be there
            return agent(vm, CONTAINERS, runs);
        }
    }

    /** Size and work of the agent in a VM where nothing happens. */
    static List<BenchResult> agent(BenchVm vm, int containers, int runs) {
        long pid = vm.agentPid();
        var cpu = new ArrayList<Double>();
        var size = new ArrayList<Double>();
        for (int i = 0; i < Math.min(runs, 3); i++) {
            double before = ProcessCost.cpuSeconds(pid);
            BenchTools.pause(IDLE_SECONDS * 1000L);
            cpu.add(100 * (ProcessCost.cpuSeconds(pid) - before) / IDLE_SECONDS);
            size.add(ProcessCost.megabytes(pid, "VmRSS"));
        }
        return List.of(
                new BenchResult(
                        "agent resident, " + containers + " containers",
                        "MB",
                        new Samples(size),
                        null,
                        "<= 80 MB",
                        "VmRSS of the agent in a VM with so many containers, at rest",
                        sizes(pid)),
                new BenchResult(
                        "agent idle CPU, " + containers + " containers",
                        "%",
                        new Samples(cpu),
                        null,
                        "<= 1 % of a core",
                        "user and system time of the agent over " + IDLE_SECONDS + " s at rest",
                        Map.of()));
    }

    private static Map<String, Double> sizes(long pid) {
        var parts = new LinkedHashMap<String, Double>();
        parts.put("of it its own (MB)", ProcessCost.megabytes(pid, "RssAnon"));
        parts.put("of files, which others share (MB)", ProcessCost.megabytes(pid, "RssFile"));
        return parts;
    }

    // --- director

    private static List<BenchResult> director(BenchEnvironment environment, int runs) {
        long pid = pid(environment);
        List<String> command = zeroSeparated(pid, "cmdline");
        List<String> environ = zeroSeparated(pid, "environ");
        List<String> cold = command.stream().filter(w -> !w.startsWith(CACHE)).toList();
        var cached = new ArrayList<Double>();
        var uncached = new ArrayList<Double>();
        var size = new ArrayList<Double>();
        var idle = new ArrayList<Double>();
        Map<String, Double> sizes = Map.of();
        for (int i = 0; i < runs; i++) {
            uncached.add(restarted(environment, cold, environ));
            cached.add(restarted(environment, command, environ));
            BenchTools.pause(4000);
            long fresh = pid(environment);
            double before = ProcessCost.cpuSeconds(fresh);
            BenchTools.pause(2000);
            idle.add(100 * (ProcessCost.cpuSeconds(fresh) - before) / 2);
            size.add(ProcessCost.megabytes(fresh, "VmRSS"));
            sizes = sizes(fresh);
        }
        return List.of(
                new BenchResult(
                        "director ready",
                        "s",
                        new Samples(cached),
                        command.equals(cold) ? null : new Samples(uncached),
                        "<= 3 s",
                        "start of its process (which starts bus and registry) until /info answers"
                                + " over TLS; baseline: without the AOT cache",
                        Map.of()),
                new BenchResult(
                        "director resident",
                        "MB",
                        new Samples(size),
                        null,
                        "<= 250 MB",
                        "VmRSS 6 s after it was ready, monitor included, one agent beating",
                        sizes),
                new BenchResult(
                        "director idle CPU",
                        "%",
                        new Samples(idle),
                        null,
                        "",
                        "user and system time over 2 s at rest, one agent beating",
                        Map.of()));
    }

    private static double restarted(
            BenchEnvironment environment, List<String> command, List<String> environ) {
        long old = pid(environment);
        ProcessHandle.of(old).ifPresent(ProcessHandle::destroy);
        BenchTools.await(
                "the director's end", 60, 20, () -> !Files.exists(Path.of("/proc/" + old)));
        var words = new ArrayList<>(List.of("setsid"));
        words.addAll(command);
        ProcessBuilder builder =
                new ProcessBuilder(words)
                        .redirectErrorStream(true)
                        .redirectOutput(
                                ProcessBuilder.Redirect.appendTo(
                                        environment.home().resolve("director/log").toFile()));
        builder.environment().clear();
        environ.forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                builder.environment().put(line.substring(0, equals), line.substring(equals + 1));
            }
        });
        long begun = System.nanoTime();
        try {
            builder.start().getOutputStream().close();
        } catch (IOException e) {
            throw new BenchException("the director does not start: " + e.getMessage(), e);
        }
        BenchTools.await("the director", 60, 5, environment.director()::answers);
        return BenchTools.secondsSince(begun);
    }

    private static long pid(BenchEnvironment environment) {
        try {
            return Long.parseLong(
                    Files.readString(environment.home().resolve("director/director.pid")).strip());
        } catch (IOException e) {
            throw new BenchException("no director: " + e.getMessage(), e);
        }
    }

    private static List<String> zeroSeparated(long pid, String file) {
        return Arrays.stream(BenchVm.read(pid, file).split("\0"))
                .filter(w -> !w.isEmpty())
                .toList();
    }

    // --- up

    private static BenchResult up(BenchEnvironment environment, int runs) {
        var seconds = new ArrayList<Double>();
        for (int i = 0; i < runs; i++) {
            environment.berth("down");
            long begun = System.nanoTime();
            environment.berth("up");
            seconds.add(BenchTools.secondsSince(begun));
        }
        return new BenchResult(
                "berth up, second start",
                "s",
                new Samples(seconds),
                null,
                "<= 3 s",
                "./berth up after ./berth down: launcher, director, bus, registry, stemcell check",
                Map.of("first start with a cached stemcell", environment.upSeconds()));
    }
}
