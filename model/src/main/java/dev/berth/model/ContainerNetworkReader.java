package dev.berth.model;

import static dev.berth.model.ContainerKeys.reading;

import dev.berth.model.ContainerNetwork.Endpoint;
import dev.berth.model.ContainerNetwork.Link;
import dev.berth.model.ContainerNetwork.PortBinding;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads how a container is reached and whom it reaches. */
record ContainerNetworkReader(ContainerKeys keys) {
    private static final Pattern MAC = Pattern.compile("([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}");
    private static final Set<String> MODES = Set.of("none", "host", "bridge");
    private static final String NO_SUBNET =
            "the networks of an instance have no fixed addresses; reach containers by name or alias";

    ContainerNetwork network() {
        boolean legacy = keys.legacy();
        String mode = mode();
        var network =
                new ContainerNetwork(
                        mode,
                        legacy ? List.of() : endpoints(),
                        ports(keys.key("ports", "bind_ports")),
                        exposed(keys.key("expose", "expose_ports")),
                        links("links"),
                        legacy ? List.of() : links("external_links"),
                        legacy ? List.of() : extraHosts(),
                        addresses("dns"),
                        keys.oneOrStrings(keys.key("dns_opt", "dns_options")),
                        keys.oneOrStrings("dns_search"),
                        keys.text("mac_address", MAC, "MAC address", "such as 02:42:ac:11:00:02"));
        check(network);
        return network;
    }

    private @Nullable String mode() {
        if (keys.has("networking")) {
            return networking();
        }
        String key = keys.key("network_mode", "net");
        String mode = keys.text(key);
        if (mode == null || mode.isEmpty() || mode.equals(ContainerNetwork.SHARED)) {
            return null;
        }
        if (keys.legacy() && mode.startsWith("container:")) {
            // containers of the same job are meant: there was no other way to say so
            return ContainerNetwork.SERVICE + mode.substring("container:".length());
        }
        boolean other = mode.startsWith("container:") || mode.startsWith(ContainerNetwork.SERVICE);
        if (mode.endsWith(":") || !other && !mode.matches("[a-zA-Z0-9][a-zA-Z0-9_.-]*")) {
            keys.at(key)
                    .error(
                            "'" + mode + "' is no network mode",
                            "none, host, bridge, service:NAME or a network of the VM's engine");
            return null;
        }
        return mode;
    }

    /** Of the first releases: false is no network at all. */
    private @Nullable String networking() {
        boolean on = !Boolean.FALSE.equals(keys.optionalFlag("networking"));
        keys.at("networking")
                .warning(
                        "'networking' is gone since June 2014; "
                                + (on ? "it has no effect" : "it is taken as net: none"),
                        "write network_mode: none, or leave it out");
        return on ? null : "none";
    }

    private List<PortBinding> ports(String key) {
        var ports = new ArrayList<PortBinding>();
        for (Spot item : keys.list(key)) {
            List<PortBinding> read =
                    item.isMap() && !keys.legacy()
                            ? longPort(item.section())
                            : reading(item, ContainerFormats::ports, item.string());
            if (read != null) {
                ports.addAll(read);
            }
        }
        return List.copyOf(ports);
    }

    private static @Nullable List<PortBinding> longPort(Section port) {
        port.checkKeys(
                Set.of(
                        "target",
                        "published",
                        "host_ip",
                        "protocol",
                        "mode",
                        "name",
                        "app_protocol"),
                Map.of());
        String target = port.string("target");
        String published = port.has("published") ? port.string("published") : "";
        String ip = port.has("host_ip") ? port.string("host_ip") : "";
        String protocol = port.has("protocol") ? port.string("protocol") : "tcp";
        new ContainerKeys(port, false).word("mode", Set.of("host", "ingress"));
        String host = ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip;
        String text =
                (host.isEmpty() ? "" : host + ":")
                        + (published.isEmpty() && host.isEmpty() ? "" : published + ":");
        return target.isEmpty()
                ? null
                : reading(port.spot(), ContainerFormats::ports, text + target + "/" + protocol);
    }

    private List<String> exposed(String key) {
        var exposed = new LinkedHashSet<String>();
        for (Spot item : keys.list(key)) {
            List<String> read = reading(item, ContainerFormats::exposed, item.string());
            if (read != null) {
                exposed.addAll(read);
            }
        }
        return List.copyOf(exposed);
    }

    private List<Link> links(String key) {
        var links = new ArrayList<Link>();
        for (Spot item : keys.list(key)) {
            String text = item.string();
            int colon = text.indexOf(':');
            String target = colon < 0 ? text : text.substring(0, colon);
            links.add(new Link(target, colon < 0 ? text : text.substring(colon + 1)));
        }
        return List.copyOf(links);
    }

    private List<String> extraHosts() {
        Spot spot = keys.at("extra_hosts");
        var hosts = new ArrayList<String>();
        if (!spot.isMap()) {
            for (Spot item : keys.list("extra_hosts")) {
                add(hosts, item, item.string());
            }
            return List.copyOf(hosts);
        }
        Section map = spot.section();
        for (String name : map.tree().keySet()) {
            Spot value = map.at(name);
            List<Spot> all = value.isList() ? value.items() : List.of(value);
            all.forEach(address -> add(hosts, address, name + "=" + address.string()));
        }
        return List.copyOf(hosts);
    }

    private static void add(List<String> hosts, Spot spot, String text) {
        String host = reading(spot, ContainerFormats::extraHost, text);
        if (host != null) {
            hosts.add(host);
        }
    }

    private List<String> addresses(String key) {
        var addresses = new ArrayList<String>();
        for (Spot item : keys.oneOrList(key)) {
            String read = reading(item, t -> IpAddress.parse(t).toString(), item.string());
            if (read != null) {
                addresses.add(read);
            }
        }
        return List.copyOf(addresses);
    }

    private List<Endpoint> endpoints() {
        Spot spot = keys.at("networks");
        var endpoints = new ArrayList<Endpoint>();
        if (!spot.isMap()) {
            for (Spot item : keys.list("networks")) {
                endpoints.add(endpoint(item, item.string(), new Section(Map.of(), item)));
            }
            return List.copyOf(endpoints);
        }
        Section map = spot.section();
        for (String name : map.tree().keySet()) {
            endpoints.add(endpoint(map.at(name), name, map.section(name)));
        }
        // the highest priority first: the engine attaches in this order
        endpoints.sort((a, b) -> Integer.compare(priority(map, b), priority(map, a)));
        return List.copyOf(endpoints);
    }

    private static int priority(Section map, Endpoint endpoint) {
        return map.section(endpoint.network()).tree().get("priority") instanceof Long priority
                ? (int) Math.clamp(priority, -1_000_000, 1_000_000)
                : 0;
    }

    private static Endpoint endpoint(Spot spot, String name, Section section) {
        section.checkKeys(
                Set.of(
                        "aliases",
                        "link_local_ips",
                        "mac_address",
                        "driver_opts",
                        "priority",
                        "gw_priority",
                        "ipv4_address",
                        "ipv6_address",
                        "interface_name"),
                Map.of());
        if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")) {
            spot.error("'" + name + "' is no network name", null);
        }
        var keys = new ContainerKeys(section, false);
        keys.refuse(Map.of("ipv4_address", NO_SUBNET, "ipv6_address", NO_SUBNET));
        keys.refuse(Map.of("interface_name", "interfaces are called eth0, eth1 and so on"));
        Long priority = keys.integer("gw_priority", -1_000_000, 1_000_000);
        String mac = keys.text("mac_address", MAC, "MAC address", null);
        return new Endpoint(
                name,
                section.strings("aliases"),
                section.strings("link_local_ips"),
                mac == null ? "" : mac,
                keys.pairs("driver_opts"),
                priority == null ? 0 : priority.intValue());
    }

    /** What the engine refuses or silently drops together. */
    private void check(ContainerNetwork network) {
        String mode = network.mode();
        if (mode == null) {
            return;
        }
        String modeKey = keys.has("networking") ? "networking" : keys.key("network_mode", "net");
        boolean joined = mode.startsWith(ContainerNetwork.SERVICE) || mode.startsWith("container:");
        boolean none = mode.equals("none");
        boolean host = mode.equals("host");
        String where = "it has no network of its own with " + modeKey + ": " + mode;
        if (joined || none || host) {
            refuse(keys.key("ports", "bind_ports"), where);
            refuse("links", where);
        }
        if (joined) {
            refuse("hostname", where);
            refuse(keys.key("expose", "expose_ports"), where);
            refuse("mac_address", where);
            for (String key : List.of("dns", "extra_hosts")) {
                refuse(key, where);
            }
        }
        if (!keys.legacy() && keys.has("networks")) {
            keys.at("networks")
                    .error(
                            "'networks' and '" + modeKey + "' exclude each other",
                            "give one of them");
        }
        if (!MODES.contains(mode) && !joined) {
            keys.at(modeKey)
                    .warning(
                            "'" + mode + "' must be a network of the VM's engine; nothing makes it",
                            null);
        }
    }

    private void refuse(String key, String why) {
        if (keys.has(key) && !List.of().equals(keys.at(key).value())) {
            keys.at(key).error("'" + key + "' cannot be honoured: " + why, "remove one of the two");
        }
    }
}
