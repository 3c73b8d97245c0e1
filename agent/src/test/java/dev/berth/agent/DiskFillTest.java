package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a disk will be full, and when that is a trouble. */
class DiskFillTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final long GIB = 1L << 30;

    private static DiskTools.Space space(long used, long total) {
        return new DiskTools.Space(total, used, total - used);
    }

    /** A look every five seconds would make no other picture: samples are ten minutes apart. */
    @Test
    void aSteadyGrowthIsFoldedOut() {
        DiskFill fill = DiskFill.NEW;
        long total = 100 * GIB;
        for (int minute = 0; minute <= 24 * 60; minute++) {
            Instant now = START.plus(Duration.ofMinutes(minute));
            fill = fill.seen(now, space(GIB * minute / 144, total)); // 10 GiB a day
        }
        assertThat(fill.daysToFull(space(10 * GIB, total)).orElseThrow())
                .isCloseTo(9, within(0.05));
        assertThat(fill.alarmed()).isFalse();
        assertThat(fill.samples()).hasSizeLessThanOrEqualTo(145);
    }

    @Test
    void whatDoesNotGrowNeverFills() {
        DiskFill fill = DiskFill.NEW;
        for (int i = 0; i < 200; i++) {
            // a log that is rotated each hour, and a little less each time
            long used = 10 * GIB + (i % 6) * GIB / 10 - i * 1_000_000L;
            fill = fill.seen(START.plus(Duration.ofMinutes(10L * i)), space(used, 20 * GIB));
        }
        assertThat(fill.daysToFull(space(10 * GIB, 20 * GIB))).isEmpty();
        assertThat(fill.alarmed()).isFalse();
    }

    @Test
    void anHourIsTheLeastToJudgeBy() {
        DiskFill fill =
                DiskFill.NEW
                        .seen(START, space(0, GIB))
                        .seen(START.plus(Duration.ofMinutes(30)), space(GIB / 2, GIB));
        assertThat(fill.daysToFull(space(GIB / 2, GIB))).isEmpty();
        fill = fill.seen(START.plus(Duration.ofMinutes(60)), space(GIB / 2, GIB));
        assertThat(fill.daysToFull(space(GIB / 2, GIB))).isPresent();
    }

    /** For any pace and any size: right within what one sample is off, and never out of bounds. */
    @Test
    void anyPaceIsFound() {
        var random = new Random(42);
        for (int run = 0; run < 500; run++) {
            double perDay = Math.exp(random.nextDouble() * 10) * 1_000_000;
            long total = (long) (perDay * (3 + random.nextInt(300)));
            int hours = 2 + random.nextInt(60);
            long base = (long) (random.nextDouble() * total / 4);
            DiskFill fill = DiskFill.NEW;
            long used = base;
            for (int minute = 0; minute <= hours * 60; minute += 1 + random.nextInt(9)) {
                used = base + (long) (perDay * minute / 1440);
                fill = fill.seen(START.plus(Duration.ofMinutes(minute)), space(used, total));
            }
            double expected = (total - used) / perDay;
            assertThat(fill.daysToFull(space(used, total)).orElseThrow())
                    .as("run %d", run)
                    .isCloseTo(expected, within(expected * 0.02 + 0.01));
            assertThat(fill.samples().getLast().at())
                    .isBeforeOrEqualTo(fill.samples().getFirst().at().plus(DiskFill.WINDOW));
        }
    }

    @Test
    void aClockThatIsSetBackStartsAnew() {
        DiskFill fill = DiskFill.NEW;
        for (int hour = 0; hour < 20; hour++) {
            fill = fill.seen(START.plus(Duration.ofHours(hour)), space(hour * GIB, 100 * GIB));
        }
        fill = fill.seen(START.minus(Duration.ofDays(9)), space(20 * GIB, 100 * GIB));
        assertThat(fill.samples()).hasSize(1);
    }

    @Test
    void theAlarmBeginsBeforeItIsFullAndEndsWhenThatIsClearlyOver() {
        DiskFill fill = DiskFill.NEW.seen(START, space(91, 100));
        assertThat(fill.alarmed()).isTrue();
        fill = fill.seen(START.plusSeconds(5), space(88, 100));
        assertThat(fill.alarmed()).isTrue();
        fill = fill.seen(START.plusSeconds(10), space(84, 100));
        assertThat(fill.alarmed()).isFalse();
        fill = fill.seen(START.plusSeconds(15), space(89, 100));
        assertThat(fill.alarmed()).isFalse();
        for (int hour = 1; hour <= 2; hour++) { // half a percent an hour: 30 hours are left
            fill = fill.seen(START.plus(Duration.ofHours(hour)), space(890 + hour * 5, 1000));
        }
        assertThat(fill.alarmed()).isTrue();
    }

    @TempDir Path folder = Path.of("");

    /** What was seen before a restart of the agent counts after it. */
    @Test
    void samplesAndAlarmOutliveTheAgent() {
        var layout = Layout.of(folder);
        var cid = new DiskCid("disk-a");
        var clock = new SkippingClock();
        var told = new java.util.ArrayList<Workload.Trouble>();
        for (int hour = 0; hour < 5; hour++) {
            told.add(new DiskFills(layout, clock).look("", cid, space(hour * GIB, 20 * GIB)));
            clock.sleep(Duration.ofHours(1));
        }
        assertThat(told.getLast().resolved()).isFalse();
        assertThat(told.getLast().summary())
                .contains("full in 0.7 days")
                .contains("20 % of 20480 MiB");
        var fills = new DiskFills(layout, (Clock) clock);
        assertThat(fills.daysToFull(cid, space(4 * GIB, 20 * GIB))).isPresent();
        fills.forget(cid);
        assertThat(new DiskFills(layout, clock).daysToFull(cid, space(4 * GIB, 20 * GIB)))
                .isEmpty();
    }
}
