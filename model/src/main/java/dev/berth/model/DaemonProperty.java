package dev.berth.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One property that becomes a key of the daemon's JSON file.
 *
 * @param name in manifests
 * @param key in the file
 */
record DaemonProperty(String name, String key, Form form) {
    /** How a value is written in the manifest and in the daemon's file. */
    enum Form {
        FLAG,
        TEXT,
        NUMBER,
        LIST,
        /** A list of {@code k=v}, or a map. */
        PAIRS,
        ULIMITS,
        /** Flags by name. */
        FLAGS,
        RUNTIMES,
        POOLS
    }

    static final List<DaemonProperty> ALL =
            List.of(
                    new DaemonProperty("bip", "bip", Form.TEXT),
                    new DaemonProperty("bridge", "bridge", Form.TEXT),
                    new DaemonProperty("debug", "debug", Form.FLAG),
                    new DaemonProperty(
                            "default_address_pools", "default-address-pools", Form.POOLS),
                    new DaemonProperty("default_gateway", "default-gateway", Form.TEXT),
                    new DaemonProperty("default_gateway_v6", "default-gateway-v6", Form.TEXT),
                    new DaemonProperty("default_runtime", "default-runtime", Form.TEXT),
                    new DaemonProperty("default_ulimits", "default-ulimits", Form.ULIMITS),
                    new DaemonProperty("dns_options", "dns-opts", Form.LIST),
                    new DaemonProperty("dns_search", "dns-search", Form.LIST),
                    new DaemonProperty("dns_servers", "dns", Form.LIST),
                    new DaemonProperty("exec_options", "exec-opts", Form.LIST),
                    new DaemonProperty("features", "features", Form.FLAGS),
                    new DaemonProperty("icc", "icc", Form.FLAG),
                    new DaemonProperty("insecure_registries", "insecure-registries", Form.LIST),
                    new DaemonProperty("ip", "ip", Form.TEXT),
                    new DaemonProperty("ip_forward", "ip-forward", Form.FLAG),
                    new DaemonProperty("ip_masq", "ip-masq", Form.FLAG),
                    new DaemonProperty("iptables", "iptables", Form.FLAG),
                    new DaemonProperty("ipv6", "ipv6", Form.FLAG),
                    new DaemonProperty("labels", "labels", Form.LIST),
                    new DaemonProperty("live_restore", "live-restore", Form.FLAG),
                    new DaemonProperty("log_driver", "log-driver", Form.TEXT),
                    new DaemonProperty("log_level", "log-level", Form.TEXT),
                    new DaemonProperty("log_options", "log-opts", Form.PAIRS),
                    new DaemonProperty(
                            "max_concurrent_downloads", "max-concurrent-downloads", Form.NUMBER),
                    new DaemonProperty(
                            "max_concurrent_uploads", "max-concurrent-uploads", Form.NUMBER),
                    new DaemonProperty("mtu", "mtu", Form.NUMBER),
                    new DaemonProperty("registry_mirrors", "registry-mirrors", Form.LIST),
                    new DaemonProperty("runtimes", "runtimes", Form.RUNTIMES),
                    new DaemonProperty("selinux_enable", "selinux-enabled", Form.FLAG),
                    new DaemonProperty("shutdown_timeout", "shutdown-timeout", Form.NUMBER),
                    new DaemonProperty("storage_driver", "storage-driver", Form.TEXT),
                    new DaemonProperty("storage_options", "storage-opts", Form.LIST),
                    new DaemonProperty("userland_proxy", "userland-proxy", Form.FLAG));

    private static final Set<String> LEVELS = Set.of("debug", "info", "warn", "error", "fatal");
    private static final Set<String> NOT_NEGATIVE =
            Set.of("shutdown_timeout", "max_concurrent_downloads", "max_concurrent_uploads");
    private static final Pattern ULIMIT =
            Pattern.compile("([a-z]+)=(-1|\\d{1,18})(?::(-1|\\d{1,18}))?");
    private static final int MOST = 200;

    /** In the form of the daemon's file; null when it says nothing, or what is wrong was told. */
    @Nullable Object value(Spot spot) {
        return switch (form) {
            case FLAG -> flag(spot);
            case TEXT -> checkedText(spot);
            case NUMBER -> checkedNumber(spot);
            case LIST -> checkedList(spot);
            case PAIRS -> pairs(spot);
            case ULIMITS -> ulimits(spot);
            case FLAGS -> flags(spot);
            case RUNTIMES -> runtimes(spot);
            case POOLS -> pools(spot);
        };
    }

    private static @Nullable Boolean flag(Spot spot) {
        if (spot.value() instanceof String text && Set.of("true", "false").contains(text)) {
            return text.equals("true");
        }
        return spot.value() instanceof Boolean ? spot.flag() : wrong(spot, "boolean");
    }

    private static <T> @Nullable T wrong(Spot spot, String type) {
        spot.wrongType(type);
        return null;
    }

    private @Nullable Object checkedText(Spot spot) {
        String text = spot.string().strip();
        if (text.isEmpty()) {
            return null;
        }
        switch (name) {
            case "log_level" -> {
                if (!LEVELS.contains(text)) {
                    spot.error(
                            "'" + text + "' is no level of the daemon's log",
                            "debug, info, warn, error or fatal");
                }
            }
            case "bip" -> {
                if (!text.matches("[0-9a-fA-F.:]+/\\d{1,3}")) {
                    spot.error("'" + text + "' is no address with a length", "10.1.0.1/24");
                }
            }
            case "bridge" -> {
                if (!text.matches("[a-zA-Z0-9_.-]{1,15}")) {
                    spot.error("'" + text + "' is no name of a bridge", "15 characters at most");
                }
            }
            case "ip", "default_gateway", "default_gateway_v6" -> {
                if (!isAddress(text)) {
                    spot.error("'" + text + "' is no IP address", null);
                }
            }
            default -> {}
        }
        return text;
    }

    static boolean isAddress(String text) {
        try {
            IpAddress.parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private @Nullable Object checkedNumber(Spot spot) {
        String text = spot.isScalar() ? spot.text().strip() : "?";
        if (text.isEmpty()) {
            return null;
        }
        if (!text.matches("\\d{1,9}")) {
            spot.error("'" + name + "' is a whole number", null);
            return null;
        }
        long number = Long.parseLong(text);
        boolean mtu = name.equals("mtu");
        if (mtu && number != 0 && (number < 576 || number > 65535)) {
            spot.error("an MTU of " + number + " cannot work", "576 to 65535");
        } else if (!mtu && !NOT_NEGATIVE.contains(name)) {
            spot.error("'" + name + "' is not a number here", null);
        }
        return mtu && number == 0 ? null : number;
    }

    /** A list, or one text with commas as the release took it. */
    private static List<Spot> items(Spot spot) {
        if (spot.value() instanceof String text) {
            var parts = new ArrayList<Spot>();
            for (String part : text.split(",")) {
                if (!part.isBlank()) {
                    parts.add(new Spot(part.strip(), spot.path(), spot.mark(), spot.findings()));
                }
            }
            return parts;
        }
        List<Spot> items = spot.items();
        if (items.size() > MOST) {
            spot.error("more than " + MOST + " elements", null);
            return List.of();
        }
        return items;
    }

    private List<Object> checkedList(Spot spot) {
        var list = new ArrayList<Object>();
        for (Spot item : items(spot)) {
            if (pending(item)) {
                continue;
            }
            String text = item.string().strip();
            switch (name) {
                case "labels" -> {
                    if (!text.matches("(?s)[^=\\s]+=.*")) {
                        item.error("label '" + text + "' is not of the form NAME=VALUE", null);
                    }
                }
                case "dns_servers" -> {
                    if (!isAddress(text)) {
                        item.error("'" + text + "' is no IP address", null);
                    }
                }
                case "registry_mirrors" -> {
                    if (!text.matches("https?://[^/@?#\\s]+/?")) {
                        item.error(
                                "a mirror is the root of a registry without user or path",
                                "https://HOST[:PORT]");
                    }
                }
                default -> {}
            }
            list.add(text);
        }
        return List.copyOf(list);
    }

    private static @Nullable Map<String, Object> pairs(Spot spot) {
        var pairs = new LinkedHashMap<String, Object>();
        if (spot.isMap()) {
            Section section = spot.section();
            for (String key : section.tree().keySet()) {
                if (!pending(section.at(key))) {
                    pairs.put(key, section.at(key).text());
                }
            }
            return pairs;
        }
        for (Spot item : items(spot)) {
            String text = item.string();
            int equals = text.indexOf('=');
            if (equals < 1) {
                item.error("'" + spot.key() + "' holds elements of the form NAME=VALUE", null);
            } else if (!pending(item)) {
                pairs.put(text.substring(0, equals).strip(), text.substring(equals + 1).strip());
            }
        }
        return pairs;
    }

    private static Map<String, Object> ulimits(Spot spot) {
        var limits = new LinkedHashMap<String, Object>();
        for (Spot item : items(spot)) {
            var matcher = ULIMIT.matcher(item.string().strip());
            if (pending(item)) {
                continue;
            }
            if (!matcher.matches()) {
                item.error("a limit is of the form NAME=SOFT[:HARD]", "nofile=65536:65536");
                continue;
            }
            long soft = Long.parseLong(matcher.group(2));
            long hard = matcher.group(3) == null ? soft : Long.parseLong(matcher.group(3));
            limits.put(
                    matcher.group(1),
                    Json.of("Name", matcher.group(1), "Soft", soft, "Hard", hard));
        }
        return limits;
    }

    private static Map<String, Object> flags(Spot spot) {
        var flags = new LinkedHashMap<String, Object>();
        Section section = spot.section();
        for (String key : section.tree().keySet()) {
            Boolean flag = flag(section.at(key));
            if (flag != null) {
                flags.put(key, flag);
            }
        }
        return flags;
    }

    private static Map<String, Object> runtimes(Spot spot) {
        var runtimes = new LinkedHashMap<String, Object>();
        Section section = spot.section();
        for (String name : section.tree().keySet()) {
            Section runtime = section.section(name);
            runtime.checkKeys(Set.of("path", "args"), Map.of());
            if (name.equals("runc") || name.startsWith("io.containerd.")) {
                section.at(name).error("runtime '" + name + "' is the daemon's own", null);
            }
            var body = new LinkedHashMap<String, Object>();
            body.put("path", runtime.string("path"));
            if (runtime.has("args")) {
                body.put("runtimeArgs", List.<Object>copyOf(runtime.strings("args")));
            }
            runtimes.put(name, body);
        }
        return runtimes;
    }

    private static List<Object> pools(Spot spot) {
        var pools = new ArrayList<Object>();
        for (Spot item : spot.items()) {
            Section pool = item.section();
            pool.checkKeys(Set.of("base", "size"), Map.of());
            pools.add(Json.of("base", pool.string("base"), "size", pool.integer("size")));
        }
        return List.copyOf(pools);
    }

    /** Holds a placeholder yet. */
    static boolean pending(Spot spot) {
        return spot.value() instanceof String text && !Placeholder.inside(text).isEmpty();
    }
}
