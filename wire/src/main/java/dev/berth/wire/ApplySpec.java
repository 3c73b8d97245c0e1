package dev.berth.wire;

import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an instance should run, as {@code apply} and {@code prepare} carry it. Berth's own key is
 * {@code containers}; a stock agent ignores it, and ours ignores job and package keys until BOSH
 * releases are built.
 *
 * @param group the instance group, {@code name} on the wire and also {@code job.name}
 * @param networks network name to settings hash, kept verbatim
 * @param containers null in the first, partial apply after a VM was created: nothing is installed
 * @param configurationHash digest over the containers; empty: there is nothing to install
 * @param persistentDiskMb size of the managed disk; 0: none
 * @param daemon what is wanted of the Docker daemon; counts only together with containers
 */
public record ApplySpec(
        String deployment,
        String group,
        InstanceId id,
        int index,
        @Nullable String az,
        Map<String, Object> networks,
        @Nullable List<ContainerSpec> containers,
        String configurationHash,
        long persistentDiskMb,
        DaemonSettings daemon) {
    public Map<String, Object> toTree() {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("deployment", deployment);
        tree.put("name", group);
        tree.put("job", Json.of("name", group, "templates", List.of()));
        tree.put("id", id.value());
        tree.put("index", index);
        if (az != null) {
            tree.put("az", az);
        }
        tree.put("networks", networks);
        if (containers != null) {
            tree.put("packages", Map.of());
            tree.put("containers", containers.stream().map(ContainerSpec::toTree).toList());
            tree.put("configuration_hash", configurationHash);
            tree.put("persistent_disk", persistentDiskMb);
            if (!daemon.isEmpty()) {
                tree.put("daemon", daemon.toTree());
            }
        }
        return tree;
    }

    public static ApplySpec fromTree(Object tree) {
        Fields f = Fields.of(tree, "apply spec");
        return new ApplySpec(
                f.string("deployment", ""),
                f.string("name", f.object("job").string("name", "")),
                new InstanceId(f.string("id")),
                (int) f.integer("index", 0),
                f.optionalString("az"),
                f.object("networks").tree(),
                f.has("containers")
                        ? f.list("containers").stream().map(ContainerSpec::fromTree).toList()
                        : null,
                f.string("configuration_hash", ""),
                f.integer("persistent_disk", 0),
                DaemonSettings.fromTree(f.object("daemon").tree()));
    }
}
