package dev.berth.model;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A line of a diff.
 *
 * @param text with its indent
 * @param status null: context
 */
public record DiffLine(String text, @Nullable Status status) {
    /** What happened to the line. */
    public enum Status {
        ADDED,
        REMOVED
    }

    /** The two-element array of the API: {@code [text, "added" | "removed" | null]}. */
    public List<Object> toTree() {
        var pair = new java.util.ArrayList<@Nullable Object>();
        pair.add(text);
        pair.add(status == null ? null : status.name().toLowerCase(Locale.ROOT));
        return Collections.unmodifiableList(pair);
    }

    DiffLine indented() {
        return new DiffLine(text.isEmpty() ? text : "  " + text, status);
    }
}
