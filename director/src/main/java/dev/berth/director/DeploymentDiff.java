package dev.berth.director;

import dev.berth.model.CloudConfigs;
import dev.berth.model.DiffLine;
import dev.berth.model.Json;
import dev.berth.model.ManifestDiff;
import dev.berth.model.StemcellRef;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares what a deployment was deployed from with what it would be deployed from: each manifest
 * with its cloud configs put into it and its {@code latest} stemcells resolved, once to those in
 * use and once to the newest.
 */
final class DeploymentDiff {
    private final Store store;

    DeploymentDiff(Store store) {
        this.store = store;
    }

    /** Two-element arrays: text and {@code added}, {@code removed} or null. */
    List<List<Object>> lines(
            String deployment, YamlDocument after, Map<String, Object> context, boolean redact) {
        Optional<Rows.Deployment> row = store.read(s -> s.deployment(deployment));
        var named = new LinkedHashMap<>(after.tree());
        named.put("name", deployment);
        List<Long> ids =
                Json.asList(context.get("cloud_config_ids")).stream()
                        .map(id -> ((Number) id).longValue())
                        .toList();
        Map<String, Object> will =
                ManifestDiff.merged(YamlDocument.of(named), cloud(ids), available(List.of()));
        Map<String, Object> was = row.map(this::before).orElse(Map.of());
        return ManifestDiff.between(was, will, redact).stream().map(DiffLine::toTree).toList();
    }

    private Map<String, Object> before(Rows.Deployment row) {
        return row.manifest() == null
                ? Map.of()
                : ManifestDiff.merged(
                        YamlDocument.parse(row.manifest()),
                        cloud(row.cloudConfigIds()),
                        available(row.stemcells()));
    }

    private YamlDocument cloud(List<Long> ids) {
        return CloudConfigs.merged(
                ids.stream()
                        .flatMap(id -> store.read(s -> s.config(id)).stream())
                        .map(row -> YamlDocument.parseConfig(row.content(), row.type()))
                        .toList());
    }

    /**
     * @param only {@code name/version}; empty: all
     */
    private List<StemcellRef.Available> available(List<String> only) {
        return store.read(s -> s.stemcells()).stream()
                .filter(s -> only.isEmpty() || only.contains(s.name() + "/" + s.version()))
                .map(s -> new StemcellRef.Available(s.name(), s.operatingSystem(), s.version()))
                .toList();
    }
}
