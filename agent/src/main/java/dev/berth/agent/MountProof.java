package dev.berth.agent;

import dev.berth.model.DiskCid;

/** What the agent can say of the persistent disk at a live place. */
sealed interface MountProof {
    /** No disk belongs here. */
    record None() implements MountProof {}

    /** The expected disk is mounted where it should be, carries its identity and can be written. */
    record Proven(DiskCid cid) implements MountProof {}

    /**
     * A disk belongs here but is not proven; containers with data must not run.
     *
     * @param planned whether this is a moment of the agent's own work, no trouble
     */
    record Unproven(String reason, boolean planned) implements MountProof {
        Unproven(String reason) {
            this(reason, false);
        }
    }
}
