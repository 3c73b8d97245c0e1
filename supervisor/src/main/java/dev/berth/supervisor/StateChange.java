package dev.berth.supervisor;

import java.time.Instant;

/**
 * A container went from one state to another, or its failures were forgotten.
 *
 * @param failures in a row, as the back-off counts
 */
public record StateChange(
        String container,
        ContainerState from,
        ContainerState to,
        String reason,
        int failures,
        Severity severity,
        Instant at) {
    /** How loud to be about it. */
    public enum Severity {
        /** The ordinary course of things. */
        NONE,
        /** The first failure, or something that cannot heal by itself. */
        WARNING,
        /** The fifth failure in a row. */
        ERROR,
        /** The ninth failure in a row: one try a minute from here on. */
        CRITICAL,
        /** Ready for long enough after failures: the counter is back at zero. */
        RESOLVED
    }
}
