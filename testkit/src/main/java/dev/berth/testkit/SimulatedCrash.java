package dev.berth.testkit;

/** The process ends here: thrown through all code of it, which must not catch it. */
public final class SimulatedCrash extends Error {
    private static final long serialVersionUID = 1;

    public SimulatedCrash(String where) {
        super(where, null, false, false);
    }
}
