package dev.berth.planner;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Compares trees that came different ways: from YAML, and back from the store as JSON. */
final class Trees {
    private Trees() {}

    /** Numbers by value, maps without order; an absent key is the same as null. */
    static boolean same(@Nullable Object a, @Nullable Object b) {
        if (a == b) {
            return true;
        }
        if (a instanceof Map<?, ?> left && b instanceof Map<?, ?> right) {
            return covers(left, right) && covers(right, left);
        }
        if (a instanceof List<?> left && b instanceof List<?> right) {
            return sameList(left, right);
        }
        if (a instanceof Number left && b instanceof Number right) {
            return left.longValue() == right.longValue()
                    && Double.compare(left.doubleValue(), right.doubleValue()) == 0;
        }
        return Objects.equals(a, b);
    }

    /**
     * The keys that differ, as one line. Only numbers and booleans are shown with their values: any
     * text may hold a secret (R8).
     */
    static String differingKeys(Map<String, Object> was, Map<String, Object> wished) {
        var keys = new TreeSet<>(was.keySet());
        keys.addAll(wished.keySet());
        var texts = new ArrayList<String>();
        for (String key : keys) {
            Object old = was.get(key);
            Object now = wished.get(key);
            if (!same(old, now)) {
                texts.add(key + difference(old, now));
            }
        }
        return String.join(", ", texts);
    }

    private static String difference(@Nullable Object old, @Nullable Object now) {
        if (old == null) {
            return " added" + (isPlain(now) ? " (" + now + ")" : "");
        }
        if (now == null) {
            return " removed";
        }
        return isPlain(old) && isPlain(now) ? " " + old + " → " + now : " changed";
    }

    private static boolean isPlain(@Nullable Object value) {
        return value instanceof Number || value instanceof Boolean;
    }

    private static boolean covers(Map<?, ?> a, Map<?, ?> b) {
        for (Map.Entry<?, ?> entry : a.entrySet()) {
            if (!same(entry.getValue(), b.get(entry.getKey()))) {
                return false;
            }
        }
        return true;
    }

    private static boolean sameList(List<?> a, List<?> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!same(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }
}
