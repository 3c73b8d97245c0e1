package dev.berth.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads the networks of a cloud config. */
final class NetworkReader {
    /** Lists of addresses may be written as one text. */
    private static final int MOST_SUBNETS = 1_000;

    private final List<String> zones;

    NetworkReader(List<String> zones) {
        this.zones = zones;
    }

    List<Network> read(Section root) {
        var networks = new ArrayList<Network>();
        var names = new HashSet<String>();
        for (Section network : root.sections("networks")) {
            String name = network.string("name");
            if (!name.isEmpty() && !names.add(CanonicalName.of(name))) {
                network.at("name")
                        .error(
                                190007,
                                "Invalid network name '%s', canonical name already taken"
                                        .formatted(name),
                                null);
            }
            networks.add(network(network, name));
        }
        return networks;
    }

    private Network network(Section network, String name) {
        String type = network.optionalString("type");
        return switch (type == null ? "manual" : type) {
            case "manual" -> manual(network, name);
            case "dynamic" -> dynamic(network, name);
            case "vip" -> {
                network.checkKeys(Set.of("name", "type", "cloud_properties", "subnets"), Map.of());
                yield new Network.Vip(name, network.map("cloud_properties"));
            }
            default -> {
                network.at("type")
                        .error(
                                190010,
                                "Invalid network type '%s'".formatted(type),
                                "manual, dynamic or vip");
                yield new Network.Manual(name, List.of());
            }
        };
    }

    private Network dynamic(Section network, String name) {
        network.checkKeys(Set.of("name", "type", "dns", "cloud_properties", "subnets"), Map.of());
        var azs = new TreeSet<String>();
        for (Section subnet : network.sections("subnets")) {
            subnet.checkKeys(Set.of("dns", "cloud_properties", "az", "azs"), Map.of());
            azs.addAll(azs(subnet, name));
        }
        return new Network.Dynamic(name, azs, network.map("cloud_properties"));
    }

    private Network manual(Section network, String name) {
        network.checkKeys(Set.of("name", "type", "subnets", "managed"), Map.of());
        if (network.flag("managed", false)) {
            network.at("managed").error("managed networks are not supported yet", null);
        }
        List<Section> sections = network.sections("subnets");
        if (sections.size() > MOST_SUBNETS) {
            network.at("subnets").error("more than " + MOST_SUBNETS + " subnets", null);
            return new Network.Manual(name, List.of());
        }
        var subnets = new ArrayList<Subnet>();
        for (Section section : sections) {
            Subnet subnet = subnet(section, name);
            if (subnet == null) {
                continue;
            }
            if (subnets.stream().anyMatch(s -> s.range().overlaps(subnet.range()))) {
                section.at("range")
                        .error(
                                160001,
                                "Network '%s' has overlapping subnets".formatted(name),
                                null);
            }
            subnets.add(subnet);
        }
        long zoned = subnets.stream().filter(s -> !s.azs().isEmpty()).count();
        if (zoned > 0 && zoned < subnets.size()) {
            network.at("subnets")
                    .error(
                            140016,
                            "Subnets on network '%s' must all either specify availability zone or not"
                                    .formatted(name),
                            null);
        }
        return new Network.Manual(name, List.copyOf(subnets));
    }

    private @Nullable Subnet subnet(Section subnet, String network) {
        subnet.checkKeys(
                Set.of(
                        "range",
                        "gateway",
                        "dns",
                        "reserved",
                        "static",
                        "az",
                        "azs",
                        "cloud_properties"),
                Map.of("name", "only managed networks have it"));
        String text = subnet.string("range");
        if (text.isEmpty()) {
            return null;
        }
        IpRange range;
        try {
            range = IpRange.cidr(text.indexOf('/') < 0 ? text + "/x" : text);
        } catch (IllegalArgumentException e) {
            subnet.at("range").error("Invalid IP or CIDR format: " + text, "such as 10.0.0.0/24");
            return null;
        }
        if (range.size() < 2) {
            subnet.at("range")
                    .error(
                            160002,
                            "Invalid network range '%s', should include at least 2 IPs"
                                    .formatted(text),
                            null);
            return null;
        }
        int prefix = Integer.parseInt(text.substring(text.indexOf('/') + 1).strip());
        List<IpRange> reserved = reserved(subnet, network, range);
        return new Subnet(
                range,
                prefix,
                gateway(subnet, network, range),
                dns(subnet, network),
                reserved,
                statics(subnet, network, range, reserved),
                azs(subnet, network),
                subnet.map("cloud_properties"));
    }

    private static @Nullable IpAddress gateway(Section subnet, String network, IpRange range) {
        String text = subnet.string("gateway");
        if (text.isEmpty()) {
            return null;
        }
        String fault;
        try {
            IpAddress gateway = IpAddress.parse(text);
            if (!range.contains(gateway)) {
                fault = "must be inside the range";
            } else if (gateway.equals(range.first())) {
                fault = "can't be the network id";
            } else if (gateway.equals(range.last())) {
                fault = "can't be the broadcast IP";
            } else {
                return gateway;
            }
        } catch (IllegalArgumentException e) {
            fault = "must be a single IP";
        }
        subnet.at("gateway")
                .error(
                        160003,
                        "Invalid gateway for network '%s': %s".formatted(network, fault),
                        null);
        return null;
    }

    private static List<String> dns(Section subnet, String network) {
        var servers = new ArrayList<String>();
        for (Spot server : subnet.items("dns")) {
            try {
                servers.add(IpAddress.parse(server.string()).toString());
            } catch (IllegalArgumentException e) {
                server.error(
                        160004,
                        "Invalid DNS for network '%s': must be a single IP".formatted(network),
                        null);
            }
        }
        return List.copyOf(servers);
    }

    private static List<IpRange> reserved(Section subnet, String network, IpRange range) {
        var reserved = new ArrayList<IpRange>();
        ranges(subnet, "reserved")
                .forEach((part, spot) -> {
                    if (!range.contains(part)) {
                        spot.error(
                                160005,
                                "Reserved IP '%s' is out of network '%s' range"
                                        .formatted(part, network),
                                null);
                    }
                    reserved.add(part);
                });
        return List.copyOf(reserved);
    }

    private static List<IpRange> statics(
            Section subnet, String network, IpRange range, List<IpRange> reserved) {
        var statics = new ArrayList<IpRange>();
        ranges(subnet, "static")
                .forEach((part, spot) -> {
                    String fault =
                            !range.contains(part)
                                    ? "out of network '" + network + "' range"
                                    : reserved.stream().anyMatch(part::overlaps)
                                            ? "in network '" + network + "' reserved range"
                                            : null;
                    if (fault != null) {
                        spot.error(160006, "Static IP '%s' is %s".formatted(part, fault), null);
                    }
                    statics.add(part);
                });
        return List.copyOf(statics);
    }

    /** A list of ranges, or one; each with where it stands. */
    static Map<IpRange, Spot> ranges(Section section, String key) {
        if (!section.has(key)) {
            return Map.of();
        }
        Spot spot = section.at(key);
        var ranges = new LinkedHashMap<IpRange, Spot>();
        for (Spot item : spot.isList() ? spot.items() : List.of(spot)) {
            try {
                ranges.put(IpRange.parse(item.string()), item);
            } catch (IllegalArgumentException e) {
                item.error(160010, String.valueOf(e.getMessage()), null);
            }
        }
        return ranges;
    }

    private List<String> azs(Section subnet, String network) {
        if (subnet.has("az") && subnet.has("azs")) {
            subnet.at("azs")
                    .error(
                            160008,
                            "Network '%s' contains both 'az' and 'azs'. Choose one."
                                    .formatted(network),
                            null);
        }
        if (subnet.has("azs") && subnet.items("azs").isEmpty()) {
            subnet.at("azs")
                    .error(
                            160008,
                            "Network '%s' refers to an empty 'azs' array".formatted(network),
                            null);
        }
        List<Spot> named = subnet.has("az") ? List.of(subnet.at("az")) : subnet.items("azs");
        var azs = new ArrayList<String>();
        for (Spot az : named) {
            if (!zones.contains(az.string())) {
                az.error(
                        160007,
                        "Network '%s' refers to an unknown availability zone '%s'"
                                .formatted(network, az.string()),
                        Nearest.of(az.string(), zones)
                                .map(z -> "did you mean '" + z + "'?")
                                .orElse(null));
            }
            azs.add(az.string());
        }
        return List.copyOf(azs);
    }
}
