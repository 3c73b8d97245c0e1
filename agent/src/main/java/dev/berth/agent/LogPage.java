package dev.berth.agent;

import dev.berth.engine.LogEntry;
import dev.berth.model.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Some lines of a container's log, as many as one message carries, and the cursor to go on from.
 * Used by one thread.
 */
final class LogPage implements Predicate<LogEntry> {
    /** In JSON each byte may become six, and the bus carries a mebibyte. */
    static final int MOST_BYTES = 700 * 1024;

    private final LogCursor.Reading reading;
    private final int most;
    private final List<Line> lines = new ArrayList<>();
    private int bytes;

    private record Line(boolean stderr, Instant at, StringBuilder text) {
        private boolean isOver() {
            return !text.isEmpty() && text.charAt(text.length() - 1) == '\n';
        }
    }

    LogPage(LogCursor.Reading reading, int most) {
        this.reading = reading;
        this.most = most;
    }

    /** Takes the next entry; false when it did not fit. */
    @Override
    public boolean test(LogEntry entry) {
        if (!reading.isNew(entry)) {
            return true;
        }
        int cost = WireText.bytes(entry.text());
        Line open = openLine(entry.stderr());
        boolean full = open == null && lines.size() >= most;
        if (full || bytes > 0 && bytes + cost > MOST_BYTES) {
            reading.cut();
            return false;
        }
        reading.read(entry);
        bytes += cost + 80;
        if (open != null) {
            open.text().append(entry.text());
        } else {
            lines.add(new Line(entry.stderr(), entry.at(), new StringBuilder(entry.text())));
        }
        return true;
    }

    /** The line of that stream that more is to come of. */
    private @Nullable Line openLine(boolean stderr) {
        for (Line line : lines.reversed()) {
            if (line.stderr() == stderr) {
                return line.isOver() ? null : line;
            }
        }
        return null;
    }

    Map<String, Object> toTree() {
        LogCursor cursor = reading.cursor();
        return Json.of(
                "lines",
                lines.stream()
                        .map(line ->
                                Json.of(
                                        "stream",
                                        line.stderr() ? "stderr" : "stdout",
                                        "time",
                                        line.at().toString(),
                                        "text",
                                        line.text().toString().stripTrailing()))
                        .toList(),
                "cursor",
                cursor.toString(),
                "more",
                !cursor.whole());
    }
}
