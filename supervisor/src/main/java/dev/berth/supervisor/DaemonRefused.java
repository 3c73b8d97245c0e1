package dev.berth.supervisor;

/**
 * The daemon does not take its new settings; it runs on with those before. The message holds its
 * own words.
 */
public final class DaemonRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DaemonRefused(String message) {
        super(message);
    }
}
