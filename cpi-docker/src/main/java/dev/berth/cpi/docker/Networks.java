package dev.berth.cpi.docker;

import dev.berth.cpi.Cpi.CreatedNetwork;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Docker networks by name. An existing one is used only when its range and gateway are the ones
 * asked for; a new one only when its range is free on this host.
 */
final class Networks {
    /** Where ranges are taken from when only a size is asked for. */
    private static final Subnet POOL = Subnet.parse("10.216.0.0/13");

    private static final int ATTEMPTS = 5;

    private final Engine engine;
    private final FileLocks locks;
    private final HostFacts host;

    Networks(Engine engine, FileLocks locks, HostFacts host) {
        this.engine = engine;
        this.locks = locks;
        this.host = host;
    }

    /** What a subnet wants of the engine. */
    private record Wanted(String name, Subnet range, String gateway) {}

    CreatedNetwork create(CpiContext context, Map<String, Object> definition) {
        Fields subnet = Fields.of(definition, "subnet");
        if (!subnet.string("type", "manual").equals("manual")) {
            throw new CpiException(
                    Type.NOT_SUPPORTED,
                    "only manual networks can be created, not " + subnet.string("type"));
        }
        try (var lock = locks.lock("networks")) {
            Subnet range =
                    subnet.has("range") ? Subnet.parse(subnet.string("range")) : free(subnet);
            String gateway = subnet.string("gateway", Subnet.text(range.address() + 1));
            String name = subnet.object("cloud_properties").string("name", name(context, range));
            ensure(context, new Wanted(Base.name(name), range, gateway));
            return new CreatedNetwork(
                    name,
                    Json.of("range", range.toString(), "gateway", gateway, "reserved", List.of()),
                    Json.of("name", name));
        }
    }

    private static String name(CpiContext context, Subnet range) {
        String of = context.directorUuid() + " " + range;
        return "berth-" + Digests.sha256(of).substring(0, 12);
    }

    private Subnet free(Fields subnet) {
        int prefix = Math.toIntExact(subnet.integer("netmask_bits"));
        if (prefix < POOL.prefix() || prefix > 29) {
            throw new CpiException(
                    Type.CPI_ERROR, "netmask_bits: " + prefix + " is not in 13 to 29");
        }
        List<Taken> taken = taken();
        long step = 1L << (32 - prefix);
        for (long at = POOL.address(); POOL.contains(at); at += step) {
            Subnet candidate = Subnet.of(at, prefix);
            if (taken.stream().noneMatch(other -> other.range().overlaps(candidate))) {
                return candidate;
            }
        }
        throw new CpiException(Type.CLOUD_ERROR, "no free range of /" + prefix + " in " + POOL);
    }

    /**
     * The Docker network of a VM's network; made from its address and mask when there is none yet.
     */
    String ensureFor(CpiContext context, String networkName, Fields network) {
        Fields properties = network.object("cloud_properties");
        if (!network.string("type", "manual").equals("manual")) {
            return existing(properties.string("name", networkName));
        }
        String ip = network.string("ip");
        Subnet range =
                network.has("netmask")
                        ? Subnet.of(ip, network.string("netmask"))
                        : Subnet.of(
                                Subnet.address(ip),
                                Integer.parseInt(network.string("prefix", "24")));
        String name = Base.name(properties.string("name", name(context, range)));
        var wanted =
                new Wanted(
                        name, range, network.string("gateway", Subnet.text(range.address() + 1)));
        Optional<Map<String, Object>> there = engine.inspectNetwork(name);
        if (there.isPresent()) {
            check(wanted, there.get());
            return name;
        }
        try (var lock = locks.lock("networks")) {
            ensure(context, wanted);
        }
        return name;
    }

    private String existing(String name) {
        if (engine.inspectNetwork(name).isEmpty()) {
            throw new CpiException(Type.NETWORK_NOT_FOUND, "no Docker network '" + name + "'");
        }
        return name;
    }

    /** The caller holds the networks' lock; a stranger may still be quicker. */
    private void ensure(CpiContext context, Wanted wanted) {
        Optional<Map<String, Object>> there = engine.inspectNetwork(wanted.name());
        if (there.isPresent()) {
            check(wanted, there.get());
            return;
        }
        for (Taken other : taken()) {
            if (other.range().overlaps(wanted.range())) {
                throw clash(wanted, other.range() + " of " + other.by());
            }
        }
        make(context, wanted);
    }

    private void make(CpiContext context, Wanted wanted) {
        for (int attempt = 1; ; attempt++) {
            try {
                engine.createNetwork(body(context, wanted));
                return;
            } catch (EngineException e) {
                Optional<Map<String, Object>> now = engine.inspectNetwork(wanted.name());
                if (now.isPresent()) {
                    check(wanted, now.get());
                    return;
                }
                // Another engine on this host rewrites the shared rules while it starts.
                if (attempt == ATTEMPTS || !String.valueOf(e.getMessage()).contains("iptables")) {
                    throw e;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(300);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CpiException(Type.CPI_ERROR, "interrupted while making a network");
        }
    }

    private static Map<String, Object> body(CpiContext context, Wanted wanted) {
        Map<String, Object> config =
                Json.of("Subnet", wanted.range().toString(), "Gateway", wanted.gateway());
        return Json.of(
                "Name",
                wanted.name(),
                "CheckDuplicate",
                true,
                "Driver",
                "bridge",
                "IPAM",
                Json.of("Driver", "default", "Config", List.of(config)),
                "Labels",
                Labels.of(context, "network", wanted.name()));
    }

    private static void check(Wanted wanted, Map<String, Object> network) {
        Fields config = addresses(network);
        String range = config.string("Subnet", "none");
        String gateway = config.string("Gateway", "none");
        if (!range.equals(wanted.range().toString()) || !gateway.equals(wanted.gateway())) {
            throw new CpiException(
                    Type.CLOUD_ERROR,
                    "the Docker network '"
                            + wanted.name()
                            + "' has range "
                            + range
                            + " and gateway "
                            + gateway
                            + ", the subnet asks for range "
                            + wanted.range()
                            + " and gateway "
                            + wanted.gateway()
                            + "; change the subnet, or its cloud_properties.name");
        }
    }

    private static Fields addresses(Map<String, Object> network) {
        List<Fields> configs = Fields.of(network, "network").object("IPAM").objects("Config");
        for (Fields config : configs) {
            if (!config.string("Subnet", "").contains(":")) {
                return config;
            }
        }
        return Fields.of(Map.of(), "network");
    }

    /** A range that is in use on this host. */
    private record Taken(Subnet range, String by) {}

    private List<Taken> taken() {
        var taken = new java.util.ArrayList<Taken>();
        for (Map<String, Object> network : engine.listNetworks(Map.of())) {
            String range = addresses(network).optionalString("Subnet");
            if (range != null) {
                taken.add(
                        new Taken(
                                Subnet.parse(range),
                                "the Docker network '" + network.get("Name") + "'"));
            }
        }
        for (HostFacts.Route route : host.routes()) {
            taken.add(new Taken(route.range(), "the host's device " + route.device()));
        }
        return taken;
    }

    private static CpiException clash(Wanted wanted, String with) {
        return new CpiException(
                Type.CLOUD_ERROR,
                "the range "
                        + wanted.range()
                        + " of network '"
                        + wanted.name()
                        + "' clashes with "
                        + with
                        + "; choose another range, or remove that network");
    }

    void delete(CpiContext context, String cid) {
        try (var lock = locks.lock("networks")) {
            Map<String, Object> network =
                    engine.inspectNetwork(Base.name(cid))
                            .orElseThrow(() ->
                                    new CpiException(Type.NETWORK_NOT_FOUND, "no network " + cid));
            Fields fields = Fields.of(network, "network");
            @Nullable String director = fields.stringMap("Labels").get(Labels.DIRECTOR);
            if (!context.directorUuid().equals(director)) {
                throw new CpiException(
                        Type.CLOUD_ERROR,
                        "the Docker network '"
                                + cid
                                + "' was not made for this director and is left alone");
            }
            Map<String, Object> members = fields.object("Containers").tree();
            if (!members.isEmpty()) {
                throw new CpiException(
                        Type.CLOUD_ERROR,
                        "network " + cid + " still has " + members.size() + " VMs on it");
            }
            engine.removeNetwork(cid);
        }
    }

    /** Who is on it now, as the inventory says it; nothing when it is gone meanwhile. */
    Map<String, String> members(String name) {
        return engine.inspectNetwork(name)
                .map(network ->
                        Map.of(
                                "vms",
                                Fields.of(network, "network")
                                        .object("Containers")
                                        .tree()
                                        .values()
                                        .stream()
                                        .map(of -> Fields.of(of, "container"))
                                        .map(of ->
                                                of.string("Name", "")
                                                        + "="
                                                        + of.string("IPv4Address", "")
                                                                .replaceFirst("/.*", ""))
                                        .sorted()
                                        .collect(Collectors.joining(","))))
                .orElse(Map.of());
    }

    List<Map<String, Object>> all(CpiContext context) {
        return engine.listNetworks(
                Labels.query(Labels.DIRECTOR, context.directorUuid(), "network"));
    }
}
