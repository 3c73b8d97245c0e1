package dev.berth.simulation;

import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import dev.berth.testkit.SimClock;
import dev.berth.testkit.SimulatedCrash;
import java.util.function.Function;

/**
 * The database as one process of the director has it: the process may die before or after a write.
 */
record CrashingStore(Store inner, SimClock.Group process, Crashes crashes, Trace trace)
        implements Store {
    @Override
    public <T> T read(Function<StoreSession, T> block) {
        if (process.isDead()) {
            throw new SimulatedCrash(process + " is dead");
        }
        return inner.read(block);
    }

    @Override
    public <T> T write(Function<StoreSession, T> block) {
        crashes.moment(process, "before a write");
        T result = inner.write(block);
        trace.wrote();
        crashes.moment(process, "after a write");
        return result;
    }

    /** The database outlives the process. */
    @Override
    public void close() {}
}
