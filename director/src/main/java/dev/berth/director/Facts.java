package dev.berth.director;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Diagnosis} goes by: the records, the cloud and the agents, as they were seen.
 *
 * @param disks also orphaned ones
 * @param openIntents acts that are under way or not settled: what they are about is left alone
 * @param inventory what carries this director's uuid; null: this CPI cannot list it
 * @param evidence of recorded VMs
 * @param agents what those of recorded VMs answered
 * @param networks cids of networks that cloud configs and the environment ask for; null: only one
 *     deployment is looked at
 */
record Facts(
        List<Rows.Deployment> deployments,
        List<Rows.Instance> instances,
        List<Rows.Vm> vms,
        List<Rows.Disk> disks,
        List<Rows.Ip> ips,
        List<Rows.Intent> openIntents,
        @Nullable List<CloudObject> inventory,
        Map<VmCid, VmEvidence> evidence,
        Map<AgentId, Heard> agents,
        @Nullable Set<String> networks) {
    /**
     * @param state {@code get_state}; null: no answer
     * @param error why there is none; empty when there is one
     */
    record Heard(@Nullable Map<String, Object> state, String error) {}

    /** Whether an act is under way that is about this VM. */
    boolean isBusy(Rows.Vm vm) {
        return openIntents.stream()
                .map(intent -> Fields.of(intent.payload(), "intent"))
                .anyMatch(about ->
                        about.string("vm", "").equals(vm.cid().value())
                                || about.string("agent", "").equals(vm.agent().value()));
    }
}
