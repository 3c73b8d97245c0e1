package dev.berth.model;

import dev.berth.model.InstanceGroup.Lifecycle;
import dev.berth.model.InstanceGroup.VmResources;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads one instance group. */
final class GroupReader {
    private static final Set<String> KEYS =
            Set.of(
                    "name",
                    "instances",
                    "azs",
                    "jobs",
                    "containers",
                    "docker",
                    "profiles",
                    "secrets",
                    "configs",
                    "vm_type",
                    "vm_resources",
                    "vm_extensions",
                    "stemcell",
                    "env",
                    "networks",
                    "persistent_disk",
                    "persistent_disk_type",
                    "persistent_disks",
                    "update",
                    "lifecycle",
                    "migrated_from",
                    "properties",
                    "tags",
                    "persistent_disk_pool",
                    "resource_pool",
                    "template",
                    "templates");
    private static final Map<String, String> IDLE =
            Map.of(
                    "state", "it is changed by start, stop and recreate",
                    "instance_states", "it is changed by start, stop and recreate");
    private static final int MOST_INSTANCES = 100_000;
    private static final int MOST_STATIC_IPS = 65_536;

    private final Section root;
    private final Section group;
    private final String name;
    private final List<String> stemcells;
    private final List<String> releases;

    GroupReader(Section root, Section group, List<String> stemcells, List<String> releases) {
        this.root = root;
        this.group = group;
        this.name = group.string("name");
        this.stemcells = stemcells;
        this.releases = releases;
    }

    InstanceGroup read(@Nullable UpdatePolicy inherited) {
        group.checkKeys(KEYS, IDLE);
        refuseOldKeys();
        List<JobRef> jobs = jobs();
        int instances = instances();
        List<String> azs = azs();
        return new InstanceGroup(
                name,
                group.path(),
                instances,
                azs,
                vmType(),
                vmResources(),
                group.strings("vm_extensions"),
                stemcell(),
                group.map("env"),
                networks(),
                GroupDisks.read(group, name),
                MigratedFrom.read(group, name, azs),
                UpdatePolicies.read(group.section("update"), inherited),
                lifecycle(),
                jobs,
                new GroupContainers(root, group, name).read(),
                Collections.unmodifiableMap(group.stringMap("tags")),
                new GroupDaemon(root, group, name).read(),
                DaemonSettings.NONE);
    }

    private String says(String what) {
        return "Instance group '" + name + "' " + what;
    }

    private void refuseOldKeys() {
        if (group.has("persistent_disk_pool")) {
            group.at("persistent_disk_pool")
                    .error(
                            140027,
                            "`persistent_disk_pool` is not supported as an `instance_groups` key."
                                    + " Please use `persistent_disk_type` instead.",
                            null);
        }
        if (group.has("resource_pool")) {
            group.at("resource_pool")
                    .error(
                            140025,
                            "Instance groups no longer support resource_pool, please use 'vm_type' or"
                                    + " 'vm_resources' keys",
                            null);
        }
        for (String key : List.of("template", "templates")) {
            if (group.has(key)) {
                group.at(key)
                        .error(
                                140024,
                                says(
                                        "specifies template or templates. This is no longer"
                                                + " supported, please use jobs instead"),
                                null);
            }
        }
    }

    private int instances() {
        long instances = group.integer("instances");
        if (instances < 0) {
            group.at("instances")
                    .error(
                            40002,
                            "'instances' value (%d) should be greater than 0".formatted(instances),
                            null);
        } else if (instances > MOST_INSTANCES) {
            group.at("instances")
                    .error(
                            40003,
                            "'instances' value (%d) should be less than %d"
                                    .formatted(instances, MOST_INSTANCES),
                            null);
        }
        return (int) Math.clamp(instances, 0, MOST_INSTANCES);
    }

    private List<String> azs() {
        if (!group.has("azs")) {
            return List.of();
        }
        var azs = new ArrayList<String>();
        for (Spot az : group.items("azs")) {
            if (az.value() instanceof String zone) {
                azs.add(zone);
            } else {
                az.error(
                        140016,
                        says(
                                "has invalid availability zone '%s', string expected"
                                        .formatted(Inspect.of(az.value()))),
                        null);
            }
        }
        if (group.at("azs").value() instanceof List<?> list && list.isEmpty()) {
            group.at("azs").error(140017, says("has empty availability zones"), null);
        }
        return List.copyOf(azs);
    }

    private @Nullable String vmType() {
        boolean type = group.has("vm_type");
        boolean resources = group.has("vm_resources");
        if (!type && !resources && !group.has("resource_pool")) {
            group.spot()
                    .error(
                            140022,
                            says("is missing either 'vm_type' or 'vm_resources' section."),
                            null);
        } else if (type && resources) {
            group.at("vm_resources")
                    .error(
                            140022,
                            says("can only specify 'vm_type' or 'vm_resources' keys."),
                            null);
        }
        return group.optionalString("vm_type");
    }

    private @Nullable VmResources vmResources() {
        if (!group.has("vm_resources")) {
            return null;
        }
        Section resources = group.section("vm_resources");
        resources.checkKeys(Set.of("cpu", "ram", "ephemeral_disk_size"), Map.of());
        return new VmResources(
                resource(resources, "cpu"),
                resource(resources, "ram"),
                resource(resources, "ephemeral_disk_size"));
    }

    private static int resource(Section resources, String key) {
        return (int) Math.clamp(resources.integer(key), 0, Integer.MAX_VALUE);
    }

    private String stemcell() {
        String alias = group.string("stemcell");
        if (!alias.isEmpty() && !stemcells.contains(alias)) {
            group.at("stemcell")
                    .error(
                            140005,
                            says("references an unknown stemcell '" + alias + "'"),
                            Nearest.of(alias, stemcells)
                                    .map(s -> "did you mean '" + s + "'?")
                                    .orElse("known are: " + String.join(", ", stemcells)));
        }
        return alias;
    }

    private Lifecycle lifecycle() {
        return switch (group.optionalString("lifecycle")) {
            case null -> Lifecycle.SERVICE;
            case "service" -> Lifecycle.SERVICE;
            case "errand" -> Lifecycle.ERRAND;
            case String other -> {
                group.at("lifecycle")
                        .error(
                                140011,
                                "Invalid lifecycle '%s' for '%s', valid lifecycle profiles are: service, errand"
                                        .formatted(other, name),
                                null);
                yield Lifecycle.SERVICE;
            }
        };
    }

    private List<GroupNetwork> networks() {
        var networks = new ArrayList<GroupNetwork>();
        for (Section network : group.sections("networks")) {
            network.checkKeys(
                    Set.of("name", "static_ips", "default"),
                    Map.of("nic_group", "every network has an interface of its own"));
            networks.add(
                    new GroupNetwork(
                            network.string("name"), staticIps(network), defaults(network)));
        }
        if (networks.isEmpty()) {
            group.at("networks").error(140009, says("must specify at least one network"), null);
            return List.of();
        }
        if (networks.size() == 1) {
            var uses = new TreeSet<>(networks.getFirst().defaults());
            uses.addAll(List.of("dns", "gateway"));
            GroupNetwork only = networks.getFirst();
            return List.of(new GroupNetwork(only.name(), only.staticIps(), uses));
        }
        checkDefaults(networks);
        return List.copyOf(networks);
    }

    private void checkDefaults(List<GroupNetwork> networks) {
        var missing = new ArrayList<String>();
        for (String use : List.of("dns", "gateway", "addressable")) {
            List<String> holders =
                    networks.stream()
                            .filter(n -> n.defaults().contains(use))
                            .map(n -> "'" + n.name() + "'")
                            .toList();
            if (holders.isEmpty() && !use.equals("addressable")) {
                missing.add(use);
            } else if (holders.size() > 1) {
                group.at("networks")
                        .error(
                                150004,
                                says(
                                        "specified more than one network to contain default. '%s' has default networks: %s."
                                                .formatted(use, String.join(", ", holders))),
                                null);
            }
        }
        if (!missing.isEmpty()) {
            group.at("networks")
                    .error(
                            150005,
                            says(
                                    "must specify which network is default for "
                                            + String.join(", ", missing)
                                            + ", since it has more than one network configured"),
                            null);
        }
    }

    private List<IpAddress> staticIps(Section network) {
        var ips = new ArrayList<IpAddress>();
        var seen = new HashSet<IpAddress>();
        NetworkReader.ranges(network, "static_ips")
                .forEach((range, spot) -> {
                    for (IpAddress ip : range.addresses(MOST_STATIC_IPS - ips.size())) {
                        if (!seen.add(ip)) {
                            spot.error(
                                    150009,
                                    says("specifies static IP '%s' more than once".formatted(ip)),
                                    null);
                        }
                        ips.add(ip);
                    }
                });
        return List.copyOf(ips);
    }

    private Set<String> defaults(Section network) {
        var defaults = new TreeSet<String>();
        for (Spot use : network.items("default")) {
            if (!Set.of("dns", "gateway", "addressable").contains(use.string())) {
                use.error(
                        150003,
                        says(
                                "specified an invalid default network property '%s', valid properties are: dns, gateway"
                                        .formatted(use.string())),
                        null);
            }
            defaults.add(use.string());
        }
        return Collections.unmodifiableSet(defaults);
    }

    // --- jobs and containers

    private List<JobRef> jobs() {
        if (!group.has("jobs") && !group.has("containers")) {
            group.spot()
                    .error(
                            40001,
                            says("does not specify jobs key"),
                            "give it 'containers', or 'jobs'");
        }
        var jobs = new ArrayList<JobRef>();
        var names = new HashSet<String>();
        for (Section job : group.sections("jobs")) {
            job.checkKeys(
                    Set.of("name", "release", "properties"),
                    Map.of(
                            "provides", "the docker release's jobs have no links",
                            "consumes", "the docker release's jobs have no links",
                            "custom_provider_definitions",
                                    "the docker release's jobs have no links"));
            String jobName = job.string("name");
            if (!jobName.isEmpty() && !names.add(jobName)) {
                job.at("name")
                        .error(
                                140010,
                                "Colocated job '%s' is already added to the instance group '%s'."
                                        .formatted(jobName, name),
                                null);
            }
            checkJob(job, jobName, job.string("release"));
            jobs.add(new JobRef(jobName, job.string("release"), properties(job)));
        }
        return List.copyOf(jobs);
    }

    private void checkJob(Section job, String jobName, String release) {
        if (release.isEmpty() || jobName.isEmpty()) {
            return;
        }
        if (!release.equals(ReleaseRef.DOCKER)) {
            if (!releases.contains(release)) {
                job.at("release")
                        .error(
                                140002,
                                "Job '%s' (instance group '%s') references an unknown release '%s'"
                                        .formatted(jobName, name, release),
                                null);
            }
            return; // the release itself is refused where it is listed
        }
        switch (jobName) {
            case "containers", "docker" -> {}
            case "swarm-agent", "swarm-manager", "flannel", "fetch-containers-images" ->
                    job.at("name")
                            .error(
                                    "Job '" + jobName + "' of the docker release is not supported",
                                    "Berth spreads containers over VMs by instance groups");
            default ->
                    job.at("name")
                            .error(
                                    140029,
                                    "Job '%s' not found in release 'docker'".formatted(jobName),
                                    "it has 'docker' and 'containers'");
        }
    }

    /** The job's own properties, or else the global ones under the group's. */
    private Map<String, Object> properties(Section job) {
        if (job.has("properties")) {
            return job.map("properties");
        }
        return merged(root.map("properties"), group.map("properties"));
    }

    private static Map<String, Object> merged(Map<String, Object> under, Map<String, Object> over) {
        var merged = new LinkedHashMap<>(under);
        over.forEach((key, value) -> {
            if (merged.get(key) instanceof Map<?, ?> before && value instanceof Map<?, ?> after) {
                merged.put(key, merged(Json.asObject(before), Json.asObject(after)));
            } else {
                merged.put(key, value);
            }
        });
        return Collections.unmodifiableMap(merged);
    }
}
