package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who there should be, as the director knows it; whole, not a difference.
 *
 * @param busy deployment to the task that changes it now; repairs asked for by the monitor need not
 *     be in it
 */
public record Fleet(List<Member> members, Map<String, String> busy) {
    /**
     * @param agent null when the instance has no VM
     * @param vm the same
     * @param state wished: {@code started}, {@code stopped}, {@code detached}
     * @param ignored a person said that nobody is to touch it
     */
    public record Member(
            InstanceId instance,
            String deployment,
            String group,
            @Nullable String az,
            @Nullable AgentId agent,
            @Nullable VmCid vm,
            String state,
            boolean ignored) {
        /** {@code group/uuid}. */
        public String text() {
            return group + "/" + instance;
        }

        /** Why nobody is to touch it; null: it may be repaired. */
        @Nullable String heldBecause() {
            if (ignored) {
                return "it is ignored";
            }
            return state.equals("started") ? null : "it was " + state;
        }
    }
}
