package dev.berth.model;

import dev.berth.model.DaemonSettings.Tcp;
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

    private static final Pattern REGISTRY = Pattern.compile("[A-Za-z0-9._-]+(:\\d{1,5})?");
    private static final Pattern PREFIX = Pattern.compile("\\d{1,3}\\.\\d{1,3}");
    private static final int LONGEST_PEM = 64 * 1024;

    private final List<Section> sources;

    DaemonReader(List<Section> sources) {
        this.sources = sources;
    }

    static Set<String> names() {
        var names = new TreeSet<>(OTHERS);
        DaemonProperty.ALL.forEach(p -> names.add(p.name()));
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
                    return DaemonProperty.pending(spot) ? null : spot;
                }
                if (!spot.isMap()) {
                    break;
                }
                at = spot.section();
            }
        }
        return null;
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
        for (DaemonProperty property : DaemonProperty.ALL) {
            Spot spot = find(property.name());
            if (spot == null && property.name().equals("dns_search")) {
                spot = find("dns_domains");
            }
            if (spot == null) {
                continue;
            }
            Object value = property.value(spot);
            if (value != null) {
                config.put(property.key(), value);
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
            if (DaemonProperty.pending(one.at("domain_name"))
                    || DaemonProperty.pending(one.at("ca_cert"))) {
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
        if (!address.equals("localhost") && !DaemonProperty.isAddress(address)) {
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
}
