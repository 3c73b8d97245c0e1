package dev.berth.engine;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a container's log, as the engine keeps it: mostly a line, or a piece of one longer
 * than 16 KiB.
 *
 * @param at when the engine read it; entries of one stream never go backwards, those of two streams
 *     may by a moment
 * @param text ends with a line feed unless more of the same line follows
 */
public record LogEntry(boolean stderr, Instant at, String text) {
    /** The engine splits at 16 KiB; other log drivers may not. The rest of a giant is let go. */
    private static final int LONGEST = 64 * 1024;

    /** Reads entries with timestamps until the end, or until {@code sink} wants no more. */
    static void read(InputStream in, boolean terminal, Predicate<LogEntry> sink)
            throws IOException {
        boolean more = true;
        while (more) {
            LogEntry entry = terminal ? line(in) : frame(in);
            more = entry != null && sink.test(entry);
        }
    }

    private static @Nullable LogEntry frame(InputStream in) throws IOException {
        byte[] header = in.readNBytes(8);
        if (header.length == 0) {
            return null;
        }
        if (header.length < 8 || header[0] < 0 || header[0] > 2) {
            throw new IOException("not a log frame");
        }
        long length = LogFrames.length(header);
        byte[] kept = in.readNBytes((int) Math.min(length, LONGEST));
        long rest = length - kept.length;
        if (rest > 0) {
            try {
                in.skipNBytes(rest);
            } catch (EOFException e) {
                return null; // cut short: the next look brings it whole
            }
        }
        String text = new String(kept, StandardCharsets.UTF_8);
        return entry(header[0] == 2, rest > 0 ? text + "\n" : text);
    }

    /** With a terminal both streams are one, and nothing but lines tells entries apart. */
    private static @Nullable LogEntry line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (line.size() < LONGEST || b == '\n') {
                line.write(b);
            }
            if (b == '\n') {
                return entry(false, line.toString(StandardCharsets.UTF_8));
            }
        }
        return line.size() == 0 ? null : entry(false, line.toString(StandardCharsets.UTF_8));
    }

    private static LogEntry entry(boolean stderr, String stamped) throws IOException {
        int space = stamped.indexOf(' ');
        try {
            String time = space < 0 ? stamped.strip() : stamped.substring(0, space);
            return new LogEntry(
                    stderr, Instant.parse(time), space < 0 ? "\n" : stamped.substring(space + 1));
        } catch (DateTimeException e) {
            throw new IOException("a log entry has no time", e);
        }
    }
}
