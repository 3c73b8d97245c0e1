package dev.berth.director;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The forms in which the API writes times; all in UTC and whole seconds. */
final class Times {
    private static final DateTimeFormatter UTC =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private Times() {}

    /** {@code 2016-01-09 06:23:25 UTC}. */
    static String utc(Instant time) {
        return UTC.format(time);
    }

    /** {@code 2016-01-09T06:23:25Z}. */
    static String rfc3339(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    static @Nullable Long unix(@Nullable Instant time) {
        return time == null ? null : time.getEpochSecond();
    }
}
