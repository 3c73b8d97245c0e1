package dev.berth.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the manifest defines under {@code secrets} and {@code configs}: contents by name. Those of
 * an instance group come over those of the whole manifest.
 */
record FileDefinitions(Map<String, Secret> secrets, Map<String, Secret> configs) {
    static final FileDefinitions NONE = new FileDefinitions(Map.of(), Map.of());

    /** The engine has the same bound, and an apply message must stay a message. */
    private static final int MOST_CHARACTERS = 500 * 1024;

    private static final String REMEDY = "write it as content: ((variable))";
    private static final Map<String, String> ELSEWHERE =
            Map.of(
                    "file",
                    "there is no file beside a manifest; " + REMEDY,
                    "environment",
                    "there is no shell to take it from; " + REMEDY,
                    "external",
                    "there is no Swarm; " + REMEDY,
                    "name",
                    "it is known by its key",
                    "driver",
                    REMEDY,
                    "template_driver",
                    REMEDY);

    static FileDefinitions of(Section root, Section group) {
        return new FileDefinitions(all("secrets", root, group), all("configs", root, group));
    }

    private static Map<String, Secret> all(String key, Section root, Section group) {
        var all = new LinkedHashMap<String, Secret>();
        for (Section level : java.util.List.of(root, group)) {
            Section section = level.section(key);
            for (String name : section.tree().keySet()) {
                Secret content = content(section.at(name));
                all.put(name, content == null ? new Secret("") : content);
            }
        }
        return all;
    }

    private static @Nullable Secret content(Spot spot) {
        Spot content = spot;
        if (spot.isMap()) {
            var keys = new ContainerKeys(spot.section(), false);
            keys.refuse(ELSEWHERE);
            Set<String> known = new java.util.HashSet<>(ELSEWHERE.keySet());
            known.addAll(Set.of("content", "labels"));
            keys.section().checkKeys(known, Map.of());
            if (!keys.has("content")) {
                if (java.util.Collections.disjoint(
                        keys.section().tree().keySet(), ELSEWHERE.keySet())) {
                    spot.error("it has no content", REMEDY);
                }
                return null;
            }
            content = keys.at("content");
        }
        if (!content.isScalar()) {
            content.error("its content is no text", REMEDY);
            return null;
        }
        String text = content.text();
        if (text.length() > MOST_CHARACTERS) {
            content.error(
                    "its content is larger than 500 KiB", "put it into the image or on a volume");
            return null;
        }
        return new Secret(text);
    }

    /** The content of that name; null, and a problem, when nobody defines it. */
    @Nullable Secret content(String key, String name, Spot user) {
        Map<String, Secret> known = key.equals("secrets") ? secrets : configs;
        Secret content = known.get(name);
        if (content == null && !name.isEmpty()) {
            user.error(
                    "'" + name + "' is not defined under '" + key + "'",
                    Nearest.of(name, known.keySet())
                            .map(n -> "did you mean '" + n + "'?")
                            .orElse(
                                    "define it at the top or in the group: "
                                            + key
                                            + ": {"
                                            + name
                                            + ": {content: ((variable))}}"));
        }
        return content;
    }

    /** Names only (rule R8). */
    @Override
    public String toString() {
        return "FileDefinitions[" + secrets.keySet() + ", " + configs.keySet() + "]";
    }
}
