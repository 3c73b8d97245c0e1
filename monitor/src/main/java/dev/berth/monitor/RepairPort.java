package dev.berth.monitor;

import dev.berth.model.InstanceId;
import java.util.List;

/** Has instances repaired. */
@FunctionalInterface
public interface RepairPort {
    /**
     * @param how the end in a sentence: the task and its error, if any
     */
    record Ended(boolean succeeded, String how) {}

    /**
     * Enqueues a repair task and returns when it has ended; called on a thread of its own. It may
     * find that nothing is to be done any more, which is success. An exception counts as failure.
     */
    Ended repair(String deployment, List<InstanceId> instances, String reason);
}
