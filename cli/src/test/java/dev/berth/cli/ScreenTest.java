package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ScreenTest {
    private static final List<String> HEADER = List.of("Instance", "Process State");

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private Screen screen(Screen.Style style, boolean colours) {
        var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        return new Screen(out, out, style, colours);
    }

    private String shown() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /**
     * On a terminal: header, aligned columns, notes, a count that leaves out what belongs to a row.
     */
    @Test
    void terminalTable() {
        screen(Screen.Style.TERMINAL, false)
                .table(
                        "instances",
                        HEADER,
                        List.of(List.of("db/1", "running"), List.of("~", "failing")),
                        List.of("(a note)"));
        assertThat(shown())
                .isEqualTo(
                        """
                        Instance  Process State
                        db/1      running
                        ~         failing

                        (a note)

                        1 instances
                        """);
    }

    /** In a pipe: rows alone, every cell ended by a tab, so that cut and awk find their way. */
    @Test
    void pipedTable() {
        Screen screen = screen(Screen.Style.PIPE, true);
        screen.note("Using environment");
        screen.table("instances", HEADER, List.of(Arrays.asList("db/1", null)));
        assertThat(shown()).isEqualTo("db/1\t-\t\n");
    }

    /**
     * A cell of several lines makes its row as high; a repeated first cell is shown once, counted
     * each.
     */
    @Test
    void highRowsAndRepeats() {
        screen(Screen.Style.TERMINAL, false)
                .table("rows", List.of("A", "B"), List.of(List.of("x", "1\n2"), List.of("x", "3")));
        assertThat(shown())
                .isEqualTo(
                        """
                        A  B
                        x  1
                           2
                        ~  3

                        2 rows
                        """);
    }

    /** JSON has the stock CLI's keys, full first cells, and the exit code when it is not 0. */
    @Test
    void json() {
        Screen screen = screen(Screen.Style.JSON, true);
        screen.line("");
        screen.error("it broke");
        screen.table(
                "tables",
                List.of("CPU\nUser", "Load\n(1m, 5m)"),
                List.of(Arrays.asList("1", null), List.of("1", "2")));
        screen.finish(1);
        assertThat(Json.object(shown()))
                .isEqualTo(
                        Json.object(
                                """
                                {"Tables":[{"Content":"tables",
                                  "Header":{"cpu_user":"CPU\\nUser","load_1m_5m":"Load\\n(1m, 5m)"},
                                  "Rows":[{"cpu_user":"1","load_1m_5m":""},{"cpu_user":"1","load_1m_5m":"2"}],
                                  "Notes":null}],
                                 "Blocks":null,
                                 "Lines":["it broke","Exit code 1"]}
                                """));
    }

    /** Only what is not well is red, and only where colours were wished. */
    @Test
    void coloursTellTrouble() {
        screen(Screen.Style.TERMINAL, true)
                .table("rows", HEADER, List.of(List.of("a", "running"), List.of("b", "failing")));
        assertThat(shown())
                .contains("\u001b[31mfailing\u001b[0m")
                .contains("running")
                .doesNotContain("\u001b[31mrunning");
        assertThat(screen(Screen.Style.PIPE, true).red("x")).isEqualTo("x");
    }
}
