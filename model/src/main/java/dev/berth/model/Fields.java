package dev.berth.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Typed reading of a tree that came from outside: each miss is an {@link IllegalArgumentException}
 * naming the key, what was expected and what stood there. Unknown keys are ignored, as every
 * protocol Berth speaks asks of readers.
 */
public record Fields(Map<String, Object> tree, String where) {
    public static Fields of(@Nullable Object tree, String where) {
        try {
            return new Fields(Json.asObject(tree), where);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
        }
    }

    public boolean has(String key) {
        return tree.get(key) != null;
    }

    public String string(String key) {
        String value = optionalString(key);
        if (value == null) {
            throw miss(key, "a string", null);
        }
        return value;
    }

    public @Nullable String optionalString(String key) {
        return switch (tree.get(key)) {
            case null -> null;
            case String text -> text;
            case Number number -> number.toString();
            case Object other -> throw miss(key, "a string", other);
        };
    }

    public String string(String key, String otherwise) {
        String value = optionalString(key);
        return value == null ? otherwise : value;
    }

    public long integer(String key) {
        Long value = optionalInteger(key);
        if (value == null) {
            throw miss(key, "an integer", null);
        }
        return value;
    }

    public long integer(String key, long otherwise) {
        Long value = optionalInteger(key);
        return value == null ? otherwise : value;
    }

    public @Nullable Long optionalInteger(String key) {
        return switch (tree.get(key)) {
            case null -> null;
            case Long number -> number;
            case Integer number -> number.longValue();
            case Object other -> throw miss(key, "an integer", other);
        };
    }

    public boolean flag(String key, boolean otherwise) {
        return switch (tree.get(key)) {
            case null -> otherwise;
            case Boolean value -> value;
            case Object other -> throw miss(key, "a boolean", other);
        };
    }

    /** The object under a key; an empty one when absent. */
    public Fields object(String key) {
        Object value = tree.get(key);
        return of(value == null ? Map.of() : value, where + "." + key);
    }

    /** The list under a key; empty when absent. */
    public List<Object> list(String key) {
        return switch (tree.get(key)) {
            case null -> List.of();
            case List<?> list -> Json.asList(list);
            case Object other -> throw miss(key, "an array", other);
        };
    }

    public List<Fields> objects(String key) {
        var result = new ArrayList<Fields>();
        for (Object item : list(key)) {
            result.add(of(item, where + "." + key + "[" + result.size() + "]"));
        }
        return result;
    }

    public List<String> strings(String key) {
        return list(key).stream().map(String::valueOf).toList();
    }

    /** The object under a key as text values; empty when absent. */
    public Map<String, String> stringMap(String key) {
        var result = new LinkedHashMap<String, String>();
        object(key).tree().forEach((name, value) -> result.put(name, String.valueOf(value)));
        return result;
    }

    private IllegalArgumentException miss(String key, String wanted, @Nullable Object got) {
        return new IllegalArgumentException(
                where
                        + ": '"
                        + key
                        + "' should be "
                        + wanted
                        + (got == null
                                ? " but is missing"
                                : ", not " + got.getClass().getSimpleName()));
    }
}
