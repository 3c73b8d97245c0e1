package dev.berth.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * JSON as plain trees: {@code Map<String, Object>} in key order, {@code List<Object>}, {@code
 * String}, {@code Long}, {@code Double}, {@code Boolean} and null. One form for the wire, the store
 * and the Engine API; the streaming core alone keeps the agent small.
 */
public final class Json {
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(100)
                                    .maxStringLength(32 * 1024 * 1024)
                                    .build())
                    .build();

    private Json() {}

    /**
     * Parses one document; throws {@link IllegalArgumentException} that says where it is malformed.
     */
    public static @Nullable Object parse(String text) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            return whole(parser);
        } catch (tools.jackson.core.JacksonException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        }
    }

    public static @Nullable Object parse(byte[] bytes) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
            return whole(parser);
        } catch (tools.jackson.core.JacksonException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** Parses a document that must be an object. */
    public static Map<String, Object> object(String text) {
        return asObject(parse(text));
    }

    public static Map<String, Object> object(byte[] bytes) {
        return asObject(parse(bytes));
    }

    /** Compact text, keys in the order of the maps. */
    public static String write(@Nullable Object tree) {
        var out = new java.io.StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
            write(generator, tree);
        }
        return out.toString();
    }

    /**
     * Compact text with keys sorted at every level: equal trees give equal text, fit for digests.
     */
    public static String canonical(@Nullable Object tree) {
        return write(sorted(tree));
    }

    /** Builds an object from alternating keys and values, in order; null values are kept. */
    public static Map<String, Object> of(@Nullable Object... keysAndValues) {
        var map = new LinkedHashMap<String, @Nullable Object>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put(String.valueOf(keysAndValues[i]), keysAndValues[i + 1]);
        }
        return cast(map);
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> asObject(@Nullable Object tree) {
        if (tree instanceof Map<?, ?> map) {
            return (Map<String, Object>) map;
        }
        throw new IllegalArgumentException("expected a JSON object, got " + kind(tree));
    }

    @SuppressWarnings("unchecked")
    public static List<Object> asList(@Nullable Object tree) {
        if (tree instanceof List<?> list) {
            return (List<Object>) list;
        }
        throw new IllegalArgumentException("expected a JSON array, got " + kind(tree));
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // values may be null, as JSON's may; readers check
    private static Map<String, Object> cast(Map<String, @Nullable Object> map) {
        return (Map<String, Object>) (Map<?, ?>) map;
    }

    private static String kind(@Nullable Object tree) {
        return tree == null ? "null" : tree.getClass().getSimpleName();
    }

    private static @Nullable Object whole(JsonParser parser) {
        if (parser.nextToken() == null) {
            throw new IllegalArgumentException("not JSON: empty");
        }
        Object tree = read(parser);
        if (parser.nextToken() != null) {
            throw new IllegalArgumentException("not JSON: text after the document");
        }
        return tree;
    }

    private static @Nullable Object read(JsonParser parser) {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                var map = new LinkedHashMap<String, @Nullable Object>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String key = parser.currentName();
                    parser.nextToken();
                    map.put(key, read(parser));
                }
                yield map;
            }
            case START_ARRAY -> {
                var list = new ArrayList<@Nullable Object>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(read(parser));
                }
                yield list;
            }
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default ->
                    throw new IllegalArgumentException(
                            "not JSON: unexpected " + parser.currentToken());
        };
    }

    private static void write(JsonGenerator generator, @Nullable Object tree) {
        switch (tree) {
            case null -> generator.writeNull();
            case Map<?, ?> map -> {
                generator.writeStartObject();
                map.forEach((key, value) -> {
                    generator.writeName(String.valueOf(key));
                    write(generator, value);
                });
                generator.writeEndObject();
            }
            case Iterable<?> list -> {
                generator.writeStartArray();
                list.forEach(value -> write(generator, value));
                generator.writeEndArray();
            }
            case Boolean flag -> generator.writeBoolean(flag);
            case Integer number -> generator.writeNumber(number);
            case Long number -> generator.writeNumber(number);
            case Number number -> generator.writeNumber(number.doubleValue());
            default -> generator.writeString(tree.toString());
        }
    }

    private static @Nullable Object sorted(@Nullable Object tree) {
        return switch (tree) {
            case null -> null;
            case Map<?, ?> map -> {
                var copy = new java.util.TreeMap<String, @Nullable Object>();
                map.forEach((key, value) -> copy.put(String.valueOf(key), sorted(value)));
                yield copy;
            }
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>();
                list.forEach(value -> copy.add(sorted(value)));
                yield copy;
            }
            default -> tree;
        };
    }
}
