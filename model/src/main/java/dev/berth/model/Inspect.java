package dev.berth.model;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values as BOSH's error texts show them (Ruby's inspect), cut short and without secrets. */
final class Inspect {
    private static final int LONGEST = 160;

    /** What is below these keys may be secret (rule R8). */
    static final Set<String> SECRET_KEYS =
            Set.of("properties", "bosh", "env", "environment", "env_vars", "options");

    private Inspect() {}

    static String of(@Nullable Object value) {
        String text = whole(value);
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST - 3) + "...";
    }

    /** The value at a path, hidden when a key on the way says that it may be secret. */
    static String at(String path, @Nullable Object value) {
        boolean secret = List.of(path.split("[.\\[\\]]")).stream().anyMatch(SECRET_KEYS::contains);
        return secret ? "<redacted>" : of(value);
    }

    private static String whole(@Nullable Object value) {
        return switch (value) {
            case null -> "nil";
            case String text -> "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
            case List<?> list ->
                    list.stream().map(Inspect::whole).collect(Collectors.joining(", ", "[", "]"));
            case Map<?, ?> map ->
                    map.entrySet().stream()
                            .map(e -> pair(String.valueOf(e.getKey()), e.getValue()))
                            .collect(Collectors.joining(", ", "{", "}"));
            default -> value.toString();
        };
    }

    private static String pair(String key, @Nullable Object value) {
        return whole(key) + "=>" + (SECRET_KEYS.contains(key) ? "\"<redacted>\"" : whole(value));
    }
}
