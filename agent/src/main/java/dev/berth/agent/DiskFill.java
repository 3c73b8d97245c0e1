package dev.berth.agent;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How one disk fills: its use over the last day, and whether that is a trouble. Pure.
 *
 * @param samples the oldest first, none younger than {@link #STEP} after the one before
 * @param alarmed whether it was a trouble at the last look
 */
record DiskFill(List<Sample> samples, boolean alarmed) {
    /** What was in use at a moment, in bytes. */
    record Sample(Instant at, long used) {}

    static final DiskFill NEW = new DiskFill(List.of(), false);
    static final Duration STEP = Duration.ofMinutes(10);

    /** A day has the nightly work of most databases in it once. */
    static final Duration WINDOW = Duration.ofDays(1);

    /** Shorter, and one large import would be taken for a habit. */
    static final Duration LEAST = Duration.ofHours(1);

    private static final double ALARM_DAYS = 3;
    private static final double CALM_DAYS = 4;
    private static final double ALARM_PERCENT = 90;
    private static final double CALM_PERCENT = 85;
    private static final double DAY_SECONDS = 86_400;

    /** Beyond this nobody plans. */
    private static final double MOST_DAYS = 3650;

    DiskFill {
        samples = List.copyOf(samples);
    }

    /** After one more look. */
    DiskFill seen(Instant now, DiskTools.Space space) {
        var kept = new ArrayList<Sample>();
        for (Sample sample : samples) {
            // A clock that was set back leaves samples of a time that has not come yet.
            if (!sample.at().isAfter(now) && !sample.at().isBefore(now.minus(WINDOW))) {
                kept.add(sample);
            }
        }
        if (kept.isEmpty() || !kept.getLast().at().isAfter(now.minus(STEP))) {
            kept.add(new Sample(now, space.used()));
        }
        var next = new DiskFill(kept, alarmed);
        return new DiskFill(kept, next.isTrouble(space));
    }

    /** At the pace of the last day; empty when it does not grow, or is not known long enough. */
    OptionalDouble daysToFull(DiskTools.Space space) {
        if (samples.size() < 2
                || Duration.between(samples.getFirst().at(), samples.getLast().at())
                                .compareTo(LEAST)
                        < 0) {
            return OptionalDouble.empty();
        }
        double perSecond = bytesPerSecond();
        if (perSecond <= 0) {
            return OptionalDouble.empty();
        }
        double days = space.available() / perSecond / DAY_SECONDS;
        return days > MOST_DAYS ? OptionalDouble.empty() : OptionalDouble.of(days);
    }

    /** The line nearest to all samples: what goes up and down again is no growth. */
    private double bytesPerSecond() {
        Instant origin = samples.getFirst().at();
        double meanTime = 0;
        double meanUsed = 0;
        for (Sample s : samples) {
            meanTime += seconds(origin, s) / samples.size();
            meanUsed += (double) s.used() / samples.size();
        }
        double above = 0;
        double below = 0;
        for (Sample s : samples) {
            double time = seconds(origin, s) - meanTime;
            above += time * (s.used() - meanUsed);
            below += time * time;
        }
        return below == 0 ? 0 : above / below;
    }

    private static double seconds(Instant origin, Sample sample) {
        return Duration.between(origin, sample.at()).toMillis() / 1000.0;
    }

    static double percent(DiskTools.Space space) {
        long reachable = space.used() + space.available();
        return reachable == 0 ? 100 : 100.0 * space.used() / reachable;
    }

    /** Once begun it lasts until it is clearly over. */
    private boolean isTrouble(DiskTools.Space space) {
        double days = daysToFull(space).orElse(Double.MAX_VALUE);
        double percent = percent(space);
        return alarmed
                ? days <= CALM_DAYS || percent >= CALM_PERCENT
                : days < ALARM_DAYS || percent > ALARM_PERCENT;
    }
}
