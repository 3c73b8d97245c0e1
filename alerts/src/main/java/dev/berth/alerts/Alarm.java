package dev.berth.alerts;

import org.jspecify.annotations.Nullable;

/**
 * A trouble as those who watch see it.
 *
 * @param key stable: the same trouble has the same key, and raising it again changes it
 * @param severity 1 alert, 2 critical, 3 error, 4 warning: lower is worse
 * @param deployment null when it concerns none, or several
 * @param group instance group; null when it is about no instance
 * @param az its zone; null when it has none
 * @param source who says so, in BOSH's words; null: the monitor
 */
public record Alarm(
        String key,
        Kind kind,
        int severity,
        String title,
        String summary,
        @Nullable String deployment,
        @Nullable String group,
        @Nullable String az,
        @Nullable String source) {
    /** How it goes together with others. */
    public enum Kind {
        /** An instance is down: many at once have one cause. */
        DOWN,
        /** It follows from instances of its deployment that are down, and joins their alert. */
        CONSEQUENCE,
        /** For itself. */
        OWN,
        /** It happened, and nobody will say that it is over. */
        EVENT
    }
}
