package dev.berth.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Puts the fields of an alert into the texts of a JSON tree, where they say {@code {{field}}}. */
public final class AlertTemplate {
    /** What may stand in double braces. */
    public static final Set<String> FIELDS =
            new TreeSet<>(
                    Set.of(
                            "action",
                            "alert",
                            "color",
                            "dedup_key",
                            "deployments",
                            "environment",
                            "headline",
                            "icon",
                            "instances",
                            "severity",
                            "severity_number",
                            "state",
                            "summary",
                            "text",
                            "time",
                            "title"));

    private static final Pattern FIELD = Pattern.compile("\\{\\{\\s*([a-z_]{1,40})\\s*}}");

    private AlertTemplate() {}

    static List<String> unknown(String text) {
        return FIELD.matcher(text)
                .results()
                .map(found -> found.group(1))
                .filter(name -> !FIELDS.contains(name))
                .distinct()
                .toList();
    }

    /** A value is put in as text and never looked through again; keys are left as they are. */
    public static @Nullable Object filled(@Nullable Object tree, Map<String, String> fields) {
        return switch (tree) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((key, value) -> copy.put(String.valueOf(key), filled(value, fields)));
                yield copy;
            }
            case List<?> list -> {
                var copy = new java.util.ArrayList<@Nullable Object>();
                list.forEach(value -> copy.add(filled(value, fields)));
                yield copy;
            }
            case String text ->
                    FIELD.matcher(text)
                            .replaceAll(found ->
                                    Matcher.quoteReplacement(
                                            fields.getOrDefault(found.group(1), found.group())));
            case null, default -> tree;
        };
    }
}
