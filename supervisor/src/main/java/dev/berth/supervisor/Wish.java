package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Restart;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ProblemException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What should be: which containers there are, and whether they should run now. Immutable; digests
 * and the graph are computed once, since every look needs them.
 */
final class Wish {
    /**
     * A wished container with what every look asks of it.
     *
     * @param disks names of the persistent disks that it needs
     */
    record Wished(
            ContainerSpec spec, String digest, String fixed, String image, Set<String> disks) {
        String name() {
            return spec.name();
        }

        Restart restart() {
            return spec.order().restart();
        }

        boolean oneShot() {
            return switch (spec.order().restart().policy()) {
                case NO, ON_FAILURE -> true;
                case ALWAYS, UNLESS_STOPPED -> false;
            };
        }
    }

    private final Map<String, Wished> containers;
    private final String mark;
    private final boolean running;
    private final Graph graph;

    private Wish(Map<String, Wished> containers, Graph graph, String mark, boolean running) {
        this.containers = containers;
        this.mark = mark;
        this.graph = graph;
        this.running = running;
    }

    /**
     * Refuses two containers of one name and cycles of dependencies, with the path of the cycle.
     */
    static Wish of(List<ContainerSpec> specs, boolean running) {
        return of(specs, "", running);
    }

    /**
     * @param mark the wisher's own words about this wish, kept with it
     */
    static Wish of(List<ContainerSpec> specs, String mark, boolean running) {
        var containers = new LinkedHashMap<String, Wished>();
        for (ContainerSpec spec : specs) {
            var wished =
                    new Wished(
                            spec,
                            spec.digest(),
                            spec.fixedDigest(),
                            Images.nameOf(spec),
                            spec.persistentDisks());
            if (containers.put(spec.name(), wished) != null) {
                throw new ProblemException(
                        100, "two containers of one instance are named '" + spec.name() + "'");
            }
        }
        Graph graph = Graph.of(specs);
        List<String> cycle = graph.cycle();
        if (!cycle.isEmpty()) {
            throw new ProblemException(
                    100,
                    "containers depend on each other in a circle: " + String.join(" -> ", cycle));
        }
        return new Wish(containers, graph, mark, running);
    }

    Wish running(boolean wanted) {
        return wanted == running ? this : new Wish(containers, graph, mark, wanted);
    }

    Map<String, Wished> containers() {
        return containers;
    }

    String mark() {
        return mark;
    }

    /** Names under which the engine has what the containers are made from. */
    List<String> images() {
        return containers.values().stream().map(Wished::image).distinct().toList();
    }

    Graph graph() {
        return graph;
    }

    boolean running() {
        return running;
    }

    List<ContainerSpec> specs() {
        return containers.values().stream().map(Wished::spec).toList();
    }
}
