package dev.berth.engine;

import dev.berth.model.Fields;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * The end of what a build printed, because the error line alone ("returned a non-zero code: 1")
 * does not say what went wrong.
 */
final class LastWords {
    private static final int LINES = 12;
    private static final int LONGEST = 500;

    private final Deque<String> lines = new ArrayDeque<>();

    void hear(Map<String, Object> progress) {
        String text = Fields.of(progress, "progress").string("stream", "").strip();
        if (!text.isEmpty()) {
            lines.addLast(text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text);
            if (lines.size() > LINES) {
                lines.removeFirst();
            }
        }
    }

    String error(Fields line) {
        String error = line.string("error", line.object("errorDetail").string("message", "failed"));
        return lines.isEmpty() ? error : error + "; before that:\n" + String.join("\n", lines);
    }
}
