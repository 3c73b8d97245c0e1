package dev.berth.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a node of a document stands; a tree beside the tree of values.
 *
 * @param line counted from 1; 0: not from a text
 * @param text a plain number or boolean as it was written: {@code 1.10} is a version to some
 *     readers and 1.1 to others, so strings are taken from here
 */
record Mark(int line, @Nullable String text, Map<String, Mark> keys, List<Mark> items) {
    static final Mark NONE = at(0);

    static Mark at(int line) {
        return new Mark(line, null, Map.of(), List.of());
    }

    /** What is below a key; unknown places are said to be where their parent is. */
    Mark key(String key) {
        return keys.getOrDefault(key, at(line));
    }

    Mark item(int index) {
        return index < items.size() ? items.get(index) : at(line);
    }
}
