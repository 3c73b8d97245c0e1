package dev.berth.model;

import dev.berth.model.DaemonSettings.Tcp;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the properties of the docker release's job {@code docker}, or the same names in the block
 * {@code docker} of an instance group. A value that still holds a placeholder is left out: it is
 * read again when variables have values.
 */
final class DaemonReader {
    /** How a value is written in the manifest and in the daemon's file. */
    private enum Form {
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

    private record Property(String name, String key, Form form) {}

    private static final List<Property> PROPERTIES =
            List.of(
                    new Property("bip", "bip", Form.TEXT),
                    new Property("bridge", "bridge", Form.TEXT),
                    new Property("debug", "debug", Form.FLAG),
                    new Property("default_address_pools", "default-address-pools", Form.POOLS),
                    new Property("default_gateway", "default-gateway", Form.TEXT),
                    new Property("default_gateway_v6", "default-gateway-v6", Form.TEXT),
                    new Property("default_runtime", "default-runtime", Form.TEXT),
                    new Property("default_ulimits", "default-ulimits", Form.ULIMITS),
                    new Property("dns_options", "dns-opts", Form.LIST),
                    new Property("dns_search", "dns-search", Form.LIST),
                    new Property("dns_servers", "dns", Form.LIST),
                    new Property("exec_options", "exec-opts", Form.LIST),
                    new Property("features", "features", Form.FLAGS),
                    new Property("icc", "icc", Form.FLAG),
                    new Property("insecure_registries", "insecure-registries", Form.LIST),
                    new Property("ip", "ip", Form.TEXT),
                    new Property("ip_forward", "ip-forward", Form.FLAG),
                    new Property("ip_masq", "ip-masq", Form.FLAG),
                    new Property("iptables", "iptables", Form.FLAG),
                    new Property("ipv6", "ipv6", Form.FLAG),
                    new Property("labels", "labels", Form.LIST),
                    new Property("live_restore", "live-restore", Form.FLAG),
                    new Property("log_driver", "log-driver", Form.TEXT),
                    new Property("log_level", "log-level", Form.TEXT),
                    new Property("log_options", "log-opts", Form.PAIRS),
                    new Property(
                            "max_concurrent_downloads", "max-concurrent-downloads", Form.NUMBER),
                    new Property("max_concurrent_uploads", "max-concurrent-uploads", Form.NUMBER),
                    new Property("mtu", "mtu", Form.NUMBER),
                    new Property("registry_mirrors", "registry-mirrors", Form.LIST),
                    new Property("runtimes", "runtimes", Form.RUNTIMES),
                    new Property("selinux_enable", "selinux-enabled", Form.FLAG),
                    new Property("shutdown_timeout", "shutdown-timeout", Form.NUMBER),
                    new Property("storage_driver", "storage-driver", Form.TEXT),
                    new Property("storage_options", "storage-opts", Form.LIST),
                    new Property("userland_proxy", "userland-proxy", Form.FLAG));

    /** Handled one by one. */
    private static final List<String> OTHERS =
            List.of(
                    "tcp_address",
                    "tcp_port",
                    "tls_cacert",
                    "tls_cert",
                    "tls_key",
                    "cidr_prefix",
                    "registry_ca_cert",
                    "store_dir",
                    "ulimit",
                    "vm",
                    "env",
                    "shared_mounts_enable",
                    "flannel");

    /** Of 2014, with the prefix {@code docker.}; the first has another name since. */
    private static final List<String> OLD =
            List.of("dns_domains", "api_enable_cors", "daemon", "containers", "user", "group");

    private static final Set<String> LEVELS = Set.of("debug", "info", "warn", "error", "fatal");
    private static final Set<String> NOT_NEGATIVE =
            Set.of("shutdown_timeout", "max_concurrent_downloads", "max_concurrent_uploads");
    private static final Pattern REGISTRY = Pattern.compile("[A-Za-z0-9._-]+(:\\d{1,5})?");
    private static final Pattern PREFIX = Pattern.compile("\\d{1,3}\\.\\d{1,3}");
    private static final Pattern ULIMIT =
            Pattern.compile("([a-z]+)=(-1|\\d{1,18})(?::(-1|\\d{1,18}))?");
    private static final int MOST = 200;
    private static final int LONGEST_PEM = 64 * 1024;

    private final List<Section> sources;
    private final Findings findings;

    DaemonReader(List<Section> sources, Findings findings) {
        this.sources = sources;
        this.findings = findings;
    }

    static Set<String> names() {
        var names = new TreeSet<>(OTHERS);
        PROPERTIES.forEach(p -> names.add(p.name));
        return names;
    }

    static Set<String> oldNames() {
        var names = new TreeSet<>(names());
        names.addAll(OLD);
        return names;
    }

    DaemonSettings read() {
        Map<String, Object> config = config();
        refusals();
        String prefix = text("cidr_prefix");
        if (!prefix.isEmpty() && !PREFIX.matcher(prefix).matches()) {
            error("cidr_prefix", "'" + prefix + "' is not the beginning of an address", "10.1");
            prefix = "";
        }
        if (!prefix.isEmpty() && config.containsKey("bip")) {
            error("bip", "'bip' and 'cidr_prefix' say the same", "remove one of them");
        }
        return new DaemonSettings(
                config,
                storeDir(),
                prefix,
                registryCas(),
                proxies(),
                tcp(),
                number("ulimit", "nofile"),
                number("vm", "max_map_count"));
    }

    // --- where a property stands

    private @Nullable Spot find(String... path) {
        for (Section source : sources) {
            Section at = source;
            for (int i = 0; i < path.length && at != null; i++) {
                Spot spot = at.at(path[i]);
                if (!at.has(path[i])) {
                    break;
                }
                if (i == path.length - 1) {
                    return pending(spot) ? null : spot;
                }
                if (!spot.isMap()) {
                    break;
                }
                at = spot.section();
            }
        }
        return null;
    }

    private static boolean pending(Spot spot) {
        return spot.value() instanceof String text && !Placeholder.inside(text).isEmpty();
    }

    private void error(String property, String message, @Nullable String remedy) {
        Spot spot = find(property.split("\\."));
        if (spot != null) {
            spot.error(message, remedy);
        }
    }

    private void warning(String property, String message, @Nullable String remedy) {
        Spot spot = find(property.split("\\."));
        if (spot != null) {
            spot.warning(message, remedy);
        }
    }

    private String text(String... path) {
        Spot spot = find(path);
        if (spot == null || !spot.isScalar()) {
            if (spot != null) {
                spot.wrongType("String");
            }
            return "";
        }
        return spot.text().strip();
    }

    private long number(String... path) {
        Spot spot = find(path);
        if (spot == null || "".equals(spot.value())) {
            return 0; // the release's own way to say nothing
        }
        String text = spot.isScalar() ? spot.text() : "";
        if (!text.matches("\\d{1,15}")) {
            spot.error("'" + spot.key() + "' is a whole number", null);
            return 0;
        }
        return Long.parseLong(text);
    }

    // --- the daemon's own file

    private Map<String, Object> config() {
        var config = new LinkedHashMap<String, Object>();
        for (Property property : PROPERTIES) {
            Spot spot = find(property.name);
            if (spot == null && property.name.equals("dns_search")) {
                spot = find("dns_domains");
            }
            if (spot == null) {
                continue;
            }
            Object value = value(property, spot);
            if (value != null) {
                config.put(property.key, value);
            }
        }
        if (Boolean.FALSE.equals(config.get("live-restore"))) {
            warning(
                    "live_restore",
                    "without 'live_restore' every restart of the daemon stops all containers",
                    "leave it out: it is on by default");
        }
        return Collections.unmodifiableMap(config);
    }

    private @Nullable Object value(Property property, Spot spot) {
        return switch (property.form) {
            case FLAG -> flag(spot);
            case TEXT -> checkedText(property, spot);
            case NUMBER -> checkedNumber(property, spot);
            case LIST -> checkedList(property, spot);
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

    private static @Nullable Object checkedText(Property property, Spot spot) {
        String text = spot.string().strip();
        if (text.isEmpty()) {
            return null;
        }
        switch (property.name) {
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

    private static boolean isAddress(String text) {
        try {
            IpAddress.parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static @Nullable Object checkedNumber(Property property, Spot spot) {
        String text = spot.isScalar() ? spot.text().strip() : "?";
        if (text.isEmpty()) {
            return null;
        }
        if (!text.matches("\\d{1,9}")) {
            spot.error("'" + property.name + "' is a whole number", null);
            return null;
        }
        long number = Long.parseLong(text);
        boolean mtu = property.name.equals("mtu");
        if (mtu && number != 0 && (number < 576 || number > 65535)) {
            spot.error("an MTU of " + number + " cannot work", "576 to 65535");
        } else if (!mtu && !NOT_NEGATIVE.contains(property.name)) {
            spot.error("'" + property.name + "' is not a number here", null);
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

    private static List<Object> checkedList(Property property, Spot spot) {
        var list = new ArrayList<Object>();
        for (Spot item : items(spot)) {
            if (pending(item)) {
                continue;
            }
            String text = item.string().strip();
            switch (property.name) {
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

    // --- what is beside the file

    private void refusals() {
        if (!List.of("", "false").contains(text("flannel"))) {
            error(
                    "flannel",
                    "'flannel' is not supported",
                    "VMs reach each other by the networks of the cloud config");
        }
        if (!List.of("", "false").contains(text("api_enable_cors"))) {
            error("api_enable_cors", "the Docker Engine no longer knows 'api_enable_cors'", null);
        }
        if (text("shared_mounts_enable").equals("false")) {
            warning(
                    "shared_mounts_enable",
                    "'shared_mounts_enable' has no effect: mounts are always shared",
                    null);
        }
        warning(
                "daemon.logrotate",
                "'daemon.logrotate' has no effect: the daemon's log is rotated at 10 MB",
                null);
    }

    private String storeDir() {
        String folder = text("store_dir");
        if (folder.isEmpty()) {
            return "";
        }
        if (!folder.startsWith("/") || folder.contains("..") || folder.contains("\n")) {
            error("store_dir", "'" + folder + "' is no absolute path", "/var/vcap/store");
            return "";
        }
        return folder.replaceAll("/+$", "");
    }

    private Map<String, String> registryCas() {
        Spot spot = find("registry_ca_cert");
        var cas = new LinkedHashMap<String, String>();
        if (spot == null) {
            return cas;
        }
        for (Spot item : spot.items()) {
            Section one = item.section();
            one.checkKeys(Set.of("domain_name", "ca_cert"), Map.of());
            String domain = one.string("domain_name");
            if (pending(one.at("domain_name")) || pending(one.at("ca_cert"))) {
                continue;
            }
            if (!REGISTRY.matcher(domain).matches() || domain.startsWith(".")) {
                one.at("domain_name")
                        .error("'" + domain + "' is no name of a registry", "HOST or HOST:PORT");
            } else {
                cas.merge(domain, pem(one.string("ca_cert")), (a, b) -> a + b);
            }
        }
        return cas;
    }

    /** The release's manifests often hold a certificate in one line, with the ends written out. */
    private static String pem(String text) {
        String lines = text.replace("\\n", "\n").strip();
        return lines.isEmpty()
                ? ""
                : lines.substring(0, Math.min(lines.length(), LONGEST_PEM)) + "\n";
    }

    private Map<String, Secret> proxies() {
        var proxies = new LinkedHashMap<String, Secret>();
        for (String name : List.of("http_proxy", "https_proxy", "no_proxy")) {
            String value = text("env", name);
            if (value.contains("\n")) {
                error("env." + name, "'" + name + "' must be one line", null);
            } else if (!value.isEmpty()) {
                proxies.put(name, new Secret(value));
            }
        }
        return proxies;
    }

    private Tcp tcp() {
        String address = text("tcp_address");
        boolean[] given = {given("tls_cacert"), given("tls_cert"), given("tls_key")};
        boolean all = given[0] && given[1] && given[2];
        boolean any = given[0] || given[1] || given[2];
        if (any && !all) {
            for (String key : List.of("tls_cacert", "tls_cert", "tls_key")) {
                error(key, "the daemon's port needs 'tls_cacert', 'tls_cert' and 'tls_key'", null);
            }
            return Tcp.NONE;
        }
        if (address.isEmpty() || !all) {
            withoutTls(address);
            return Tcp.NONE;
        }
        if (!address.equals("localhost") && !isAddress(address)) {
            error("tcp_address", "'" + address + "' is no IP address", null);
            return Tcp.NONE;
        }
        long port = number("tcp_port");
        if (port > 65535) {
            error("tcp_port", "there is no port " + port, "1 to 65535");
        }
        return new Tcp(
                address,
                port == 0 ? 4243 : port,
                pem(text("tls_cacert")),
                pem(text("tls_cert")),
                new Secret(pem(text("tls_key"))));
    }

    private boolean given(String key) {
        for (Section source : sources) {
            if (source.has(key) && !"".equals(source.tree().get(key))) {
                return true;
            }
        }
        return false;
    }

    private void withoutTls(String address) {
        if (List.of("127.0.0.1", "localhost").contains(address)) {
            warning(
                    "tcp_address",
                    "the daemon's port stays closed: without TLS any process of the VM would be root",
                    "give 'tls_cacert', 'tls_cert' and 'tls_key'");
        } else if (!address.isEmpty()) {
            error(
                    "tcp_address",
                    "the daemon would listen on " + address + " without TLS",
                    "give 'tls_cacert', 'tls_cert' and 'tls_key'");
        } else if (find("tcp_port") != null) {
            warning(
                    "tcp_port",
                    "the daemon's port stays closed",
                    "give 'tcp_address', 'tls_cacert', 'tls_cert' and 'tls_key'");
        }
    }

    Findings findings() {
        return findings;
    }
}
