package dev.berth.planner;

import dev.berth.model.InstanceId;

/** Where the ids of new instances come from: random in production, seeded in tests. */
@FunctionalInterface
public interface IdSource {
    /** An id never given before. */
    InstanceId next();
}
