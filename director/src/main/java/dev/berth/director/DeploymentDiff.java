package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Compares what a deployment was deployed from with what it would be deployed from: each manifest
 * with its configs put into it and its {@code latest} versions resolved.
 */
final class DeploymentDiff {
    private final Store store;

    DeploymentDiff(Store store) {
        this.store = store;
    }

    /** Two-element arrays: text and {@code added}, {@code removed} or null. */
    List<Object> lines(
            String deployment, YamlDocument after, Map<String, Object> context, boolean redact) {
        Rows.Deployment row = store.read(s -> s.deployment(deployment)).orElse(null);
        Map<String, Object> was = row == null ? Map.of() : before(row);
        var will = new LinkedHashMap<>(after.tree());
        will.put("name", deployment);
        Map<String, Object> merged =
                withConfigs(will, Json.asList(context.get("cloud_config_ids")));
        resolve(merged, this::newestStemcell);
        return Diffs.of(YamlDocument.of(was), YamlDocument.of(merged), redact);
    }

    private Map<String, Object> before(Rows.Deployment row) {
        if (row.manifest() == null) {
            return Map.of();
        }
        Map<String, Object> manifest = YamlDocument.parse(row.manifest()).tree();
        Map<String, Object> merged = withConfigs(manifest, List.copyOf(row.cloudConfigIds()));
        resolve(merged, stemcell -> used(row, stemcell));
        return merged;
    }

    /** Keys of the cloud configs win over the manifest's; lists of several configs are joined. */
    private Map<String, Object> withConfigs(Map<String, Object> manifest, List<Object> ids) {
        var cloud = new LinkedHashMap<String, Object>();
        for (Object id : ids) {
            store.read(s -> s.config(((Number) id).longValue()))
                    .map(config -> YamlDocument.parseConfig(config.content(), config.type()).tree())
                    .ifPresent(tree ->
                            tree.forEach(
                                    (key, value) -> cloud.merge(key, value, DeploymentDiff::join)));
        }
        var merged = new LinkedHashMap<>(manifest);
        merged.putAll(cloud);
        return merged;
    }

    private static Object join(Object first, Object second) {
        if (first instanceof List<?> && second instanceof List<?>) {
            var all = new ArrayList<>(Json.asList(first));
            all.addAll(Json.asList(second));
            return all;
        }
        return second;
    }

    private static void resolve(
            Map<String, Object> merged, Function<Map<String, Object>, Rows.@Nullable Stemcell> to) {
        if (merged.get("stemcells") instanceof List<?> stemcells) {
            merged.put("stemcells", stemcells.stream().map(s -> resolved(s, to)).toList());
        }
        if (merged.get("releases") instanceof List<?> releases) {
            merged.put("releases", releases.stream().map(DeploymentDiff::release).toList());
        }
    }

    private static Object resolved(
            Object stemcell, Function<Map<String, Object>, Rows.@Nullable Stemcell> to) {
        if (!(stemcell instanceof Map<?, ?>)) {
            return stemcell;
        }
        var tree = new LinkedHashMap<>(Json.asObject(stemcell));
        Rows.Stemcell row = to.apply(tree);
        if (row != null) {
            tree.put("version", row.version());
            if (!tree.containsKey("name")) {
                tree.put("os", row.operatingSystem());
            }
        }
        return tree;
    }

    private static Object release(Object release) {
        if (release instanceof Map<?, ?> map
                && ReleasesApi.NAME.equals(map.get("name"))
                && "latest".equals(map.get("version"))) {
            var tree = new LinkedHashMap<>(Json.asObject(release));
            tree.put("version", ReleasesApi.VERSION);
            return tree;
        }
        return release;
    }

    private Rows.@Nullable Stemcell newestStemcell(Map<String, Object> wanted) {
        String version = String.valueOf(wanted.get("version"));
        if (!version.endsWith("latest")) {
            return null;
        }
        String line = version.substring(0, version.length() - "latest".length());
        return matching(wanted).stream()
                .filter(row -> row.version().startsWith(line))
                .max(Versions.ORDER)
                .orElse(null);
    }

    private Rows.@Nullable Stemcell used(Rows.Deployment deployment, Map<String, Object> wanted) {
        if (!String.valueOf(wanted.get("version")).endsWith("latest")) {
            return null;
        }
        return matching(wanted).stream()
                .filter(row -> deployment.stemcells().contains(row.name() + "/" + row.version()))
                .findFirst()
                .orElse(null);
    }

    private List<Rows.Stemcell> matching(Map<String, Object> wanted) {
        return store.read(s -> s.stemcells()).stream()
                .filter(row ->
                        row.name().equals(wanted.get("name"))
                                || row.operatingSystem().equals(wanted.get("os")))
                .toList();
    }
}
