package dev.berth.supervisor;

/** Hears of changes in order, on a thread of the supervisor's; a slow one misses some. */
@FunctionalInterface
public interface SupervisorListener {
    void changed(StateChange change);
}
