package dev.berth.director;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The VMs whose agents need a certificate: of instances, and spare ones. */
final class AgentsThere {
    private AgentsThere() {}

    /** A spare VM stands as one of an instance with the id of its agent, which there is not. */
    static List<Rows.Vm> of(Store store) {
        return store.read(s -> {
            List<Rows.Vm> all = new ArrayList<>(s.vmsOf(null));
            Set<AgentId> known = new HashSet<>();
            all.forEach(vm -> known.add(vm.agent()));
            for (Rows.Spare spare : s.spares()) {
                if (spare.cid() != null
                        && !spare.is(Rows.Spare.LEAVING)
                        && known.add(spare.agent())) {
                    all.add(
                            new Rows.Vm(
                                    spare.agent(),
                                    spare.cid(),
                                    new InstanceId(spare.agent().value()),
                                    "",
                                    spare.shape(),
                                    true,
                                    false,
                                    spare.createdAt()));
                }
            }
            return all;
        });
    }
}
