package dev.berth.engine;

import dev.berth.model.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The engine's endless JSON: one object a line. Not thread-safe. */
final class JsonLines {
    private static final int LONGEST_LINE = 4 * 1024 * 1024;

    private final InputStream in;
    private final byte[] buffer = new byte[8192];
    private int from;
    private int to;

    JsonLines(InputStream in) {
        this.in = in;
    }

    /** The next object; null at the end. Blank lines are skipped. */
    @Nullable Map<String, Object> next() throws IOException {
        while (true) {
            byte[] line = line();
            if (line == null) {
                return null;
            }
            if (!blank(line)) {
                try {
                    return Json.object(line);
                } catch (IllegalArgumentException e) {
                    throw new IOException("the engine's stream: " + e.getMessage(), e);
                }
            }
        }
    }

    private byte @Nullable [] line() throws IOException {
        var line = new ByteArrayOutputStream(256);
        while (true) {
            if (from == to) {
                from = 0;
                to = Math.max(0, in.read(buffer));
                if (to == 0) {
                    return line.size() == 0 ? null : line.toByteArray();
                }
            }
            int end = from;
            while (end < to && buffer[end] != '\n') {
                end++;
            }
            line.write(buffer, from, end - from);
            if (line.size() > LONGEST_LINE) {
                throw new IOException("a line of the engine's stream is too long");
            }
            boolean whole = end < to;
            from = whole ? end + 1 : end;
            if (whole) {
                return line.toByteArray();
            }
        }
    }

    private static boolean blank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return true;
    }
}
