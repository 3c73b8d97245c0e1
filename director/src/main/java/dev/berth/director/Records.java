package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.planner.Recorded;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The store's rows as the planner sees them. */
final class Records {
    private Records() {}

    static Recorded of(Store store, String deployment) {
        return store.read(session -> read(session, deployment));
    }

    /** Four queries, whatever the number of instances. */
    private static Recorded read(StoreSession session, String deployment) {
        Map<Object, List<Rows.Vm>> vms =
                session.vmsOf(deployment).stream()
                        .collect(Collectors.groupingBy(Rows.Vm::instance));
        Map<Object, List<Rows.Disk>> disks =
                session.disksOf(deployment).stream()
                        .filter(d -> d.instance() != null)
                        .collect(Collectors.groupingBy(Rows.Disk::instance));
        List<Rows.Ip> ips = session.ips();
        Map<Object, List<Rows.Ip>> held =
                ips.stream().collect(Collectors.groupingBy(Rows.Ip::instance));
        List<Recorded.Instance> instances =
                session.instances(deployment).stream()
                        .map(i ->
                                instance(
                                        i,
                                        vms.getOrDefault(i.id(), List.of()),
                                        disks.getOrDefault(i.id(), List.of()),
                                        held.getOrDefault(i.id(), List.of())))
                        .toList();
        Map<String, String> tags = new LinkedHashMap<>();
        session.deployment(deployment)
                .ifPresent(d ->
                        d.tags().forEach((key, value) -> tags.put(key, String.valueOf(value))));
        return new Recorded(
                instances, ips.stream().map(Rows.Ip::address).collect(Collectors.toSet()), tags);
    }

    private static Recorded.Instance instance(
            Rows.Instance i, List<Rows.Vm> vms, List<Rows.Disk> disks, List<Rows.Ip> ips) {
        Map<String, String> addresses = new LinkedHashMap<>();
        ips.forEach(ip -> addresses.put(ip.network(), ip.address()));
        return new Recorded.Instance(
                i.id(),
                i.group(),
                i.index(),
                i.az(),
                i.state(),
                i.bootstrap(),
                i.ignored(),
                i.updateCompleted(),
                String.valueOf(i.spec().getOrDefault("configuration_hash", "")),
                addresses,
                vm(vms),
                disks(disks, vms),
                null);
    }

    private static Recorded.@Nullable Vm vm(List<Rows.Vm> vms) {
        return vms.stream()
                .filter(Rows.Vm::active)
                .findFirst()
                .map(v -> new Recorded.Vm(v.agent(), v.cid(), shape(v.shape())))
                .orElse(null);
    }

    private static List<Recorded.Disk> disks(List<Rows.Disk> disks, List<Rows.Vm> vms) {
        String usual =
                vms.stream()
                        .filter(Rows.Vm::active)
                        .findFirst()
                        .map(v -> usualFileSystem(shape(v.shape()).env()))
                        .orElse("");
        return disks.stream().map(d -> DiskRecords.recorded(d, usual)).toList();
    }

    /** What the agent formats disks with where nothing else is said; as BOSH's. */
    static String usualFileSystem(Map<String, Object> env) {
        return Fields.of(env, "env").string("persistent_disk_fs", "ext4");
    }

    static Step.VmShape shape(Map<String, Object> tree) {
        Fields f = Fields.of(tree, "vm shape");
        Fields stemcell = f.object("stemcell");
        return new Step.VmShape(
                f.string("cpi", ""),
                stemcell.string("name", "") + "/" + stemcell.string("version", ""),
                f.string("stemcell_cid", ""),
                (int) stemcell.integer("api_version", 1),
                f.object("cloud_properties").tree(),
                f.object("env").tree(),
                f.object("networks").tree());
    }
}
