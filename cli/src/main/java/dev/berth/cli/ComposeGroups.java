package dev.berth.cli;

import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.model.YamlText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Instance groups with {@code compose: FILE}: the file's services become the group's containers
 * before the manifest leaves this machine, since the director has none of its files. What the group
 * says itself wins over the file: a container of the same name key by key, a secret or config of
 * the same name as a whole.
 */
final class ComposeGroups {
    private static final String KEY = "compose";

    private final Path folder;
    private final Map<String, String> env;
    private final Consumer<String> warn;

    /**
     * @param folder that paths of Compose files are relative to
     */
    ComposeGroups(Path folder, Map<String, String> env, Consumer<String> warn) {
        this.folder = folder;
        this.env = env;
        this.warn = warn;
    }

    /** The manifest; as it was, to the letter, where no group has a Compose file. */
    String applied(String manifest) {
        // Most have none: their errors keep their lines and are the director's to tell.
        if (!manifest.contains(KEY)) {
            return manifest;
        }
        Object root;
        try {
            root = YamlDocument.asWritten(manifest);
        } catch (ProblemException e) {
            return manifest;
        }
        if (!(root instanceof Map<?, ?> map)
                || !(map.get("instance_groups") instanceof List<?> groups)
                || groups.stream().noneMatch(g -> g instanceof Map<?, ?> m && m.containsKey(KEY))) {
            return manifest;
        }
        var copy = new LinkedHashMap<>(Json.asObject(root));
        var resolved = new ArrayList<Object>();
        for (Object group : groups) {
            resolved.add(
                    group instanceof Map<?, ?> m && m.containsKey(KEY)
                            ? inlined(Json.asObject(group))
                            : group);
        }
        copy.put("instance_groups", resolved);
        return YamlText.write(copy);
    }

    private Map<String, Object> inlined(Map<String, Object> group) {
        var copy = new LinkedHashMap<>(group);
        if (!(copy.remove(KEY) instanceof String file) || file.isBlank()) {
            throw new CliException(
                    "instance group '" + group.get("name") + "': 'compose' is to name a file");
        }
        var compose =
                new ComposeFile(
                        folder.resolve(file),
                        env,
                        warn,
                        Map.of("secrets", own(group, "secrets"), "configs", own(group, "configs")));
        copy.put("containers", merged(compose.containers(), group.get("containers")));
        for (String key : List.of("secrets", "configs")) {
            Map<String, Object> all = new LinkedHashMap<>(compose.files(key));
            all.putAll(own(group, key));
            if (!all.isEmpty()) {
                copy.put(key, all);
            }
        }
        return copy;
    }

    private static Map<String, Object> own(Map<String, Object> group, String key) {
        return group.get(key) instanceof Map<?, ?> map ? Json.asObject(map) : Map.of();
    }

    /** The group's own keys come over the service's of the same name; others are added. */
    private static List<Object> merged(List<Map<String, Object>> services, @Nullable Object own) {
        var byName = new LinkedHashMap<Object, Map<String, Object>>();
        services.forEach(s -> byName.put(s.getOrDefault("name", ""), s));
        var rest = new ArrayList<Object>();
        for (Object item : own instanceof List<?> list ? list : List.of()) {
            Map<String, Object> service =
                    item instanceof Map<?, ?> map ? byName.get(map.get("name")) : null;
            if (service != null) {
                service.putAll(Json.asObject(item));
            } else {
                rest.add(item);
            }
        }
        var all = new ArrayList<Object>(byName.values());
        all.addAll(rest);
        return all;
    }
}
