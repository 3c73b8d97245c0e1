package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Time as it is told, but never backwards. */
class ForwardClockTest {
    private Instant told = Instant.parse("2026-01-01T00:00:00Z");
    private long nanos = -5; // its zero is anywhere

    private final ForwardClock clock =
            new ForwardClock(
                    new Clock() {
                        @Override
                        public Instant now() {
                            return told;
                        }

                        @Override
                        public void sleep(Duration time) {
                            pass(time);
                        }
                    },
                    () -> nanos);

    private void pass(Duration time) {
        told = told.plus(time);
        nanos += time.toNanos();
    }

    @Test
    void itTellsWhatItIsTold() {
        pass(Duration.ofMinutes(3));
        assertThat(clock.now()).isEqualTo(told);
        told = told.plusSeconds(3600); // set forward
        assertThat(clock.now()).isEqualTo(told);
    }

    @Test
    void setBackItGoesOnAtItsPaceUntilTheOtherHasCaughtUp() {
        pass(Duration.ofSeconds(1));
        Instant before = clock.now();
        told = told.minus(Duration.ofDays(1));
        for (int i = 1; i <= 100; i++) {
            pass(Duration.ofMillis(250));
            assertThat(clock.now()).isEqualTo(before.plusMillis(250L * i));
        }
        told = told.plus(Duration.ofDays(2));
        assertThat(clock.now()).isEqualTo(told);
    }

    @Test
    void aSmallCorrectionIsWaitedOut() {
        Instant before = clock.now();
        told = told.minusMillis(800);
        pass(Duration.ofMillis(300));
        assertThat(clock.now()).isEqualTo(before);
        pass(Duration.ofMillis(700));
        assertThat(clock.now()).isEqualTo(told).isAfter(before);
    }

    /** An agent that begins on a clock set back by a day waits no day. */
    @Test
    void rememberedTimesComeBackToThePresent() {
        var m = new Memo();
        m.lastDelay = Duration.ofSeconds(8);
        m.nextTry = told.plus(Duration.ofDays(1));
        m.aheadNextTry = told.plus(Duration.ofDays(1));
        m.readySince = told.plus(Duration.ofDays(1));
        m.lastStart = told.minusSeconds(5);
        SetBack.mend(java.util.List.of(m), told);
        assertThat(m.nextTry).isEqualTo(told.plusSeconds(8));
        assertThat(m.aheadNextTry).isEqualTo(told.plus(BackOff.LONGEST));
        assertThat(m.readySince).isEqualTo(told);
        assertThat(m.lastStart).isEqualTo(told.minusSeconds(5));
    }
}
