package dev.berth.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One YAML text as a plain tree (the shapes of {@link Json}) that remembers on which line each part
 * stands, so that a problem found later can say where it is. Keys are text as written, in their
 * order. Immutable.
 *
 * <p>Bounds: {@value #MAX_CHARACTERS} characters, {@value #MAX_LINE} in a line, {@value #MAX_DEPTH}
 * levels, {@value #MAX_ALIASES} uses of an anchored collection, {@value #MAX_NODES} nodes once
 * aliases are written out.
 */
public final class YamlDocument {
    static final int MAX_CHARACTERS = 5_000_000;

    /** The reader's time grows with the square of what stands between two blanks. */
    static final int MAX_LINE = 200_000;

    static final int MAX_DEPTH = 100;
    static final int MAX_ALIASES = 10_000;
    static final int MAX_NODES = 500_000;

    private static final Pattern STEP = Pattern.compile("\\.?([^.\\[\\]]+)|\\[(\\d+)]");

    private final String text;
    private final @Nullable Object root;
    private final Mark mark;

    private YamlDocument(String text, @Nullable Object root, Mark mark) {
        this.text = text;
        this.root = root;
        this.mark = mark;
    }

    /**
     * Reads a deployment manifest.
     *
     * @throws ProblemException when it is no YAML, has a duplicate key or an unknown tag, or is
     *     over a bound; says line and column, and shows nothing of the text but keys
     */
    public static YamlDocument parse(String text) {
        return parse(text, "manifest", 440001);
    }

    /** Reads a config of a type ({@code cloud}, ...); fails as {@link #parse(String)} does. */
    public static YamlDocument parseConfig(String text, String type) {
        return parse(text, type + " config", 440011);
    }

    private static YamlDocument parse(String text, String what, int code) {
        var reading = new YamlReading(code, "Incorrect YAML structure of the uploaded " + what);
        YamlReading.Built built = reading.read(text);
        return new YamlDocument(text, built.value(), built.mark());
    }

    /** A document that was never text: its places have no lines. */
    public static YamlDocument of(@Nullable Object tree) {
        return new YamlDocument(YamlText.write(tree), tree, Mark.NONE);
    }

    /** The same places with other values, as interpolation makes them. */
    YamlDocument withRoot(@Nullable Object tree) {
        return new YamlDocument(text, tree, mark);
    }

    /** The text it was read from. */
    public String text() {
        return text;
    }

    public @Nullable Object root() {
        return root;
    }

    /** The root as an object; an empty one when the root is something else. */
    public Map<String, Object> tree() {
        return root instanceof Map<?, ?> ? Json.asObject(root) : Map.of();
    }

    Mark mark() {
        return mark;
    }

    /**
     * Line of a path such as {@code instance_groups[0].name}, or of its nearest parent; 0: none.
     */
    public int line(String path) {
        Mark at = mark;
        Matcher step = STEP.matcher(path);
        while (step.find()) {
            String key = step.group(1);
            at = key != null ? at.key(key) : at.item(Integer.parseInt(step.group(2)));
        }
        return at.line();
    }

    /** The path with its line, as problems name places. */
    public String place(String path) {
        return place(path, line(path));
    }

    static String place(String path, int line) {
        String named = path.isEmpty() ? "document" : path;
        return line == 0 ? named : named + " (line " + line + ")";
    }

    /** Reads a value given on a command line or in a file: text, number, list, ... */
    public static @Nullable Object value(String text) {
        return parse(text, "value", 440011).root();
    }

    /**
     * Reads what is to be written again: a number that would look otherwise then ({@code 1.10} of a
     * version, {@code 0440} of a mode) comes as the text it is.
     */
    public static @Nullable Object asWritten(String text) {
        YamlDocument document = parse(text, "value", 440011);
        return document.root == null ? null : asWritten(document.root, document.mark);
    }

    private static @Nullable Object asWritten(@Nullable Object value, Mark mark) {
        return switch (value) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((key, below) ->
                        copy.put(
                                String.valueOf(key),
                                asWritten(below, mark.key(String.valueOf(key)))));
                yield copy;
            }
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>();
                for (int i = 0; i < list.size(); i++) {
                    copy.add(asWritten(list.get(i), mark.item(i)));
                }
                yield copy;
            }
            case Number number ->
                    mark.text() == null || mark.text().equals(String.valueOf(number))
                            ? number
                            : mark.text();
            case null -> null;
            default -> value;
        };
    }

    static Map<String, Object> frozen(Map<String, Object> map) {
        return Collections.unmodifiableMap(map);
    }

    static List<Object> frozen(List<Object> list) {
        return Collections.unmodifiableList(list);
    }
}
