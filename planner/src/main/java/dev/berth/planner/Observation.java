package dev.berth.planner;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What was seen of an instance just now. */
public sealed interface Observation {
    /**
     * Its agent answers.
     *
     * @param jobState {@code running}, {@code starting}, {@code failing}, {@code stopped}, {@code
     *     unknown}
     * @param configurationHash of the spec the agent holds; empty: none
     * @param disks cids the agent has mounted and proven; null when it did not say
     */
    record Answers(String jobState, String configurationHash, @Nullable List<String> disks)
            implements Observation {
        /** A raw disk is never mounted: that it is attached is all there is. */
        boolean hasMounted(Recorded.Disk disk) {
            return disks == null || disk.raw() || disks.contains(disk.cid().value());
        }
    }

    /** The VM is there and its agent is silent. */
    record Silent(String lastSeen) implements Observation {}

    /** The cloud has the VM, switched off. */
    record Stopped() implements Observation {}

    /** The cloud says the VM is gone. */
    record Gone() implements Observation {}

    /** A crash left the VM half-made: created, and its agent never welcomed. Nothing is on it. */
    record Unfinished() implements Observation {}

    /** The instance has no VM to look at. */
    record NoVm() implements Observation {}
}
