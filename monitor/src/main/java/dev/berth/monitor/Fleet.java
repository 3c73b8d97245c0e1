package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who there should be, as the director knows it; whole, not a difference.
 *
 * @param busy deployment to the task that changes it now; repairs asked for by the monitor need not
 *     be in it
 * @param spares agents of VMs that belong to no instance yet: their owner watches them
 */
public record Fleet(List<Member> members, Map<String, String> busy, Set<AgentId> spares) {
    public Fleet(List<Member> members, Map<String, String> busy) {
        this(members, busy, Set.of());
    }

    /**
     * @param agent null when the instance has no VM
     * @param vm the same
     * @param state wished: {@code started}, {@code stopped}, {@code detached}
     * @param ignored a person said that nobody is to touch it
     * @param wished what its agent is to tell of when all is well
     * @param barred why a rule of the operator keeps it from being repaired; null: none does
     */
    public record Member(
            InstanceId instance,
            String deployment,
            String group,
            @Nullable String az,
            @Nullable AgentId agent,
            @Nullable VmCid vm,
            String state,
            boolean ignored,
            Wished wished,
            @Nullable String barred) {
        public Member(
                InstanceId instance,
                String deployment,
                String group,
                @Nullable String az,
                @Nullable AgentId agent,
                @Nullable VmCid vm,
                String state,
                boolean ignored) {
            this(instance, deployment, group, az, agent, vm, state, ignored, Wished.NOTHING, null);
        }

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

    /**
     * What an instance that is to be started consists of.
     *
     * @param containers names, without those that a person holds stopped
     * @param disks cids of those that are to be mounted
     */
    public record Wished(Set<String> containers, Set<String> disks) {
        public static final Wished NOTHING = new Wished(Set.of(), Set.of());
    }
}
