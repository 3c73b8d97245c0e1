package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lines for whoever reads what the director prints. */
class StdoutSinkTest {
    @Test
    void eachNoticeIsOneLineOfJson() throws Exception {
        var bytes = new ByteArrayOutputStream();
        try (var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
                Sink sink = new StdoutSink(out)) {
            for (Notice notice : Notices.life("gone\nfor good")) {
                assertThat(sink.deliver(List.of(notice))).isEqualTo("written to standard output");
            }
        }
        List<Fields> lines =
                bytes.toString(StandardCharsets.UTF_8)
                        .lines()
                        .map(line -> Fields.of(Json.parse(line), "line"))
                        .toList();
        assertThat(lines)
                .extracting(l -> l.string("action"))
                .containsExactly("open", "acknowledge", "resolve");
        assertThat(lines.getFirst().object("alert").string("title")).isEqualTo("gone\nfor good");
    }
}
