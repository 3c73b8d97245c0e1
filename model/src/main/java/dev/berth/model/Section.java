package dev.berth.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An object of a document under reading. Each miss becomes a problem with its place, in BOSH's
 * words, and reading goes on with a harmless value, so that all problems of a document are found in
 * one go. A null value is an absent one.
 */
record Section(Map<String, Object> tree, Spot spot) {
    static Section root(YamlDocument document, Findings findings) {
        return new Spot(document.root(), "", document.mark(), findings).section();
    }

    Findings findings() {
        return spot.findings();
    }

    String path() {
        return spot.path();
    }

    boolean has(String key) {
        return tree.get(key) != null;
    }

    /** The value under a key, absent ones included. */
    Spot at(String key) {
        String path = spot.path().isEmpty() ? key : spot.path() + "." + key;
        return new Spot(tree.get(key), path, spot.mark().key(key), findings());
    }

    private boolean missing(String key) {
        if (has(key)) {
            return false;
        }
        spot.error(
                40001,
                "Required property '%s' was not specified in object (%s)"
                        .formatted(key, Inspect.of(tree)),
                null);
        return true;
    }

    String string(String key) {
        return missing(key) ? "" : at(key).string();
    }

    @Nullable String optionalString(String key) {
        return has(key) ? at(key).string() : null;
    }

    long integer(String key) {
        return missing(key) ? 0 : at(key).integer();
    }

    @Nullable Long optionalInteger(String key) {
        return has(key) ? at(key).integer() : null;
    }

    boolean flag(String key, boolean otherwise) {
        return has(key) ? at(key).flag() : otherwise;
    }

    /** The object under a key; empty when absent. */
    Section section(String key) {
        return has(key) ? at(key).section() : new Section(Map.of(), at(key));
    }

    /** The tree under a key, which must be an object; empty when absent. */
    Map<String, Object> map(String key) {
        return section(key).tree();
    }

    /** The elements under a key; none when absent. */
    List<Spot> items(String key) {
        return has(key) ? at(key).items() : List.of();
    }

    List<Section> sections(String key) {
        var sections = new ArrayList<Section>();
        for (Spot item : items(key)) {
            if (item.isMap()) {
                sections.add(item.section());
            } else {
                item.error(
                        40000,
                        "Object (%s) did not match the required type 'Hash'"
                                .formatted(Inspect.at(item.path(), item.value())),
                        null);
            }
        }
        return sections;
    }

    List<String> strings(String key) {
        return items(key).stream().map(Spot::string).toList();
    }

    /** The object under a key as text values; numbers and booleans as written. */
    Map<String, String> stringMap(String key) {
        var result = new LinkedHashMap<String, String>();
        Section section = section(key);
        for (String name : section.tree().keySet()) {
            Spot value = section.at(name);
            if (value.isScalar()) {
                result.put(name, value.text());
            } else {
                value.wrongType("String");
            }
        }
        return result;
    }

    /**
     * Reports keys that are neither known nor begin with {@code x-}, naming the nearest known one;
     * keys without effect get a warning.
     *
     * @param idle known keys that do nothing here, each with the reason
     */
    void checkKeys(Set<String> known, Map<String, String> idle) {
        for (String key : tree.keySet()) {
            if (known.contains(key) || key.startsWith("x-")) {
                continue;
            }
            String reason = idle.get(key);
            if (reason != null) {
                if (has(key)) {
                    at(key).warning("'" + key + "' has no effect: " + reason, null);
                }
                continue;
            }
            var all = new ArrayList<>(known);
            all.addAll(idle.keySet());
            at(key).error(
                            "Unknown key '" + key + "'",
                            Nearest.of(key, all)
                                    .map(k -> "did you mean '" + k + "'?")
                                    .orElse("remove it, or prefix it with 'x-' to keep a note"));
        }
    }
}
