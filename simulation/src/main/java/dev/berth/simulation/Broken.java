package dev.berth.simulation;

/** A rule was broken, or the system did not come to rest. */
final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    Broken(String rule) {
        super(rule);
    }
}
