package dev.berth.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A group of former deploys whose instances, with VMs, disks and addresses, a group takes over.
 *
 * @param group the former name
 * @param az where instances of it live of which no zone is recorded; null: recorded, or no zones
 */
public record MigratedFrom(String group, @Nullable String az) {
    private static final int WRONG = 190018;

    static List<MigratedFrom> read(Section group, String name, List<String> azs) {
        var all = new ArrayList<MigratedFrom>();
        for (Section entry : group.sections("migrated_from")) {
            entry.checkKeys(Set.of("name", "az"), Map.of());
            var from = new MigratedFrom(entry.string("name"), entry.optionalString("az"));
            String az = from.az();
            if (az != null && !azs.contains(az)) {
                entry.at("az")
                        .error(
                                WRONG,
                                ("Instance group '%s' specified for migration to instance group"
                                                + " '%s' refers to availability zone '%s'. Az '%s' is"
                                                + " not in the list of availability zones of"
                                                + " instance group '%s'.")
                                        .formatted(from.group(), name, az, az, name),
                                null);
            }
            all.add(from);
        }
        return List.copyOf(all);
    }

    /** What only the groups together show. */
    static void check(DeploymentManifest manifest, Findings findings) {
        List<InstanceGroup> groups = manifest.instanceGroups();
        var taken = new HashMap<String, String>();
        for (InstanceGroup group : groups) {
            for (MigratedFrom from : group.migratedFrom()) {
                String says =
                        "Failed to migrate instance group '%s' to '%s'. "
                                .formatted(from.group(), group.name());
                String place = manifest.source().place(group.place() + ".migrated_from");
                boolean still =
                        !from.group().equals(group.name())
                                && groups.stream().anyMatch(g -> g.name().equals(from.group()));
                if (still) {
                    findings.error(
                            WRONG,
                            place,
                            says
                                    + "A deployment can not migrate an instance group and also"
                                    + " specify it. Please remove instance group '"
                                    + from.group()
                                    + "'.",
                            null);
                }
                String other = taken.putIfAbsent(from.group(), group.name());
                if (other != null && !other.equals(group.name())) {
                    findings.error(
                            WRONG,
                            place,
                            says + "An instance group may be migrated to only one instance group.",
                            null);
                }
            }
        }
    }
}
