package dev.berth.model;

import dev.berth.model.ContainerSpec.Dependency;
import dev.berth.model.ContainerSpec.Restart;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Turns one element of {@code containers} into a {@link ContainerSpec}: in Compose's notation (with
 * the docker release's names accepted beside), or as the docker release's {@code containers} job
 * has read it since 2014.
 */
final class ContainerReader {
    private static final Set<String> SHARED =
            Set.of(
                    "name",
                    "image",
                    "dockerfile",
                    "command",
                    "entrypoint",
                    "user",
                    "hostname",
                    "privileged",
                    "labels",
                    "depends_on",
                    "links",
                    "restart",
                    "stop_signal",
                    "memory",
                    "volumes",
                    "env_vars",
                    "bind_ports",
                    "bind_volumes",
                    "workdir");

    /** What Compose calls the same or adds. */
    private static final Set<String> COMPOSE =
            union(
                    SHARED,
                    Set.of(
                            "environment",
                            "ports",
                            "working_dir",
                            "mem_limit",
                            "healthcheck",
                            "stop_grace_period"));

    /**
     * Known to Compose, with what to do instead; empty: nothing yet. Leaving them out silently
     * would give another container than wished.
     */
    private static final Map<String, String> COMPOSE_REFUSED = composeRefused();

    private static final Map<String, String> RELEASE_IDLE =
            Map.ofEntries(
                    Map.entry("expose_ports", "it publishes nothing"),
                    Map.entry("timeout", "containers are started for as long as it takes"),
                    Map.entry("cpu_shares", "limits other than memory are not applied yet"),
                    Map.entry("cpu_period", "limits other than memory are not applied yet"),
                    Map.entry("cpu_quota", "limits other than memory are not applied yet"),
                    Map.entry("blkio_weight", "limits other than memory are not applied yet"),
                    Map.entry("memory_reservation", "only the hard limit is applied yet"),
                    Map.entry("memory_swap", "only the hard limit is applied yet"),
                    Map.entry("memory_swappiness", "it is gone with cgroup v2"),
                    Map.entry("kernel_memory", "the Docker Engine ignores it"),
                    Map.entry("log_driver", "logs are rotated files"),
                    Map.entry("log_options", "logs are rotated files"),
                    Map.entry("group_adds", "the docker release never applied it"));

    private static final Map<String, String> RELEASE_REFUSED =
            Map.of(
                    "lxc_options",
                    "the LXC driver is gone from Docker; use other means",
                    "networking",
                    "it is gone since 2014");

    /** Refused only when they ask for something. */
    private static final Set<String> RELEASE_UNSUPPORTED =
            Set.of(
                    "env_file",
                    "read_only",
                    "cap_adds",
                    "cap_drops",
                    "security_options",
                    "devices",
                    "net",
                    "dns",
                    "dns_options",
                    "dns_search",
                    "mac_address",
                    "volumes_from",
                    "volume_driver",
                    "ulimits",
                    "oom_kill_disable",
                    "store_dir",
                    "disable_content_trust");

    private static final Duration STOP_GRACE = Duration.ofSeconds(10);
    private static final Restart ALWAYS = new Restart(Restart.Policy.ALWAYS, 0);

    private ContainerReader() {}

    /** One element of an instance group's {@code containers}. */
    static ContainerSpec compose(Section section) {
        refuse(section, COMPOSE_REFUSED);
        section.checkKeys(union(COMPOSE, COMPOSE_REFUSED.keySet()), Map.of());
        var keys = new ContainerSection(section, false);
        Duration grace = keys.duration("stop_grace_period");
        return spec(
                keys,
                keys.pairs(keys.either("environment", "env_vars")),
                keys.either("ports", "bind_ports"),
                keys.either("working_dir", "workdir"),
                keys.either("memory", "mem_limit"),
                grace == null ? STOP_GRACE : grace);
    }

    /** One element of the {@code containers} property of the docker release's job. */
    static ContainerSpec release(Section section) {
        refuse(section, RELEASE_REFUSED);
        for (String key : RELEASE_UNSUPPORTED) {
            Object value = section.tree().get(key);
            boolean asks =
                    value != null
                            && !Set.of(false, "false", "", List.of()).contains(value)
                            && !(key.equals("store_dir") && value.equals("/var/vcap/store"))
                            && !key.equals("disable_content_trust");
            if (asks) {
                section.at(key).error("'" + key + "' is not supported yet", null);
            }
        }
        Set<String> known = union(union(SHARED, RELEASE_UNSUPPORTED), RELEASE_REFUSED.keySet());
        var plain = new LinkedHashMap<>(section.tree());
        // the docker release ignored what it did not know, so old manifests may hold such keys
        for (String key : section.tree().keySet()) {
            if (!known.contains(key) && !RELEASE_IDLE.containsKey(key) && !key.startsWith("x-")) {
                section.at(key)
                        .warning(
                                "Unknown key '" + key + "' is ignored",
                                Nearest.of(key, known)
                                        .map(k -> "did you mean '" + k + "'?")
                                        .orElse(null));
                plain.remove(key);
            }
        }
        new Section(plain, section.spot()).checkKeys(known, RELEASE_IDLE);
        var keys = new ContainerSection(section, true);
        return spec(keys, keys.pairs("env_vars"), "bind_ports", "workdir", "memory", STOP_GRACE);
    }

    private static ContainerSpec spec(
            ContainerSection keys,
            Map<String, String> environment,
            String ports,
            String workingDir,
            String memory,
            Duration grace) {
        String name = keys.name();
        return new ContainerSpec(
                name,
                keys.image(),
                null,
                keys.text("dockerfile"),
                keys.command("command"),
                keys.command("entrypoint"),
                Collections.unmodifiableMap(environment),
                keys.ports(ports),
                keys.volumes(name),
                keys.dependencies(),
                keys.links(),
                keys.memory(memory),
                keys.text("user"),
                keys.text(workingDir),
                keys.hostname(),
                keys.flag("privileged"),
                Collections.unmodifiableMap(keys.pairs("labels")),
                keys.legacy() ? null : keys.healthcheck(),
                keys.restart(ALWAYS),
                keys.text("stop_signal"),
                grace);
    }

    /**
     * What others wait for until it has ended must be allowed to end: unless it says otherwise, it
     * is started again only when it fails.
     */
    static ContainerSpec endingAs(ContainerSpec spec, List<ContainerSpec> all) {
        boolean awaited =
                all.stream()
                        .flatMap(c -> c.dependsOn().stream())
                        .anyMatch(d ->
                                d.container().equals(spec.name())
                                        && d.condition() == Dependency.Condition.COMPLETED);
        return awaited ? spec.restartedBy(new Restart(Restart.Policy.ON_FAILURE, 0)) : spec;
    }

    private static void refuse(Section section, Map<String, String> reasons) {
        for (String key : section.tree().keySet()) {
            String reason = reasons.get(key);
            if (reason != null) {
                section.at(key)
                        .error(
                                "'" + key + "' is not supported" + (reason.isEmpty() ? " yet" : ""),
                                reason.isEmpty() ? null : reason);
            }
        }
    }

    private static Set<String> union(Set<String> one, Set<String> other) {
        return Stream.concat(one.stream(), other.stream()).collect(Collectors.toSet());
    }

    private static Map<String, String> composeRefused() {
        var refused = new TreeMap<String, String>();
        Stream.of(
                        ("annotations blkio_config cap_add cap_drop cgroup cgroup_parent configs"
                                        + " cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period"
                                        + " cpu_rt_runtime cpu_shares cpus cpuset credential_spec"
                                        + " device_cgroup_rules devices dns dns_opt dns_search"
                                        + " domainname env_file expose external_links extra_hosts"
                                        + " gpus group_add init ipc isolation label_file logging"
                                        + " mac_address mem_reservation mem_swappiness memswap_limit"
                                        + " network_mode networks oom_kill_disable oom_score_adj pid"
                                        + " pids_limit platform post_start pre_stop profiles"
                                        + " pull_policy read_only runtime secrets security_opt"
                                        + " shm_size stdin_open storage_opt sysctls tmpfs tty"
                                        + " ulimits userns_mode uts volumes_from")
                                .split(" "))
                .forEach(key -> refused.put(key, ""));
        refused.put("build", "give the Dockerfile's text as 'dockerfile', or push a built image");
        refused.put("container_name", "the container is called by its 'name'");
        refused.put("deploy", "instance groups do this; the memory limit is 'memory'");
        refused.put("scale", "set 'instances' of the instance group");
        refused.put("extends", "use a YAML anchor");
        for (String key : List.of("attach", "develop", "provider", "models", "use_api_socket")) {
            refused.put(key, "it has no meaning on a server");
        }
        return Map.copyOf(refused);
    }
}
