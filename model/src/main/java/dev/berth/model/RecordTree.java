package dev.berth.model;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Records as trees and back, for specs with many components of which few are given. A component
 * that says nothing (it equals the one of the record's {@code DEFAULT}, or without that the empty
 * value of its type) is left out, so that a component added later changes the tree, and with it the
 * digest, of those that use it and of nobody else.
 *
 * <p>Components may be text, booleans, whole numbers, durations, enums, {@link Secret}s, records of
 * these, lists and maps from text. Names of components become {@code snake_case} keys.
 */
final class RecordTree {
    /** What stands in the tree for a secret. */
    enum Secrets {
        REVEALED,
        /** Its SHA-256, so that another content is another tree and nothing is told. */
        HASHED
    }

    private record Part(String name, String key, Class<?> type, Type generic, Method accessor) {}

    /** What reflection tells of one record class; looked up once. */
    private record Shape(Constructor<?> constructor, List<Part> parts, List<Object> defaults) {}

    private static final ClassValue<Shape> SHAPES =
            new ClassValue<>() {
                @Override
                protected Shape computeValue(Class<?> type) {
                    return shape(type);
                }
            };

    private RecordTree() {}

    static Map<String, Object> write(Record value, Secrets secrets) {
        Shape shape = SHAPES.get(value.getClass());
        var tree = new LinkedHashMap<String, Object>();
        for (int i = 0; i < shape.parts.size(); i++) {
            Part part = shape.parts.get(i);
            Object component = get(part, value);
            if (component != null && !component.equals(shape.defaults.get(i))) {
                tree.put(part.key, plain(component, secrets));
            }
        }
        return tree;
    }

    private static Object plain(Object value, Secrets secrets) {
        return switch (value) {
            case Secret secret ->
                    secrets == Secrets.REVEALED
                            ? secret.reveal()
                            : "sha256:" + Digests.sha256(secret.reveal());
            case Record item -> write(item, secrets);
            case List<?> list -> list.stream().map(item -> plain((Object) item, secrets)).toList();
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, Object>();
                map.forEach((k, v) -> copy.put(String.valueOf(k), plain(v, secrets)));
                yield copy;
            }
            case Enum<?> constant -> constant.name();
            case Duration time -> time.toString();
            case Integer number -> number.longValue();
            default -> value;
        };
    }

    /**
     * Reads what {@link #write} wrote with secrets revealed.
     *
     * @throws IllegalArgumentException naming the key that is wrong
     */
    static <R extends Record> R read(Class<R> type, @Nullable Object tree, String where) {
        return type.cast(record(type, tree, where));
    }

    private static Object record(Class<?> type, @Nullable Object tree, String where) {
        Shape shape = SHAPES.get(type);
        Fields fields = Fields.of(tree, where);
        var values = new @Nullable Object[shape.parts.size()];
        for (int i = 0; i < values.length; i++) {
            Part part = shape.parts.get(i);
            values[i] =
                    fields.has(part.key)
                            ? value(part.generic, fields, part.key)
                            : shape.defaults.get(i);
        }
        return make(shape.constructor, values);
    }

    private static Object value(Type type, Fields fields, String key) {
        String where = fields.where() + "." + key;
        if (type == long.class || type == Long.class) {
            return fields.integer(key);
        }
        if (type == int.class) {
            long number = fields.integer(key);
            if (number != (int) number) {
                throw new IllegalArgumentException(where + ": " + number + " is too large");
            }
            return (int) number;
        }
        if (type == boolean.class || type == Boolean.class) {
            return fields.flag(key, false);
        }
        if (type instanceof ParameterizedType of && of.getRawType() == List.class) {
            var list = new ArrayList<Object>();
            for (Object item : fields.list(key)) {
                var one = new Fields(Map.of("item", item), where + "[" + list.size() + "]");
                list.add(value(of.getActualTypeArguments()[0], one, "item"));
            }
            return List.copyOf(list);
        }
        if (type instanceof ParameterizedType) {
            return java.util.Collections.unmodifiableMap(fields.stringMap(key));
        }
        if (!(type instanceof Class<?> plain)) {
            throw new IllegalStateException(where + " has a type that no tree can hold: " + type);
        }
        if (plain.isRecord() && plain != Secret.class) {
            return record(plain, fields.tree().get(key), where);
        }
        String text = fields.string(key);
        if (plain == Secret.class) {
            return new Secret(text);
        }
        if (plain == Duration.class) {
            return duration(text, where);
        }
        return plain.isEnum() ? constant(plain, text, where) : text;
    }

    private static Duration duration(String text, String where) {
        try {
            return Duration.parse(text);
        } catch (java.time.DateTimeException e) {
            throw new IllegalArgumentException(where + ": '" + text + "' is no duration", e);
        }
    }

    private static Object constant(Class<?> type, String text, String where) {
        for (Object constant : Objects.requireNonNull(type.getEnumConstants())) {
            if (((Enum<?>) constant).name().equals(text)) {
                return constant;
            }
        }
        throw new IllegalArgumentException(where + ": '" + text + "' is not known");
    }

    // --- shapes

    private static Shape shape(Class<?> type) {
        var parts = new ArrayList<Part>();
        for (RecordComponent c : Objects.requireNonNull(type.getRecordComponents())) {
            c.getAccessor().setAccessible(true);
            parts.add(
                    new Part(
                            c.getName(),
                            snake(c.getName()),
                            c.getType(),
                            c.getGenericType(),
                            c.getAccessor()));
        }
        Object standard = standard(type);
        var defaults = new ArrayList<@Nullable Object>();
        for (Part part : parts) {
            defaults.add(standard == null ? nothing(part.type) : get(part, standard));
        }
        return new Shape(
                constructor(type, parts), List.copyOf(parts), (List<Object>) (List<?>) defaults);
    }

    private static Constructor<?> constructor(Class<?> type, List<Part> parts) {
        try {
            Constructor<?> constructor =
                    type.getDeclaredConstructor(
                            parts.stream().map(Part::type).toArray(Class<?>[]::new));
            constructor.setAccessible(true);
            return constructor;
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException(type + " is no record", e);
        }
    }

    private static @Nullable Object standard(Class<?> type) {
        try {
            Field field = type.getDeclaredField("DEFAULT");
            field.setAccessible(true);
            return field.get(null);
        } catch (NoSuchFieldException e) {
            return null;
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(type + ".DEFAULT cannot be read", e);
        }
    }

    private static @Nullable Object nothing(Class<?> type) {
        if (type == boolean.class) {
            return false;
        }
        if (type == int.class) {
            return 0;
        }
        if (type == long.class) {
            return 0L;
        }
        if (type == String.class) {
            return "";
        }
        if (type == List.class) {
            return List.of();
        }
        if (type == Map.class) {
            return Map.of();
        }
        if (type == Duration.class) {
            return Duration.ZERO;
        }
        if (type.isEnum()) {
            return Objects.requireNonNull(type.getEnumConstants())[0];
        }
        return type.isRecord() ? standard(type) : null;
    }

    private static @Nullable Object get(Part part, Object record) {
        try {
            return part.accessor.invoke(record);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(part.name + " cannot be read", e);
        }
    }

    private static Object make(Constructor<?> constructor, @Nullable Object[] values) {
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(constructor + " cannot be called", e);
        }
    }

    private static String snake(String name) {
        return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
