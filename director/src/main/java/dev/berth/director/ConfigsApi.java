package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code /configs}: versioned texts by type and name. */
final class ConfigsApi {
    private static final String NAME = "[-0-9A-Za-z_+.]{1,200}";

    private final Store store;
    private final Clock clock;
    private final AuditTrail trail;

    ConfigsApi(Store store, Clock clock, AuditTrail trail) {
        this.store = store;
        this.clock = clock;
        this.trail = trail;
    }

    /** What else has to hold for a type of configs, and who has to know when one was changed. */
    interface Care {
        void check(String name, String yaml);

        default void changed() {}
    }

    private final Map<String, Care> cares = new HashMap<>();

    /** Before {@link #addTo}. */
    ConfigsApi with(String type, Care care) {
        cares.put(type, care);
        return this;
    }

    private void changed(String type) {
        Care care = cares.get(type);
        if (care != null) {
            care.changed();
        }
    }

    void addTo(Router router) {
        router.get("/configs", Access.READ, this::list);
        router.get("/configs/{id}", Access.READ, this::show);
        router.on("POST", "/configs", "application/json", Access.ADMIN, this::save);
        router.on("POST", "/configs/diff", "application/json", Access.READ, this::diff);
        router.delete("/configs", Access.ADMIN, this::deleteAll);
        router.delete("/configs/{id}", Access.ADMIN, this::deleteOne);
    }

    private Reply list(Call call) {
        String latest = call.query("latest");
        if (latest != null && !latest.equals("true") && !latest.equals("false")) {
            throw bad("'latest' must be 'true' or 'false'");
        }
        boolean all = "false".equals(latest);
        int limit = limit(call.query("limit"), all ? Integer.MAX_VALUE : 1);
        return Reply.json(
                store.read(s ->
                        s
                                .configs(
                                        blankAsNull(call.query("type")),
                                        blankAsNull(call.query("name")),
                                        limit == 1,
                                        limit)
                                .stream()
                                .map(config -> json(config, current(s, config)))
                                .toList()));
    }

    private static int limit(@Nullable String text, int otherwise) {
        if (text == null) {
            return otherwise;
        }
        if (!text.matches("\\d{1,9}") || Integer.parseInt(text) < 1) {
            throw bad("'limit' must be a number of at least 1");
        }
        return Integer.parseInt(text);
    }

    private static @Nullable String blankAsNull(@Nullable String text) {
        return text == null || text.isEmpty() ? null : text;
    }

    private static boolean current(StoreSession session, Rows.Config config) {
        return session.configs(config.type(), config.name(), true, 1).stream()
                .anyMatch(row -> row.id() == config.id());
    }

    static Optional<Rows.Config> current(Store store, String type, String name) {
        return store.read(s -> s.configs(type, name, true, 1)).stream().findFirst();
    }

    private static Map<String, Object> json(Rows.Config config, boolean current) {
        return Json.of(
                "id",
                Long.toString(config.id()),
                "type",
                config.type(),
                "name",
                config.name(),
                "team",
                null,
                "created_at",
                Times.utc(config.createdAt()),
                "content",
                config.content(),
                "current",
                current);
    }

    private Rows.Config find(String id) {
        Optional<Rows.Config> config =
                id.matches("\\d{1,18}")
                        ? store.read(s -> s.config(Long.parseLong(id)))
                        : Optional.empty();
        return config.filter(row -> !row.deleted())
                .orElseThrow(() -> new ProblemException(440012, "Config " + id + " not found"));
    }

    private Reply show(Call call) {
        Rows.Config config = find(call.parameter("id"));
        return Reply.json(store.read(s -> json(config, current(s, config))));
    }

    private Reply save(Call call) throws IOException {
        Fields body = object(call);
        String type = text(body, "type");
        String name = text(body, "name");
        if (!type.matches(NAME) || !name.matches(NAME)) {
            throw bad("'type' and 'name' may hold letters, digits and -_+. only");
        }
        Object content = body.tree().get("content");
        if (!(content instanceof String yaml)) {
            throw bad("'content' is required and must be text");
        }
        requireMapping(YamlDocument.parseConfig(yaml, type));
        Care care = cares.get(type);
        if (care != null) {
            care.check(name, yaml);
        }
        String expected = body.has("expected_latest_id") ? body.string("expected_latest_id") : null;
        Reply reply =
                store.write(s -> {
                    String latest =
                            s.configs(type, name, true, 1).stream()
                                    .findFirst()
                                    .map(row -> Long.toString(row.id()))
                                    .orElse("0");
                    if (expected != null && !expected.equals(latest)) {
                        return conflict(latest, expected);
                    }
                    Rows.Config saved = s.saveConfig(type, name, yaml, clock.now());
                    return Reply.json(201, json(saved, true));
                });
        changed(type);
        return reply;
    }

    private static Reply conflict(String latest, String expected) {
        return Reply.json(
                412,
                Json.of(
                        "latest_id",
                        latest,
                        "expected_latest_id",
                        expected,
                        "description",
                        "Latest Id: '"
                                + latest
                                + "' does not match expected latest id: '"
                                + expected
                                + "'"));
    }

    private static Fields object(Call call) throws IOException {
        Object tree;
        try {
            tree = Json.parse(call.text());
        } catch (IllegalArgumentException e) {
            throw new ProblemException(710001, "Invalid JSON request body: " + e.getMessage());
        }
        if (!(tree instanceof Map<?, ?>)) {
            throw bad("JSON object expected as the body");
        }
        return Fields.of(tree, "body");
    }

    private static String text(Fields body, String key) {
        if (!(body.tree().get(key) instanceof String text) || text.isEmpty()) {
            throw bad("'" + key + "' is required and must be text");
        }
        return text;
    }

    private static void requireMapping(YamlDocument document) {
        if (!(document.root() instanceof Map<?, ?>)) {
            throw new ProblemException(440011, "YAML hash expected as the content");
        }
    }

    private static ProblemException bad(String message) {
        return new ProblemException(440010, message);
    }

    private Reply diff(Call call) throws IOException {
        Fields body = object(call);
        try {
            if (body.has("from") && body.has("to")) {
                return Reply.json(
                        Json.of(
                                "diff",
                                Diffs.of(
                                        side(body.object("from")), side(body.object("to")), true)));
            }
            String type = text(body, "type");
            Optional<Rows.Config> from = current(store, type, text(body, "name"));
            YamlDocument after = parsed(text(body, "content"), type);
            YamlDocument before = parsed(from.map(Rows.Config::content).orElse("{}"), type);
            return Reply.json(
                    Json.of(
                            "diff",
                            Diffs.of(before, after, true),
                            "from",
                            Json.of("id", from.map(c -> Long.toString(c.id())).orElse("0"))));
        } catch (ProblemException e) {
            if (e.code() != 440011) {
                throw e;
            }
            return Reply.json(
                    400, Json.of("diff", List.of(), "error", "Unable to diff: " + e.getMessage()));
        }
    }

    /** A side of a comparison: {@code {"id": ...}} wins over {@code {"content": ...}}. */
    private YamlDocument side(Fields side) {
        String id = side.string("id", "");
        if (!id.isEmpty()) {
            Rows.Config config = find(id);
            return parsed(config.content(), config.type());
        }
        if (!(side.tree().get("content") instanceof String content)) {
            throw bad("'from' and 'to' need an 'id' or a 'content'");
        }
        return parsed(content, "given");
    }

    private static YamlDocument parsed(String text, String type) {
        YamlDocument document = YamlDocument.parseConfig(text, type);
        requireMapping(document);
        return document;
    }

    private Reply deleteAll(Call call) {
        String type = call.query("type");
        String name = call.query("name");
        if (type == null || type.isEmpty() || name == null || name.isEmpty()) {
            throw bad("'type' and 'name' are required");
        }
        boolean any = store.write(s -> s.deleteConfigs(type, name)) > 0;
        if (any) {
            trail.record(AuditTrail.Entry.of(call.userName(), "delete", "config/" + type, name));
            changed(type);
        }
        return new Reply.Empty(any ? 204 : 404);
    }

    private Reply deleteOne(Call call) {
        Rows.Config config = find(call.parameter("id"));
        store.write(s -> s.deleteConfig(config.id()));
        trail.record(
                AuditTrail.Entry.of(
                        call.userName(), "delete", "config/" + config.type(), config.name()));
        changed(config.type());
        return new Reply.Empty(204);
    }
}
