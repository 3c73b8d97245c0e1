package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * {@code /cloud_configs}, {@code /runtime_configs} and {@code /cpi_configs}: the older face of the
 * same configs, which {@code update-cloud-config} and its kin still use.
 */
final class NamedConfigsApi {
    private static final String DEFAULT = "default";

    private final Store store;
    private final Clock clock;
    private final AuditTrail trail;

    NamedConfigsApi(Store store, Clock clock, AuditTrail trail) {
        this.store = store;
        this.clock = clock;
        this.trail = trail;
    }

    void addTo(Router router) {
        for (String type : List.of("cloud", "runtime", "cpi")) {
            String path = "/" + type + "_configs";
            Access look = type.equals("cpi") ? Access.ADMIN : Access.READ;
            router.get(path, look, call -> list(call, type));
            router.on("POST", path, "text/yaml", Access.ADMIN, call -> save(call, type));
            router.on("POST", path + "/diff", "text/yaml", Access.ADMIN, call -> diff(call, type));
        }
    }

    private static String name(Call call, String type) {
        String name = Objects.requireNonNullElse(call.query("name"), "");
        return type.equals("cpi") || name.isEmpty() ? DEFAULT : name;
    }

    private Reply list(Call call, String type) {
        String limit = call.query("limit");
        if (limit == null || limit.isEmpty()) {
            return Reply.text(400, "limit is required");
        }
        if (!limit.matches("\\d{1,9}")) {
            return Reply.text(400, "limit is invalid: '" + limit + "' is not an integer");
        }
        int most = Integer.parseInt(limit);
        List<Rows.Config> configs =
                most < 1
                        ? List.of()
                        : store.read(s -> s.configs(type, name(call, type), false, most));
        return Reply.json(
                configs.stream()
                        .map(config ->
                                Json.of(
                                        "properties",
                                        config.content(),
                                        "created_at",
                                        Times.utc(config.createdAt())))
                        .toList());
    }

    private Reply save(Call call, String type) throws IOException {
        String text = call.text();
        mapping(text);
        String name = name(call, type);
        store.write(s -> s.saveConfig(type, name, text, clock.now()));
        trail.record(AuditTrail.Entry.of(call.userName(), "update", type + "-config", name));
        return new Reply.Empty(201);
    }

    private Reply diff(Call call, String type) throws IOException {
        boolean redact = !type.equals("cloud") && !"false".equals(call.query("redact"));
        YamlDocument after = mapping(call.text());
        try {
            String before =
                    ConfigsApi.current(store, type, name(call, type))
                            .map(Rows.Config::content)
                            .orElse("{}");
            return Reply.json(Json.of("diff", Diffs.of(mapping(before), after, redact)));
        } catch (RuntimeException e) {
            return Reply.json(
                    Json.of(
                            "diff",
                            List.of(),
                            "error",
                            "Unable to diff the config: " + Failures.message(e)));
        }
    }

    /** A text that must be a YAML mapping, else problem 440001. */
    static YamlDocument mapping(String text) {
        if (text.isBlank()) {
            throw new ProblemException(440001, "Manifest should not be empty");
        }
        YamlDocument document = YamlDocument.parse(text);
        if (!(document.root() instanceof Map<?, ?>)) {
            throw new ProblemException(440001, "Manifest should be a hash");
        }
        return document;
    }
}
