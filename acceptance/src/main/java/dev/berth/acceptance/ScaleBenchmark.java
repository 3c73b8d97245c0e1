package dev.berth.acceptance;

import dev.berth.simulation.Scale;
import java.util.List;
import java.util.Map;

/**
 * The director's own work with many instances, in this process, with cloud and agents in memory.
 */
final class ScaleBenchmark implements Benchmark {
    private static final String METHOD =
            "the director's code from the request to the task's end, its database in a file; cloud,"
                    + " agents and time are fakes in memory, whose work is in the figure";

    @Override
    public String name() {
        return "scale";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        return List.of(
                result("no-change deploy, 10 instances", "", Scale.sameAgain(10, runs), 1000, "s"),
                result(
                        "no-change deploy, 1,000 instances",
                        "<= 1 s",
                        Scale.sameAgain(1000, runs),
                        1000,
                        "s"),
                result(
                        "first deploy, 100 instances, each",
                        "<= 20 ms",
                        Scale.firstDeploy(100, runs),
                        1,
                        "ms"));
    }

    private static BenchResult result(
            String name, String target, Scale.Figure figure, double divisor, String unit) {
        var samples = new Samples(figure.samples().stream().map(ms -> ms / divisor).toList());
        return new BenchResult(name, unit, samples, null, target, METHOD, Map.of());
    }
}
