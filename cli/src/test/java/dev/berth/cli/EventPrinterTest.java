package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class EventPrinterTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Screen pipe = screen(Screen.Style.PIPE);

    private Screen screen(Screen.Style style) {
        var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        return new Screen(out, out, style, false);
    }

    private String shown() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    static String event(int second, String step, String state, String data) {
        return "{\"time\":"
                + (1_700_000_000 + second)
                + ",\"stage\":\"Updating instance\",\"tags\":[\"db\"],\"total\":1,\"task\":\""
                + step
                + "\",\"index\":1,\"state\":\""
                + state
                + "\",\"progress\":0,\"data\":"
                + data
                + "}";
    }

    static String event(int second, String step, String state) {
        return event(second, step, state, "{}");
    }

    private static String status(String text) {
        return "{\"status\":\"" + text + "\"}";
    }

    /** Start, statuses and end of one step: the stage is said once, the end joins the last line. */
    @Test
    void oneStep() {
        var printer = new EventPrinter(pipe, 7);
        printer.accept(event(0, "db/1 (0)", "started"));
        printer.accept(event(1, "db/1 (0)", "in_progress", status("stopping jobs")));
        printer.accept(event(2, "db/1 (0)", "in_progress", status("stopping jobs")));
        printer.accept(event(3, "db/1 (0)", "in_progress", status("starting jobs")));
        printer.accept(event(65, "db/1 (0)", "finished"));
        printer.finish();
        assertThat(shown())
                .isEqualTo(
                        """
                        Task 7 | 22:13:20 | Updating instance db: db/1 (0)
                        Task 7 | 22:13:21 | L stopping jobs: db/1 (0)
                        Task 7 | 22:13:23 | L starting jobs: db/1 (0) (00:01:05)
                        """);
    }

    /** Where steps run side by side, a line says again whose it is. */
    @Test
    void interleavedSteps() {
        var printer = new EventPrinter(pipe, 7);
        printer.accept(event(0, "a", "started"));
        printer.accept(event(0, "b", "started"));
        printer.accept(event(1, "a", "in_progress", status("starting jobs")));
        printer.accept(event(2, "b", "finished"));
        printer.accept(event(3, "a", "finished"));
        printer.finish();
        assertThat(shown())
                .isEqualTo(
                        """
                        Task 7 | 22:13:20 | Updating instance db: a
                        Task 7 | 22:13:20 | Updating instance db: b
                        Task 7 | 22:13:21 | Updating instance db: a
                        Task 7 | 22:13:21 | L starting jobs: a
                        Task 7 | 22:13:22 | Updating instance db: b (00:00:02)
                        Task 7 | 22:13:23 | Updating instance db: a (00:00:03)
                        """);
    }

    /** A failed step shows its error below, the task's own error on a line of its own. */
    @Test
    void failure() {
        var printer = new EventPrinter(pipe, 12);
        printer.accept(event(0, "a", "started"));
        printer.accept(event(4, "a", "failed", "{\"error\":\"no answer\"}"));
        printer.accept(
                "{\"time\":1700000005,\"error\":{\"code\":400007,\"message\":\"a failed\"}}");
        printer.accept("{\"time\":1700000006,\"type\":\"warning\",\"message\":\"mind\"}");
        printer.finish();
        assertThat(shown())
                .isEqualTo(
                        """
                        Task 12 | 22:13:20 | Updating instance db: a (00:00:04)
                                           L Error: no answer
                        Task 12 | 22:13:25 | Error: a failed
                        Task 12 | 22:13:26 | Warning: mind
                        """);
    }

    /** On a terminal the times of the whole follow; lines that are no events are passed over. */
    @Test
    void summary() {
        var printer = new EventPrinter(screen(Screen.Style.TERMINAL), 7);
        printer.accept("");
        printer.accept("not json");
        assertThat(printer.saidNothing()).isTrue();
        printer.accept(event(0, "a", "started"));
        printer.accept(event(62, "a", "finished"));
        printer.finish();
        assertThat(shown())
                .endsWith(
                        """

                        Task 7 Started  Tue Nov 14 22:13:20 UTC 2023
                        Task 7 Finished Tue Nov 14 22:14:22 UTC 2023
                        Task 7 Duration 00:01:02
                        """);
    }
}
