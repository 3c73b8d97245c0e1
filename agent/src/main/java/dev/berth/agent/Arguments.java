package dev.berth.agent;

import dev.berth.model.Fields;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Positional arguments of a request, read as the stock agent reads them. */
record Arguments(List<Object> values) {
    /** Null counts as the empty string. */
    String string(int index) {
        return switch (at(index)) {
            case null -> "";
            case String text -> text;
            case Object other -> throw mismatch(index, "a string", other);
        };
    }

    /** An object; null or absent counts as an empty one. */
    Fields object(int index, String what) {
        Object value = at(index);
        return Fields.of(value == null ? Map.of() : value, what);
    }

    List<String> strings(int index) {
        return switch (at(index)) {
            case null -> List.of();
            case List<?> list -> list.stream().map(String::valueOf).toList();
            case Object other -> throw mismatch(index, "an array", other);
        };
    }

    int integer(int index, int otherwise) {
        return switch (at(index)) {
            case null -> otherwise;
            case Number number -> number.intValue();
            case Object other -> throw mismatch(index, "an integer", other);
        };
    }

    @Nullable Object at(int index) {
        return index < values.size() ? values.get(index) : null;
    }

    void atLeast(int count) {
        if (values.size() < count) {
            throw new ActionException(
                    "Not enough arguments, expected " + count + ", got " + values.size());
        }
    }

    private static ActionException mismatch(int index, String wanted, Object got) {
        return new ActionException(
                "argument "
                        + (index + 1)
                        + " should be "
                        + wanted
                        + ", not "
                        + got.getClass().getSimpleName());
    }
}
