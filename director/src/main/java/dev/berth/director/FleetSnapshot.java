package dev.berth.director;

import dev.berth.model.InstanceId;
import dev.berth.monitor.Fleet;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the judge is to know of the records: who there should be, of what, and who is busy. */
final class FleetSnapshot {
    private static final int MOST_TASKS = 1000;

    private FleetSnapshot() {}

    static Fleet of(Store store) {
        return store.read(FleetSnapshot::of);
    }

    private static Fleet of(StoreSession session) {
        Map<InstanceId, Rows.Vm> vms = new HashMap<>();
        session.vmsOf(null).stream().filter(Rows.Vm::active).forEach(v -> vms.put(v.instance(), v));
        Map<InstanceId, Set<String>> disks = disks(session);
        ResurrectionRules rules = ResurrectionRules.of(session);
        var members = new ArrayList<Fleet.Member>();
        for (Rows.Instance i : session.instances(null)) {
            Rows.Vm vm = vms.get(i.id());
            members.add(
                    new Fleet.Member(
                            i.id(),
                            i.deployment(),
                            i.group(),
                            i.az(),
                            vm == null ? null : vm.agent(),
                            vm == null ? null : vm.cid(),
                            i.state(),
                            i.ignored(),
                            new Fleet.Wished(containers(i), disks.getOrDefault(i.id(), Set.of())),
                            rules.bars(i.deployment(), i.group())));
        }
        return new Fleet(
                members,
                busy(session),
                session.spares().stream().map(Rows.Spare::agent).collect(Collectors.toSet()));
    }

    /** What is to be mounted; a raw disk is its container's alone. */
    private static Map<InstanceId, Set<String>> disks(StoreSession session) {
        return session.disksOf(null).stream()
                .filter(d -> d.instance() != null && d.active())
                .filter(d -> !DiskRecords.isRaw(d))
                .collect(
                        Collectors.groupingBy(
                                d -> java.util.Objects.requireNonNull(d.instance()),
                                Collectors.mapping(d -> d.cid().value(), Collectors.toSet())));
    }

    private static Set<String> containers(Rows.Instance i) {
        var names = new HashSet<String>();
        if (i.spec().get("containers") instanceof List<?> list) {
            for (Object container : list) {
                if (container instanceof Map<?, ?> map && map.get("name") instanceof String name) {
                    names.add(name);
                }
            }
        }
        HeldContainers.of(i).forEach(names::remove);
        return names;
    }

    private static Map<String, String> busy(StoreSession session) {
        Map<String, String> busy = new HashMap<>();
        for (Rows.Task task : session.tasks(Tasks.UNFINISHED, null, null, MOST_TASKS)) {
            String deployment = holder(task);
            if (deployment != null) {
                busy.put(deployment, "task " + task.id() + " (" + task.description() + ")");
            }
        }
        for (Rows.Deployment deployment : session.deployments()) {
            if (deployment.manifest() == null) {
                busy.putIfAbsent(
                        deployment.name(),
                        "its first deploy, which has not succeeded yet: deploy it again");
            }
        }
        return busy;
    }

    /** Repairs are the judge's own, and looking disturbs nobody. */
    private static @Nullable String holder(Rows.Task task) {
        boolean bystander =
                task.type().equals(DeploymentsApi.SCAN_AND_FIX) || task.type().equals("vms");
        return bystander ? null : task.deployment();
    }
}
