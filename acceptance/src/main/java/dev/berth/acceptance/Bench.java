package dev.berth.acceptance;

import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code berth bench [--json] [--runs N] [--only NAME]}: each benchmark with its baseline, side by
 * side, on an environment made for it and deleted at the end. Progress goes to standard error, the
 * table or the JSON document to standard output. {@code berth bench fleet [--json] [--agents N]}
 * needs no engine.
 */
public final class Bench {
    private static final int RUNS = 3;
    private static final int MOST_RUNS = 50;
    private static final int AGENTS = 1_000;
    private static final int MOST_AGENTS = 15_000;

    private Bench() {}

    /**
     * What was asked for.
     *
     * @param agents of the made-up fleet; 0: the benchmarks on an engine are meant
     */
    private record Wish(boolean json, int runs, List<Benchmark> benchmarks, int agents) {}

    public static void main(String[] args) throws Exception {
        Wish wish;
        try {
            wish = read(args);
        } catch (IllegalArgumentException e) {
            System.err.println("berth: " + e.getMessage());
            System.exit(2);
            return;
        }
        // What a director in this process notes of a made-up fleet is not for the terminal.
        java.util.logging.Logger.getLogger("").setLevel(java.util.logging.Level.WARNING);
        try {
            run(wish);
        } catch (BenchException e) {
            System.err.println("berth: " + e.getMessage());
            System.exit(1);
        }
    }

    private static List<Benchmark> all() {
        return List.of(
                new DeployBenchmark(),
                new ContainersBenchmark(),
                new UpBenchmark(),
                new ManyContainersBenchmark(),
                new LossBenchmark(),
                new TogetherBenchmark(),
                new GrowthBenchmark(),
                new DataBenchmark(),
                new FootprintBenchmark(),
                new ScaleBenchmark());
    }

    private static Wish read(String[] args) {
        if (args.length > 0 && args[0].equals("fleet")) {
            return readFleet(args);
        }
        boolean json = false;
        int runs = RUNS;
        List<Benchmark> benchmarks = all();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--json" -> json = true;
                case "--runs" -> runs = number(value(args, ++i, "--runs"));
                case "--only" -> benchmarks = List.of(named(value(args, ++i, "--only")));
                default ->
                        throw new IllegalArgumentException(
                                "berth bench: '"
                                        + args[i]
                                        + "' is not known; berth bench [--json] [--runs N] [--only "
                                        + names()
                                        + "]");
            }
        }
        return new Wish(json, runs, benchmarks, 0);
    }

    private static Wish readFleet(String[] args) {
        boolean json = false;
        int agents = AGENTS;
        for (int i = 1; i < args.length; i++) {
            switch (args[i]) {
                case "--json" -> json = true;
                case "--agents" -> agents = agents(value(args, ++i, "--agents"));
                default ->
                        throw new IllegalArgumentException(
                                "berth bench fleet: '"
                                        + args[i]
                                        + "' is not known; berth bench fleet [--json] [--agents N]");
            }
        }
        return new Wish(json, 1, List.of(), agents);
    }

    private static int agents(String text) {
        if (!text.matches("\\d{3,5}") || Integer.parseInt(text) > MOST_AGENTS) {
            throw new IllegalArgumentException(
                    "berth bench fleet: --agents needs a number from 100 to " + MOST_AGENTS);
        }
        return Integer.parseInt(text);
    }

    private static String value(String[] args, int index, String option) {
        if (index >= args.length) {
            throw new IllegalArgumentException("berth bench: " + option + " needs a value");
        }
        return args[index];
    }

    private static int number(String text) {
        if (!text.matches("\\d{1,2}")
                || Integer.parseInt(text) < 1
                || Integer.parseInt(text) > MOST_RUNS) {
            throw new IllegalArgumentException(
                    "berth bench: --runs needs a number from 1 to " + MOST_RUNS);
        }
        return Integer.parseInt(text);
    }

    private static Benchmark named(String name) {
        Optional<Benchmark> found = all().stream().filter(b -> b.name().equals(name)).findFirst();
        return found.orElseThrow(() ->
                new IllegalArgumentException(
                        "berth bench: there is no benchmark '" + name + "', only " + names()));
    }

    private static String names() {
        return String.join("|", all().stream().map(Benchmark::name).toList());
    }

    private static void run(Wish wish) throws Exception {
        var results = new ArrayList<BenchResult>();
        long begun = System.nanoTime();
        String load = load();
        if (wish.agents() > 0) {
            results.addAll(fleet(wish.agents()).run());
        } else {
            onAnEngine(wish, results);
        }
        say(
                "done in "
                        + Math.round(BenchTools.secondsSince(begun))
                        + " s; load average before "
                        + load
                        + ", after "
                        + load());
        if (wish.json()) {
            System.out.println(
                    Json.write(
                            Json.of(
                                    "benchmarks",
                                    results.stream().map(BenchResult::tree).toList())));
        } else {
            System.out.print(BenchTable.text(results));
        }
    }

    private static FleetBenchmark fleet(int agents) {
        String home = System.getenv("BERTH_HOME");
        String flags = System.getenv("BERTH_DIRECTOR_FLAGS");
        if (home == null || flags == null) {
            throw new BenchException("start this with the launcher: ./berth bench fleet");
        }
        return new FleetBenchmark(
                agents, Path.of(home, "fleet"), List.of(flags.strip().split("\\s+")), Bench::say);
    }

    private static void onAnEngine(Wish wish, List<BenchResult> results) throws Exception {
        say("starting an environment for the benchmarks");
        try (BenchEnvironment environment = BenchEnvironment.start("bench")) {
            for (Benchmark benchmark : wish.benchmarks()) {
                say("measuring " + benchmark.name() + ", " + wish.runs() + " runs");
                results.addAll(benchmark.run(environment, wish.runs()));
            }
            say("deleting the environment");
        }
    }

    /** Of the last minute: figures of a machine that did something else before are worth less. */
    private static String load() {
        return BenchVm.text(Path.of("/proc/loadavg")).split(" ")[0];
    }

    private static void say(String text) {
        System.err.println("berth: " + text);
    }
}
