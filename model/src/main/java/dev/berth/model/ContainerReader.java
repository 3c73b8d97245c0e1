package dev.berth.model;

import dev.berth.model.ContainerOrder.Dependency;
import dev.berth.model.ContainerOrder.Restart;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Turns one element of {@code containers} into a {@link ContainerSpec}: in Compose's notation (with
 * the docker release's names accepted beside), or as the docker release's {@code containers} job
 * has read it since 2014.
 */
final class ContainerReader {
    static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}");

    /** Both notations have them. */
    private static final String SHARED =
            "name image command entrypoint user hostname labels privileged read_only devices"
                    + " depends_on restart stop_signal links dns dns_search mac_address volumes"
                    + " volumes_from oom_kill_disable cpu_shares cpu_period cpu_quota ulimits"
                    + " env_file";

    /** The docker release's own names, of which most have a twin of another name in Compose. */
    private static final String RELEASE =
            " dockerfile workdir group_adds env_vars cap_adds cap_drops security_options timeout"
                    + " expose_ports bind_ports net dns_options bind_volumes volume_driver store_dir"
                    + " memory memory_reservation memory_swap memory_swappiness blkio_weight"
                    + " log_driver log_options networking disable_content_trust kernel_memory"
                    + " lxc_options";

    private static final String COMPOSE =
            " annotations blkio_config build cap_add cap_drop cgroup cgroup_parent configs"
                    + " cpu_rt_period cpu_rt_runtime cpus cpuset deploy device_cgroup_rules dns_opt"
                    + " domainname environment expose external_links extra_hosts gpus group_add"
                    + " healthcheck init ipc logging mem_limit mem_reservation mem_swappiness"
                    + " memswap_limit network_mode networks oom_score_adj pid pids_limit platform"
                    + " ports post_start pre_stop profiles pull_policy runtime secrets security_opt"
                    + " shm_size stdin_open stop_grace_period storage_opt sysctls tmpfs tty"
                    + " userns_mode uts working_dir";

    private static final Set<String> RELEASE_KEYS = words(SHARED + RELEASE);
    private static final Set<String> COMPOSE_KEYS = words(SHARED + RELEASE + COMPOSE);

    /**
     * Known to Compose, with what to do instead. Leaving them out silently would give another
     * container than wished.
     */
    private static final Map<String, String> REFUSED = refused();

    private static final Map<String, String> REFUSED_OF_DEPLOY =
            Map.of(
                    "placement", "VMs are spread by 'azs' of the instance group",
                    "update_config", "instances are changed as 'update' of the manifest says",
                    "rollback_config", "instances are changed as 'update' of the manifest says",
                    "endpoint_mode", "there is no load balancer of Swarm",
                    "labels", "write them as 'labels' of the container, or 'tags' of the group",
                    "job", "a container with restart: no runs once");

    private static final Map<String, String> LXC =
            Map.of(
                    "lxc_options",
                    "the LXC driver went with Docker 1.10; use cap_adds, cap_drops, devices or"
                            + " security_options");

    private ContainerReader() {}

    static Set<String> keys(boolean release) {
        var keys = new LinkedHashSet<>(release ? RELEASE_KEYS : COMPOSE_KEYS);
        keys.removeAll(LXC.keySet());
        return keys;
    }

    /** One element of an instance group's {@code containers}. */
    static ContainerSpec compose(Section section, FileDefinitions files) {
        var keys = new ContainerKeys(section, false);
        keys.refuse(REFUSED);
        keys.refuse(LXC);
        var known = new LinkedHashSet<>(COMPOSE_KEYS);
        known.addAll(REFUSED.keySet());
        known.add("container_name");
        section.checkKeys(known, Map.of());
        containerName(section);
        deploy(section);
        BackupHooks.read(section);
        return spec(keys, files);
    }

    /** One element of the {@code containers} property of the docker release's job. */
    static ContainerSpec release(Section section, ContainerLogging logging) {
        var keys = new ContainerKeys(section, true);
        keys.refuse(LXC);
        // the docker release ignored what it did not know, so old manifests may hold such keys
        for (String key : section.tree().keySet()) {
            if (!RELEASE_KEYS.contains(key) && !key.startsWith("x-")) {
                section.at(key)
                        .warning(
                                "Unknown key '" + key + "' is ignored",
                                Nearest.of(key, RELEASE_KEYS)
                                        .map(k -> "did you mean '" + k + "'?")
                                        .orElse(null));
            }
        }
        if (section.has("group_adds")) {
            section.at("group_adds")
                    .warning("the docker release never applied 'group_adds'; Berth does", null);
        }
        BackupHooks.read(section);
        ContainerSpec spec = spec(keys, FileDefinitions.NONE);
        return spec.logging().equals(ContainerLogging.DEFAULT) ? spec.with(logging) : spec;
    }

    private static ContainerSpec spec(ContainerKeys keys, FileDefinitions files) {
        if (keys.has("kernel_memory")) {
            keys.at("kernel_memory")
                    .warning("'kernel_memory' has no effect: the Docker Engine ignores it", null);
        }
        String name = name(keys.section());
        var process = new ContainerProcessReader(keys);
        return new ContainerSpec(
                name,
                process.image(),
                process.process(),
                new ContainerOrderReader(keys).order(),
                new ContainerNetworkReader(keys).network(),
                new ContainerStorageReader(keys, files).storage(name),
                new ContainerResourcesReader(keys).resources(),
                security(keys),
                process.logging());
    }

    private static String name(Section section) {
        String name = section.string("name");
        if (!name.isEmpty() && !NAME.matcher(name).matches()) {
            section.at("name")
                    .error(
                            "'" + name + "' is no container name",
                            "letters, digits, '_', '.', '-'; at least two characters, the first a"
                                    + " letter or digit");
        }
        return name;
    }

    private static ContainerSecurity security(ContainerKeys keys) {
        boolean compose = !keys.legacy();
        String[] joins = {ContainerNetwork.SERVICE, "container:"};
        return new ContainerSecurity(
                keys.flag("privileged"),
                keys.strings(keys.key("cap_add", "cap_adds")),
                keys.strings(keys.key("cap_drop", "cap_drops")),
                keys.strings(keys.key("group_add", "group_adds")),
                keys.strings(keys.key("security_opt", "security_options")),
                compose ? keys.word("pid", Set.of("host"), joins) : null,
                compose
                        ? keys.word("ipc", Set.of("shareable", "private", "host", "none"), joins)
                        : null,
                compose ? keys.word("uts", Set.of("host")) : null,
                compose ? keys.word("userns_mode", Set.of("host")) : null,
                compose ? keys.word("cgroup", Set.of("host", "private")) : null,
                compose ? keys.text("cgroup_parent") : null,
                compose ? keys.pairs("sysctls") : Map.of());
    }

    /** In a Compose file that was taken over it may stand beside the name and say the same. */
    private static void containerName(Section section) {
        if (section.has("container_name")
                && !section.at("container_name").string().equals(section.tree().get("name"))) {
            section.at("container_name")
                    .error(
                            "'container_name' differs from 'name'",
                            "the container is called by its 'name'; remove one of them");
        }
    }

    /** What of {@code deploy} is no matter of the readers of resources and restarts. */
    private static void deploy(Section section) {
        Section deploy = section.section("deploy");
        var keys = new ContainerKeys(deploy, false);
        keys.refuse(REFUSED_OF_DEPLOY);
        var known = new LinkedHashSet<>(REFUSED_OF_DEPLOY.keySet());
        known.addAll(Set.of("resources", "restart_policy", "replicas", "mode"));
        deploy.checkKeys(known, Map.of());
        if (deploy.has("replicas") && !Long.valueOf(1).equals(deploy.at("replicas").value())) {
            deploy.at("replicas")
                    .error(
                            "a container runs once in each instance",
                            "set 'instances' of the instance group");
        }
        if (deploy.has("mode") && !"replicated".equals(deploy.at("mode").value())) {
            deploy.at("mode")
                    .error(
                            "'" + deploy.at("mode").string() + "' is a mode of Swarm",
                            "set 'instances' of the instance group");
        }
    }

    /**
     * What others wait for until it has ended must be allowed to end: unless it says otherwise, it
     * is started again only when it fails.
     */
    static ContainerSpec endingAs(ContainerSpec spec, List<ContainerSpec> all) {
        boolean awaited =
                all.stream()
                        .flatMap(c -> c.order().dependsOn().stream())
                        .anyMatch(d ->
                                d.container().equals(spec.name())
                                        && d.condition() == Dependency.Condition.COMPLETED);
        return awaited && spec.order().restart().equals(Restart.DEFAULT)
                ? spec.restartedBy(new Restart(Restart.Policy.ON_FAILURE, 0))
                : spec;
    }

    private static Set<String> words(String text) {
        return Set.of(text.split(" "));
    }

    private static Map<String, String> refused() {
        var refused = new LinkedHashMap<String, String>();
        refused.put("scale", "set 'instances' of the instance group");
        refused.put("extends", "use a YAML anchor");
        refused.put("label_file", "write its lines as 'labels'");
        refused.put("use_api_socket", "a container with the Docker socket is root of its VM");
        for (String key : List.of("attach", "develop", "provider", "models")) {
            refused.put(key, "it has no meaning on a server");
        }
        for (String key : List.of("isolation", "credential_spec", "cpu_count", "cpu_percent")) {
            refused.put(key, "it is of Windows");
        }
        return refused;
    }
}
