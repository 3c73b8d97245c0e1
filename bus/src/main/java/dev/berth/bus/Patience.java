package dev.berth.bus;

import java.time.Duration;

/**
 * How long a message may stay without a reply, and how often it is sent meanwhile. Messages get
 * lost: when the bus restarts, and when an agent is not there yet.
 *
 * @param window until giving up, whatever the call's own limit
 * @param firstGap before the first repetition; the gap doubles up to {@code longestGap}
 */
record Patience(Duration window, Duration firstGap, Duration longestGap) {
    /** What the protocol gives any message. */
    private static final Duration MESSAGE = Duration.ofSeconds(45);

    private static final Duration NEVER = Duration.ofDays(1);

    static Patience of(String method) {
        return switch (method) {
            // Asked of agents that boot: each lost moment is one of the deploy.
            case "ping" -> new Patience(NEVER, Duration.ofMillis(50), Duration.ofMillis(400));
            case "info", "cancel_task", "disk_report" -> reading(1);
            case "get_state" -> reading(3);
            case "get_task" -> reading(5);
            case "upload_blob" -> new Patience(MESSAGE.multipliedBy(4), MESSAGE, MESSAGE);
            // Anything else is done once or not known to be done.
            default -> new Patience(MESSAGE, NEVER, NEVER);
        };
    }

    private static Patience reading(int windows) {
        return new Patience(
                MESSAGE.multipliedBy(windows), Duration.ofSeconds(1), Duration.ofSeconds(8));
    }

    /** Whether sending it twice does no harm. */
    boolean isRepeatable() {
        return firstGap.compareTo(NEVER) < 0;
    }
}
