package dev.berth.simulation;

import dev.berth.model.Json;
import dev.berth.simulation.Wish.Container;
import dev.berth.simulation.Wish.Group;
import dev.berth.store.Rows;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * The director's own work with many instances: everything above the ports is real, with its
 * database in a file; cloud, agents and time are in memory, so that what is measured is not waited
 * for anybody. The work of the fakes is in the figures.
 */
public final class Scale {
    private static final Duration LIMIT = Duration.ofHours(24);

    private Scale() {}

    /**
     * Milliseconds.
     *
     * @param samples in the order they were taken
     */
    public record Figure(String what, List<Double> samples) {
        public double median() {
            var sorted = new ArrayList<>(samples);
            Collections.sort(sorted);
            return sorted.get(sorted.size() / 2);
        }

        public double least() {
            return Collections.min(samples);
        }

        public double most() {
            return Collections.max(samples);
        }
    }

    /** First deploys of so many instances, each with a disk and three containers; per instance. */
    public static Figure firstDeploy(int instances, int runs) {
        var samples = new ArrayList<Double>();
        for (int i = 0; i <= runs; i++) {
            try (var world = new World(i, World.Settings.MEASURED)) {
                world.plantSecret("big");
                double millis = deploy(world, wish(instances, 1024));
                if (i > 0) { // the first warms up
                    samples.add(millis / instances);
                }
            }
        }
        return new Figure("first deploy of " + instances + " instances, each", samples);
    }

    /** The same manifest again, after it was deployed: reading, looking, planning; in all. */
    public static Figure sameAgain(int instances, int runs) {
        var samples = new ArrayList<Double>();
        try (var world = new World(1, World.Settings.MEASURED)) {
            world.plantSecret("big");
            Wish wish = wish(instances, 0);
            deploy(world, wish);
            for (int i = 0; i < runs + 3; i++) {
                world.agents.beat();
                double millis = deploy(world, wish);
                if (i >= 3) {
                    samples.add(millis);
                }
            }
        }
        return new Figure("no-change deploy of " + instances + " instances", samples);
    }

    private static Wish wish(int instances, long diskMb) {
        return new Wish(
                "big",
                "1",
                "a",
                List.of(
                        new Group(
                                "node",
                                instances,
                                List.of("z1", "z2"),
                                "small",
                                diskMb,
                                10,
                                List.of(
                                        new Container("store", 1, diskMb > 0, List.of()),
                                        new Container("writer", 1, false, List.of("store")),
                                        new Container("metrics", 1, false, List.of())))));
    }

    private static double deploy(World world, Wish wish) {
        Map<String, Object> payload = world.deployPayload(wish, Json.of());
        long begun = System.nanoTime();
        Long id = world.ask("update_deployment", wish.name(), payload);
        if (id == null) {
            throw new IllegalStateException("nobody takes the request");
        }
        Rows.Task task = world.ended(id, LIMIT);
        double millis = (System.nanoTime() - begun) / 1e6;
        if (task == null || !task.state().equals("done")) {
            throw new IllegalStateException("the deploy failed: " + task);
        }
        return millis;
    }

    static int main() {
        print(firstDeploy(100, 5));
        print(sameAgain(10, 9));
        print(sameAgain(100, 9));
        print(sameAgain(1000, 9));
        System.out.printf(
                "resident with them: %d MB of heap used%n",
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() >> 20);
        return 0;
    }

    private static void print(Figure figure) {
        System.out.printf(
                "%-45s median %8.1f ms, %.1f to %.1f ms of %d runs%n",
                figure.what(),
                figure.median(),
                figure.least(),
                figure.most(),
                figure.samples().size());
    }
}
