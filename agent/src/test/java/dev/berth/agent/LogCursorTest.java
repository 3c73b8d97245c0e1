package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.engine.LogEntry;
import dev.berth.model.Fields;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A log that grows while it is read: each line once. */
class LogCursorTest {
    private static final Instant START = Instant.parse("2024-05-01T10:00:00Z");

    private final List<LogEntry> log = new ArrayList<>();
    private final List<String> read = new ArrayList<>();
    private String cursor = "";

    /** As the engine answers: from a time on, or the last so many. */
    private boolean page(int most) {
        var reading =
                cursor.isEmpty()
                        ? LogCursor.Reading.first()
                        : LogCursor.Reading.from(LogCursor.parse(cursor));
        Instant since = cursor.isEmpty() ? null : LogCursor.parse(cursor).since();
        var page = new LogPage(reading, most);
        int from = since == null ? Math.max(0, log.size() - most) : 0;
        for (LogEntry entry : List.copyOf(log.subList(from, log.size()))) {
            boolean asked = since == null || !entry.at().isBefore(since);
            if (asked && !page.test(entry)) {
                break;
            }
        }
        Fields answer = Fields.of(page.toTree(), "page");
        answer.objects("lines").forEach(l -> read.add(l.string("text")));
        cursor = answer.string("cursor");
        return answer.flag("more", false);
    }

    private void add(boolean stderr, long millis, String text) {
        log.add(new LogEntry(stderr, START.plusMillis(millis), text));
    }

    /**
     * Equal times, streams filed in the wrong order by up to two seconds, bursts larger than a
     * page, long silences of one stream: nothing twice, nothing lost.
     */
    @Test
    void everyLineOnce() {
        for (int seed = 0; seed < 300; seed++) {
            log.clear();
            read.clear();
            cursor = "";
            var random = new Random(seed);
            long[] clock = {0, 0};
            int lines = 0;
            add(false, 0, "first\n");
            page(10);
            for (int round = 0; round < 30; round++) {
                int burst = random.nextInt(40);
                for (int i = 0; i < burst; i++) {
                    int stream = random.nextInt(10) < 2 ? 1 : 0;
                    clock[stream] += random.nextInt(3);
                    clock[stream] = Math.max(clock[stream], clock[1 - stream] - 2000);
                    add(stream == 1, clock[stream], "line " + lines++ + "\n");
                }
                clock[0] += random.nextInt(4000);
                int pages = 0;
                while (page(7)) {
                    assertThat(++pages).as("seed %s", seed).isLessThan(200);
                }
            }
            List<String> all = IntStream.range(0, lines).mapToObj(n -> "line " + n).toList();
            assertThat(read.subList(1, read.size()))
                    .as("seed %s", seed)
                    .containsExactlyInAnyOrderElementsOf(all);
        }
    }

    /** The first page is the end of the log, and what was before it does not come later. */
    @Test
    void theTailIsTheBeginning() {
        add(true, 0, "old error\n");
        for (int i = 1; i <= 9; i++) {
            add(false, i, "line " + i + "\n");
        }
        page(3);
        page(3);
        assertThat(read).containsExactly("line 7", "line 8", "line 9");
        add(true, 20, "new error\n");
        page(3);
        assertThat(read).endsWith("new error");
    }

    /** Pieces of a long line are one line again; an empty log has a cursor too. */
    @Test
    void piecesAreJoined() {
        page(3);
        assertThat(read).isEmpty();
        add(false, 1, "a".repeat(10));
        add(true, 1, "between\n");
        add(false, 1, "b\n");
        page(10);
        assertThat(read).containsExactly("aaaaaaaaaab", "between");
        page(10);
        assertThat(read).hasSize(2);
    }

    /** What is too much for one message comes in several. */
    @Test
    void aMessageHasABound() {
        for (int i = 0; i < 100; i++) {
            add(false, i, "\u0001".repeat(10_000) + "\n");
        }
        boolean more = page(1000);
        assertThat(more).isTrue();
        assertThat(read.size()).isBetween(5, 20);
        while (page(1000)) {}
        assertThat(read).hasSize(100);
        assertThatThrownBy(() -> LogCursor.parse("nonsense"))
                .isInstanceOf(ActionException.class)
                .hasMessageContaining("nonsense");
    }

    /** A command's output is cut where the message is full. */
    @Test
    void textsAreCutByWhatTheyCost() {
        assertThat(WireText.first("abc", 2)).isEqualTo("ab");
        assertThat(WireText.last("abc", 2)).isEqualTo("bc");
        assertThat(WireText.first("\u0001b", 6)).isEqualTo("\u0001");
        assertThat(WireText.bytes("a\n\"é")).isEqualTo(1 + 2 + 2 + 3);
    }
}
