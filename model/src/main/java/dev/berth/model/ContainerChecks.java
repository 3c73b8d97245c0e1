package dev.berth.model;

import dev.berth.model.ContainerNetwork.PortBinding;
import dev.berth.model.ContainerOrder.Dependency;
import dev.berth.model.ContainerOrder.Restart;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What must hold between the containers of one group, since they share a VM. */
final class ContainerChecks {
    /** A container and where it stands. */
    record Placed(ContainerSpec spec, Section section) {}

    private final String group;
    private final Map<String, Placed> byName = new LinkedHashMap<>();

    private ContainerChecks(String group) {
        this.group = group;
    }

    static void check(String group, List<Placed> containers) {
        var checks = new ContainerChecks(group);
        checks.names(containers);
        checks.edges();
        checks.cycles();
        checks.ports(containers);
    }

    private void names(List<Placed> containers) {
        for (Placed container : containers) {
            String name = container.spec.name();
            if (name.isEmpty()) {
                continue;
            }
            Placed first = byName.putIfAbsent(name, container);
            if (first != null) {
                container
                        .section
                        .at("name")
                        .error(
                                "Instance group '%s' has two containers named '%s'"
                                        .formatted(group, name),
                                "the first is at " + first.section.at("name").place());
            }
        }
    }

    private void edges() {
        for (Placed container : byName.values()) {
            for (Dependency edge : container.spec.order().dependsOn()) {
                edge(container, edge);
            }
            for (ContainerNetwork.Link link : container.spec.network().links()) {
                known(container, "links", link.container());
            }
            for (ContainerStorage.VolumesFrom from : container.spec.storage().volumesFrom()) {
                known(container, "volumes_from", from.container());
            }
            String net = container.section.has("net") ? "net" : "network_mode";
            known(container, net, ContainerSpec.serviceOf(container.spec.network().mode()));
            known(container, "pid", ContainerSpec.serviceOf(container.spec.security().pid()));
            known(container, "ipc", ContainerSpec.serviceOf(container.spec.security().ipc()));
        }
    }

    private void known(Placed container, String key, @Nullable String name) {
        if (name != null && !byName.containsKey(name)) {
            unknown(container, key, name);
        }
    }

    private void edge(Placed container, Dependency edge) {
        Placed target = byName.get(edge.container());
        if (target == null) {
            if (edge.required()) {
                unknown(container, "depends_on", edge.container());
            } else {
                container
                        .section
                        .at("depends_on")
                        .warning(
                                "there is no container '"
                                        + edge.container()
                                        + "'; it is not required",
                                null);
            }
            return;
        }
        Spot place = container.section.at("depends_on");
        ContainerOrder.Healthcheck check = target.spec.order().healthcheck();
        if (edge.condition() == Dependency.Condition.HEALTHY) {
            if (check != null && check.isDisabled()) {
                place.error(
                        "'"
                                + edge.container()
                                + "' can never be healthy: its healthcheck is disabled",
                        "wait for service_started, or give it a healthcheck");
            } else if (check == null) {
                place.warning(
                        "'"
                                + edge.container()
                                + "' has no healthcheck here; its image must have one",
                        null);
            }
        }
        boolean restarts =
                Set.of(Restart.Policy.ALWAYS, Restart.Policy.UNLESS_STOPPED)
                        .contains(target.spec.order().restart().policy());
        if (edge.condition() == Dependency.Condition.COMPLETED
                && (target.section.has("restart")
                        || target.section.map("deploy").containsKey("restart_policy"))
                && restarts) {
            place.error(
                    "'" + edge.container() + "' never completes: it is restarted when it ends",
                    "give it 'restart: on-failure' or 'no'");
        }
    }

    private void unknown(Placed container, String key, String name) {
        container
                .section
                .at(key)
                .error(
                        "Container '%s' (instance group '%s') refers to an unknown container '%s'"
                                .formatted(container.spec.name(), group, name),
                        Nearest.of(name, byName.keySet())
                                .map(n -> "did you mean '" + n + "'?")
                                .orElse("known are: " + String.join(", ", byName.keySet())));
    }

    private void cycles() {
        var done = new HashSet<String>();
        for (String name : byName.keySet()) {
            follow(name, new LinkedHashSet<>(), done);
        }
    }

    private void follow(String name, LinkedHashSet<String> path, Set<String> done) {
        if (path.contains(name)) {
            var cycle = new ArrayList<>(path);
            List<String> around = new ArrayList<>(cycle.subList(cycle.indexOf(name), cycle.size()));
            around.add(name);
            Placed container = byName.get(cycle.getLast());
            if (container != null) {
                String key =
                        Stream.of(
                                        "depends_on",
                                        "links",
                                        "volumes_from",
                                        "network_mode",
                                        "net",
                                        "pid")
                                .filter(container.section::has)
                                .findFirst()
                                .orElse("ipc");
                container
                        .section
                        .at(key)
                        .error(
                                "Containers of instance group '%s' depend on each other in a circle: %s"
                                        .formatted(group, String.join(" -> ", around)),
                                "none of them could be started first");
            }
            return;
        }
        Placed container = byName.get(name);
        if (container == null || !done.add(name)) {
            return;
        }
        path.add(name);
        container.spec.needs().forEach(next -> follow(next, path, done));
        path.remove(name);
    }

    private static void ports(List<Placed> containers) {
        var taken = new ArrayList<Map.Entry<PortBinding, Placed>>();
        for (Placed container : containers) {
            for (PortBinding port : container.spec.network().ports()) {
                for (var other : taken) {
                    if (clash(port, other.getKey())) {
                        String key = container.section.has("ports") ? "ports" : "bind_ports";
                        container
                                .section
                                .at(key)
                                .error(
                                        "Port %d/%s of the VM is published by both '%s' and '%s'"
                                                .formatted(
                                                        port.hostPort(),
                                                        port.protocol(),
                                                        other.getValue().spec.name(),
                                                        container.spec.name()),
                                        null);
                        break;
                    }
                }
                if (port.hostPort() > 0) {
                    taken.add(Map.entry(port, container));
                }
            }
        }
    }

    private static boolean clash(PortBinding a, PortBinding b) {
        return a.hostPort() == b.hostPort()
                && a.hostPort() > 0
                && a.lastHostPort() == 0
                && b.lastHostPort() == 0
                && a.protocol().equals(b.protocol())
                && (isAny(a) || isAny(b) || a.hostIp().equals(b.hostIp()));
    }

    private static boolean isAny(PortBinding port) {
        return Set.of("", "0.0.0.0", "::").contains(port.hostIp());
    }
}
