package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value of a document under reading, and where it stands. */
record Spot(@Nullable Object value, String path, Mark mark, Findings findings) {
    String place() {
        return YamlDocument.place(path, mark.line());
    }

    void error(int code, String message, @Nullable String remedy) {
        findings.error(code, place(), message, remedy);
    }

    void error(String message, @Nullable String remedy) {
        error(100, message, remedy);
    }

    void warning(String message, @Nullable String remedy) {
        findings.warning(place(), message, remedy);
    }

    /** The last key of the path. */
    String key() {
        int dot = path.lastIndexOf('.');
        return dot < 0 ? path : path.substring(dot + 1);
    }

    boolean isMap() {
        return value instanceof Map<?, ?>;
    }

    boolean isList() {
        return value instanceof List<?>;
    }

    boolean isScalar() {
        return value instanceof String || value instanceof Number || value instanceof Boolean;
    }

    /** The value as it was written: text, or the digits of a number. */
    String text() {
        if (value instanceof String text) {
            return text;
        }
        return mark.text() != null ? mark.text() : String.valueOf(value);
    }

    /** As an object; anything else is a problem and reads as an empty one. */
    Section section() {
        if (value instanceof Map<?, ?> map) {
            return new Section(Json.asObject(map), this);
        }
        wrongType("Hash");
        return new Section(Map.of(), this);
    }

    /** As text; a number reads as its digits; anything else is a problem and reads as empty. */
    String string() {
        if (value instanceof String || value instanceof Number) {
            return text();
        }
        wrongType("String");
        return "";
    }

    long integer() {
        if (value instanceof Long number) {
            return number;
        }
        if (value instanceof Integer number) {
            return number;
        }
        wrongType("Integer");
        return 0;
    }

    boolean flag() {
        if (value instanceof Boolean flag) {
            return flag;
        }
        wrongType("boolean");
        return false;
    }

    /** The elements; anything but a list is a problem and reads as none. */
    List<Spot> items() {
        if (!(value instanceof List<?> list)) {
            wrongType("Array");
            return List.of();
        }
        var items = new ArrayList<Spot>();
        for (int i = 0; i < list.size(); i++) {
            items.add(new Spot(list.get(i), path + "[" + i + "]", mark.item(i), findings));
        }
        return items;
    }

    void wrongType(String wanted) {
        String key = key();
        boolean placeholder = value instanceof String text && Placeholder.isWhole(text);
        if (placeholder && findings.hasUnresolved()) {
            return; // said already, by its name
        }
        error(
                40000,
                "Property '%s' value (%s) did not match the required type '%s'"
                        .formatted(key, Inspect.at(path, value), wanted),
                placeholder ? "a variable cannot be used here before it has a value" : null);
    }
}
