package dev.berth.director;

import dev.berth.model.Json;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Rows of the store as JSON trees and back, by the names of their parts: a part that a newer
 * version added is nothing, zero or empty in a tree of an older one.
 */
final class RowTrees {
    private RowTrees() {}

    static Map<String, Object> toTree(Record row) {
        var tree = new LinkedHashMap<String, Object>();
        for (RecordComponent part : row.getClass().getRecordComponents()) {
            Object value = read(part, row);
            if (value != null) {
                tree.put(part.getName(), plain(value));
            }
        }
        return tree;
    }

    private static Object plain(Object value) {
        return switch (value) {
            case Instant time -> time.toString();
            case Record id -> String.valueOf(id); // ids are their text
            default -> value;
        };
    }

    private static @Nullable Object read(RecordComponent part, Record row) {
        try {
            return part.getAccessor().invoke(row);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot read " + part, e);
        }
    }

    /**
     * @throws IllegalArgumentException a value is of another kind
     */
    static <T extends Record> T fromTree(Class<T> type, @Nullable Object tree) {
        Map<String, Object> values = Json.asObject(tree);
        RecordComponent[] parts = type.getRecordComponents();
        Class<?>[] types =
                Arrays.stream(parts).map(RecordComponent::getType).toArray(Class<?>[]::new);
        Object[] arguments =
                Arrays.stream(parts)
                        .map(part -> value(type, part, values.get(part.getName())))
                        .toArray();
        try {
            Constructor<T> constructor = type.getDeclaredConstructor(types);
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(type.getSimpleName() + ": " + e.getCause(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot make " + type, e);
        }
    }

    private static @Nullable Object value(
            Class<?> row, RecordComponent part, @Nullable Object given) {
        try {
            return given == null ? missing(part) : typed(part.getType(), given);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    row.getSimpleName() + "." + part.getName() + ": " + e.getMessage(), e);
        }
    }

    private static @Nullable Object missing(RecordComponent part) {
        Class<?> type = part.getType();
        if (part.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
            return null;
        }
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
        throw new IllegalArgumentException("is missing");
    }

    private static Object typed(Class<?> type, Object given) {
        if (type == int.class) {
            return Math.toIntExact(((Number) given).longValue());
        }
        if (type == long.class || type == Long.class) {
            return ((Number) given).longValue();
        }
        if (type == boolean.class || type == Boolean.class) {
            return (Boolean) given;
        }
        if (type == Instant.class) {
            return Instant.parse((String) given);
        }
        if (type == Map.class) {
            return Json.asObject(given);
        }
        if (type == List.class) {
            return Json.asList(given);
        }
        if (type.isRecord()) {
            return id(type, (String) given);
        }
        return type.cast(given);
    }

    private static Object id(Class<?> type, String value) {
        try {
            return type.getDeclaredConstructor(String.class).newInstance(value);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot make " + type, e);
        }
    }
}
