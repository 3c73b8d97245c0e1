package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Dependency.Condition;
import dev.berth.model.ContainerSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Who waits for whom: {@code depends_on}, and what implies it: links, joined namespaces, volumes
 * taken over. Immutable.
 */
final class Graph {
    /** {@code from} needs {@code to}. */
    record Edge(String from, String to, Condition condition, boolean restart, boolean required) {
        String text() {
            return switch (condition) {
                case STARTED -> to + " (started)";
                case HEALTHY -> to + " (healthy)";
                case COMPLETED -> to + " (completed)";
            };
        }
    }

    private final Map<String, List<Edge>> needs = new LinkedHashMap<>();
    private final Map<String, List<Edge>> neededBy = new HashMap<>();

    private Graph() {}

    static Graph of(List<ContainerSpec> specs) {
        var graph = new Graph();
        for (ContainerSpec spec : specs) {
            List<Edge> edges = new ArrayList<>();
            for (var d : spec.order().dependsOn()) {
                edges.add(
                        new Edge(
                                spec.name(),
                                d.container(),
                                d.condition(),
                                d.restart(),
                                d.required()));
            }
            for (var link : spec.network().links()) {
                if (edges.stream().noneMatch(e -> e.to().equals(link.container()))) {
                    edges.add(
                            new Edge(spec.name(), link.container(), Condition.STARTED, true, true));
                }
            }
            // whoever shares a namespace cannot stay when its owner goes, whatever the edge says
            for (String owner : spec.joined()) {
                Condition condition =
                        edges.stream()
                                .filter(e -> e.to().equals(owner))
                                .map(Edge::condition)
                                .findFirst()
                                .orElse(Condition.STARTED);
                edges.removeIf(e -> e.to().equals(owner));
                edges.add(new Edge(spec.name(), owner, condition, true, true));
            }
            graph.needs.put(spec.name(), List.copyOf(edges));
            for (Edge edge : edges) {
                graph.neededBy.computeIfAbsent(edge.to(), x -> new ArrayList<>()).add(edge);
            }
        }
        return graph;
    }

    List<Edge> needs(String name) {
        return needs.getOrDefault(name, List.of());
    }

    List<Edge> neededBy(String name) {
        return neededBy.getOrDefault(name, List.of());
    }

    /** Names along one cycle, first repeated at the end; empty when there is none. */
    List<String> cycle() {
        var finished = new LinkedHashSet<String>();
        for (String name : needs.keySet()) {
            List<String> found = cycleFrom(name, new ArrayList<>(), finished);
            if (!found.isEmpty()) {
                return found;
            }
        }
        return List.of();
    }

    private List<String> cycleFrom(String name, List<String> path, LinkedHashSet<String> finished) {
        int seen = path.indexOf(name);
        if (seen >= 0) {
            var cycle = new ArrayList<>(path.subList(seen, path.size()));
            cycle.add(name);
            return cycle;
        }
        if (finished.contains(name)) {
            return List.of();
        }
        path.add(name);
        for (Edge edge : needs(name)) {
            List<String> found = cycleFrom(edge.to(), path, finished);
            if (!found.isEmpty()) {
                return found;
            }
        }
        path.removeLast();
        finished.add(name);
        return List.of();
    }
}
