package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.VmCid;

/** Finds out what became of a VM. */
@FunctionalInterface
public interface EvidencePort {
    /**
     * May block, for a minute at most: it is called on threads of its own, several at a time. May
     * ping the agent, may ask the cloud; an exception counts as {@link Evidence#UNKNOWN} with its
     * message as the reason.
     */
    Answer look(AgentId agent, VmCid vm);

    /**
     * @param reason for {@link Evidence#REFUSED}: why; else empty
     */
    record Answer(Evidence evidence, String reason) {
        public static Answer of(Evidence evidence) {
            return new Answer(evidence, "");
        }
    }
}
