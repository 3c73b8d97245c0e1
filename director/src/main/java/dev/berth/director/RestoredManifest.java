package dev.berth.director;

import dev.berth.model.BackupHooks;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.YamlDocument;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The manifest of a backup, for another deployment. */
final class RestoredManifest {
    private RestoredManifest() {}

    /** The same under another name. */
    static String named(String manifest, String name) {
        var tree = new LinkedHashMap<>(YamlDocument.parse(manifest).tree());
        tree.put("name", name);
        return YamlDocument.of(tree).text();
    }

    /**
     * Only groups with disks, on addresses that are free, publishing nothing; containers only where
     * they say how they prove their data.
     */
    static String forTrial(String manifest, String name) {
        var tree = new LinkedHashMap<>(YamlDocument.parse(manifest).tree());
        tree.put("name", name);
        tree.remove("x-berth");
        var groups = new ArrayList<Object>();
        for (Fields group : Fields.of(tree, "manifest").objects("instance_groups")) {
            if (group.has("persistent_disk")
                    || group.has("persistent_disk_type")
                    || group.has("persistent_disks")) {
                groups.add(trial(group, manifest));
            }
        }
        tree.put("instance_groups", groups);
        return YamlDocument.of(tree).text();
    }

    private static Map<String, Object> trial(Fields group, String manifest) {
        var tree = new LinkedHashMap<>(group.tree());
        tree.remove("migrated_from");
        var networks = new ArrayList<Object>();
        for (Fields network : group.objects("networks")) {
            var copy = new LinkedHashMap<>(network.tree());
            copy.remove("static_ips");
            networks.add(copy);
        }
        tree.put("networks", networks);
        boolean proves =
                BackupHookRun.ofGroup(manifest, group.string("name")).values().stream()
                        .map(BackupHooks::verify)
                        .anyMatch(v -> v != null);
        if (!proves) {
            tree.remove("jobs");
            tree.put("containers", List.of());
            return tree;
        }
        if (group.has("containers")) {
            tree.put(
                    "containers",
                    group.objects("containers").stream()
                            .map(RestoredManifest::unpublished)
                            .toList());
        }
        return tree;
    }

    private static Map<String, Object> unpublished(Fields container) {
        Map<String, Object> copy = Json.asObject(new LinkedHashMap<>(container.tree()));
        copy.remove("ports");
        return copy;
    }
}
