package dev.berth.supervisor;

import static dev.berth.supervisor.CreateBody.putFilled;

import dev.berth.model.ContainerNetwork;
import dev.berth.model.ContainerNetwork.Endpoint;
import dev.berth.model.ContainerNetwork.Link;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The networks of a create body. Pure. */
final class NetworkBody {
    private static final Set<String> PREDEFINED = Set.of("none", "host", "bridge");

    private final ContainerSpec spec;
    private final String shared;
    private final EngineFacts facts;
    private final List<String> warnings;
    private final Map<String, Map<String, Object>> later = new LinkedHashMap<>();

    NetworkBody(ContainerSpec spec, String shared, EngineFacts facts, List<String> warnings) {
        this.spec = spec;
        this.shared = shared;
        this.facts = facts;
        this.warnings = warnings;
    }

    /** The engine's networks that must be there for this spec, of those that Berth makes. */
    static List<String> made(ContainerSpec spec, String shared) {
        if (spec.network().mode() != null) {
            return List.of();
        }
        return spec.network().endpoints().isEmpty()
                ? List.of(shared)
                : spec.network().endpoints().stream().map(e -> named(e, shared)).toList();
    }

    private static String named(Endpoint endpoint, String shared) {
        return endpoint.network().equals(ContainerNetwork.SHARED)
                ? shared
                : shared + "-" + endpoint.network();
    }

    void into(Map<String, Object> body, Map<String, Object> host) {
        ContainerNetwork network = spec.network();
        String mode = network.mode();
        String mac = network.macAddress();
        if (mac != null && facts.api() < 44) {
            body.put("MacAddress", mac);
            mac = null;
        }
        var endpoints = new LinkedHashMap<String, Map<String, Object>>();
        if (mode == null && network.endpoints().isEmpty()) {
            endpoints.put(shared, endpoint(List.of()));
        } else if (mode == null) {
            network.endpoints().forEach(e -> endpoints.put(named(e, shared), endpoint(e)));
        } else if (mode.equals("bridge")) {
            putFilled(host, "Links", links());
            endpoints.put(mode, new LinkedHashMap<>());
        } else if (!PREDEFINED.contains(mode) && mode.indexOf(':') < 0) {
            endpoints.put(mode, endpoint(List.of()));
        }
        Map.Entry<String, Map<String, Object>> first =
                endpoints.entrySet().stream().findFirst().orElse(null);
        host.put("NetworkMode", first == null ? HostConfig.joined(mode) : first.getKey());
        if (first != null && mac != null) {
            first.getValue().put("MacAddress", mac);
        }
        if (facts.api() < 44) {
            // such an engine takes one network at create
            endpoints.keySet().stream()
                    .skip(1)
                    .toList()
                    .forEach(name -> later.put(name, endpoints.remove(name)));
        }
        if (!endpoints.isEmpty() && !Map.of("bridge", Map.of()).equals(endpoints)) {
            body.put("NetworkingConfig", Json.of("EndpointsConfig", endpoints));
        }
    }

    Map<String, Map<String, Object>> later() {
        return later;
    }

    private Map<String, Object> endpoint(Endpoint e) {
        Map<String, Object> tree = endpoint(e.aliases());
        if (!e.linkLocalIps().isEmpty()) {
            tree.put("IPAMConfig", Json.of("LinkLocalIPs", e.linkLocalIps()));
        }
        if (!e.macAddress().isEmpty() && facts.api() < 44) {
            warnings.add("its engine does not know a MAC address for each network yet (API 1.44)");
        } else if (!e.macAddress().isEmpty()) {
            tree.put("MacAddress", e.macAddress());
        }
        putFilled(tree, "DriverOpts", e.driverOptions());
        if (e.priority() != 0 && facts.api() < 48) {
            warnings.add("its engine does not know 'gw_priority' yet (API 1.48)");
        } else if (e.priority() != 0) {
            tree.put("GwPriority", e.priority());
        }
        return tree;
    }

    private Map<String, Object> endpoint(List<String> aliases) {
        var tree = new LinkedHashMap<String, Object>();
        var names = new ArrayList<>(List.of(spec.name()));
        aliases.stream().filter(a -> !names.contains(a)).forEach(names::add);
        tree.put("Aliases", names);
        putFilled(tree, "Links", links());
        return tree;
    }

    private List<String> links() {
        return Stream.concat(
                        spec.network().links().stream(), spec.network().externalLinks().stream())
                .map(NetworkBody::text)
                .toList();
    }

    private static String text(Link link) {
        return link.container() + ":" + link.alias();
    }
}
