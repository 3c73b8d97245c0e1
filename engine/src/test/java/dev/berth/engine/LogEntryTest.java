package dev.berth.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The engine's log with times, in both of its forms. */
class LogEntryTest {
    private static final String TIME = "2024-05-01T10:00:00.123456789Z";

    private static byte[] frame(int stream, String text) {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        var out = new ByteArrayOutputStream();
        out.writeBytes(
                new byte[] {
                    (byte) stream, 0, 0, 0, 0, 0, (byte) (body.length >> 8), (byte) body.length
                });
        out.writeBytes(body);
        return out.toByteArray();
    }

    private static List<LogEntry> read(byte[] bytes, boolean terminal, int most)
            throws IOException {
        var entries = new ArrayList<LogEntry>();
        LogEntry.read(
                new ByteArrayInputStream(bytes),
                terminal,
                entry -> {
                    entries.add(entry);
                    return entries.size() < most;
                });
        return entries;
    }

    @Test
    void framesKeepTheirStreams() throws IOException {
        var both = new ByteArrayOutputStream();
        both.writeBytes(frame(1, TIME + " out\n"));
        both.writeBytes(frame(2, TIME + " piece"));
        both.writeBytes(frame(2, TIME + " \n"));
        Instant at = Instant.parse(TIME);
        assertThat(read(both.toByteArray(), false, 10))
                .containsExactly(
                        new LogEntry(false, at, "out\n"),
                        new LogEntry(true, at, "piece"),
                        new LogEntry(true, at, "\n"));
        assertThat(read(both.toByteArray(), false, 1)).hasSize(1);
    }

    @Test
    void aTerminalHasLines() throws IOException {
        byte[] text = (TIME + " one\r\n" + TIME + " two").getBytes(StandardCharsets.UTF_8);
        assertThat(read(text, true, 10))
                .extracting(LogEntry::text)
                .containsExactly("one\r\n", "two");
    }

    @Test
    void whatIsNoLogIsRefused() {
        assertThatThrownBy(() -> read(frame(1, "no time here\n"), false, 10))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no time");
        assertThatThrownBy(() -> read("HTTP/1.1 ".getBytes(StandardCharsets.UTF_8), false, 10))
                .isInstanceOf(IOException.class);
    }
}
