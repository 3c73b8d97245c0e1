package dev.berth.supervisor;

import dev.berth.model.DaemonSettings;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Everything that tells a Docker daemon how to be, as it will stand in files: a pure function of
 * the settings and the place. Holds secrets.
 *
 * @param json the daemon's file, complete: what can be reloaded is always in it, since the daemon
 *     keeps an old value when a reloaded file is silent about it
 * @param environment of the daemon
 * @param certificates by registry, PEM
 * @param tls of its port, PEM by file name
 * @param nofile limit on open files; 0: as it is
 * @param maxMapCount 0: as it is
 * @param bridge address and length of a bridge that is made before the start; empty: none
 */
public record DaemonFiles(
        Map<String, Object> json,
        Map<String, String> environment,
        Map<String, String> certificates,
        Map<String, String> tls,
        long nofile,
        long maxMapCount,
        String bridge) {
    private static final Set<String> ROTATED = Set.of("json-file", "local");
    private static final Map<String, Object> ROTATION = Json.of("max-size", "10m", "max-file", "3");

    /** What the daemon takes as its own when a reload says nothing else. */
    private static final Map<String, Object> RELOADABLE =
            Json.of(
                    "debug",
                    false,
                    "labels",
                    List.of(),
                    "insecure-registries",
                    List.of(),
                    "registry-mirrors",
                    List.of(),
                    "live-restore",
                    true,
                    "shutdown-timeout",
                    15L,
                    "max-concurrent-downloads",
                    3L,
                    "max-concurrent-uploads",
                    5L,
                    "default-runtime",
                    "runc",
                    "runtimes",
                    Map.of(),
                    "features",
                    Map.of());

    /**
     * @param index of the instance, which a {@code cidr_prefix} is completed with
     */
    public static DaemonFiles of(DaemonSettings settings, int index, DaemonPlace place) {
        var json = new TreeMap<String, Object>(RELOADABLE);
        json.putAll(place.own());
        json.put("data-root", place.dataRoot().toString());
        json.put("storage-driver", "overlay2");
        json.putAll(settings.config());
        logs(json, settings.config());
        if (!settings.storeDir().isEmpty()) {
            json.put("data-root", settings.storeDir() + "/docker/docker");
        }
        String bridge = bridge(json, settings, index);
        return new DaemonFiles(
                json,
                environment(settings),
                Map.copyOf(settings.registryCas()),
                tls(json, settings.tcp(), place),
                settings.nofile(),
                settings.maxMapCount(),
                bridge);
    }

    /** However the default is changed, logs of containers stay within bounds. */
    private static void logs(Map<String, Object> json, Map<String, Object> given) {
        String driver = String.valueOf(given.getOrDefault("log-driver", "json-file"));
        var options = new TreeMap<String, Object>(ROTATED.contains(driver) ? ROTATION : Map.of());
        if (given.get("log-opts") instanceof Map<?, ?> own) {
            options.putAll(Json.asObject(own));
        }
        json.put("log-driver", driver);
        json.put("log-opts", options);
    }

    private static String bridge(Map<String, Object> json, DaemonSettings settings, int index) {
        if (!settings.cidrPrefix().isEmpty()) {
            if (index > 254) {
                throw new ProblemException(
                        100, "'cidr_prefix' has room for the instances 0 to 254, this is " + index);
            }
            json.put("bip", settings.cidrPrefix() + "." + index + ".1/24");
        }
        String name = String.valueOf(json.getOrDefault("bridge", "docker0"));
        if (name.equals("docker0")) {
            json.remove("bridge");
            return "";
        }
        // A bridge of another name the daemon takes as it finds it, with its address.
        String address = String.valueOf(json.remove("bip"));
        return name.equals("none") ? "" : address;
    }

    private static Map<String, String> environment(DaemonSettings settings) {
        var environment = new TreeMap<String, String>();
        settings.proxies()
                .forEach((name, value) ->
                        environment.put(name.toUpperCase(Locale.ROOT), value.reveal()));
        return environment;
    }

    private static Map<String, String> tls(
            Map<String, Object> json, DaemonSettings.Tcp tcp, DaemonPlace place) {
        if (!tcp.isOpen()) {
            return Map.of();
        }
        String address = tcp.address().contains(":") ? "[" + tcp.address() + "]" : tcp.address();
        var hosts = new java.util.ArrayList<Object>(Json.asList(json.get("hosts")));
        hosts.add("tcp://" + address + ":" + tcp.port());
        json.put("hosts", hosts);
        var folder = place.home().resolve("tls");
        json.put("tlsverify", true);
        json.put("tlscacert", folder.resolve("ca.pem").toString());
        json.put("tlscert", folder.resolve("cert.pem").toString());
        json.put("tlskey", folder.resolve("key.pem").toString());
        return new TreeMap<>(
                Map.of(
                        "ca.pem",
                        tcp.ca(),
                        "cert.pem",
                        tcp.certificate(),
                        "key.pem",
                        tcp.key().reveal()));
    }

    /** The same, but with all that would stop containers as it was. */
    DaemonFiles sparingContainers(DaemonFiles was) {
        var spared = new TreeMap<>(json);
        for (String key : DaemonChange.STOPS_CONTAINERS) {
            spared.remove(key);
            if (was.json.containsKey(key)) {
                spared.put(key, was.json.get(key));
            }
        }
        return new DaemonFiles(
                spared, environment, certificates, tls, nofile, maxMapCount, was.bridge);
    }

    boolean liveRestore() {
        return Boolean.TRUE.equals(json.get("live-restore"));
    }

    String dataRoot() {
        return String.valueOf(json.get("data-root"));
    }

    /** Whether containers that say nothing of their logs get another log than the usual one. */
    boolean ownLogs() {
        return !"json-file".equals(json.get("log-driver"))
                || !ROTATION.equals(json.get("log-opts"));
    }

    /**
     * The daemon gives what it is told of networks to its default bridge alone; those that Berth
     * makes are told the same.
     */
    Map<String, String> networkOptions() {
        var options = new LinkedHashMap<String, String>();
        Map<String, String> names =
                Map.of(
                        "mtu", "com.docker.network.driver.mtu",
                        "icc", "com.docker.network.bridge.enable_icc",
                        "ip", "com.docker.network.bridge.host_binding_ipv4",
                        "ip-masq", "com.docker.network.bridge.enable_ip_masquerade");
        names.forEach((key, option) -> {
            if (json.containsKey(key)) {
                options.put(option, String.valueOf(json.get(key)));
            }
        });
        return options;
    }

    /** What of a file's words may not be told. */
    Set<String> secrets() {
        var secrets = new java.util.HashSet<String>();
        environment.values().stream().filter(v -> v.contains("@")).forEach(secrets::add);
        tls.values().stream().filter(v -> !v.isBlank()).forEach(secrets::add);
        return secrets;
    }

    Map<String, Object> toTree() {
        return Json.of(
                "json",
                json,
                "environment",
                environment,
                "certificates",
                certificates,
                "tls",
                tls,
                "nofile",
                nofile,
                "max_map_count",
                maxMapCount,
                "bridge",
                bridge);
    }

    static DaemonFiles fromTree(Map<String, Object> tree) {
        Fields f = Fields.of(tree, "daemon files");
        return new DaemonFiles(
                new TreeMap<>(f.object("json").tree()),
                f.stringMap("environment"),
                f.stringMap("certificates"),
                f.stringMap("tls"),
                f.integer("nofile", 0),
                f.integer("max_map_count", 0),
                f.string("bridge", ""));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DaemonFiles files
                && Json.canonical(toTree()).equals(Json.canonical(files.toTree()));
    }

    @Override
    public int hashCode() {
        return Json.canonical(toTree()).hashCode();
    }

    /** Digest only: environment and keys are secrets (rule R8). */
    @Override
    public String toString() {
        return "DaemonFiles[" + Digests.sha256(Json.canonical(toTree())).substring(0, 12) + "]";
    }
}
