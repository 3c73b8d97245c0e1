package dev.berth.testkit;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.model.AgentId;
import dev.berth.model.Digests;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A CPI over a {@link FakeCloud}, with the same answers and refusals as a real one. Every call goes
 * through the hooks: they may wait on a virtual clock, or throw, before the effect or after it.
 */
public final class FakeCpi implements Cpi {
    /** One call, as it was asked. */
    public record Call(String method, CpiContext context, List<@Nullable Object> arguments) {
        @Override
        public String toString() {
            return method + arguments + " for " + context.requestId();
        }
    }

    /**
     * Latency and faults. What is thrown before leaves the cloud as it was; what is thrown after is
     * a call that happened and whose answer was lost.
     */
    public interface Hook {
        default void before(Call call) {}

        default void after(Call call) {}
    }

    private final FakeCloud cloud;
    private final List<Hook> hooks = new CopyOnWriteArrayList<>();
    private final List<Call> calls = new ArrayList<>();

    public FakeCpi() {
        this(new FakeCloud());
    }

    /** Several CPIs, as of several directors or of one restarted, may share a cloud. */
    public FakeCpi(FakeCloud cloud) {
        this.cloud = cloud;
    }

    public FakeCloud cloud() {
        return cloud;
    }

    public FakeCpi hook(Hook hook) {
        hooks.add(hook);
        return this;
    }

    /** All calls so far, in the order they were made. */
    public List<Call> calls() {
        synchronized (calls) {
            return List.copyOf(calls);
        }
    }

    private <T> T call(
            CpiContext context, String method, Supplier<T> effect, @Nullable Object... arguments) {
        var call = new Call(method, context, new ArrayList<>(Arrays.asList(arguments)));
        synchronized (calls) {
            calls.add(call);
        }
        hooks.forEach(hook -> hook.before(call));
        T result = effect.get();
        hooks.forEach(hook -> hook.after(call));
        return result;
    }

    private void act(
            CpiContext context, String method, Runnable effect, @Nullable Object... arguments) {
        call(
                context,
                method,
                () -> {
                    effect.run();
                    return true;
                },
                arguments);
    }

    private static CpiException error(Type type, String message) {
        return new CpiException(type, message);
    }

    private FakeCloud.Vm vm(VmCid cid) {
        return told(cid).orElseThrow(() -> error(Type.VM_NOT_FOUND, "no VM " + cid));
    }

    private Optional<FakeCloud.Vm> told(VmCid cid) {
        return cloud.isHidden(cid) ? Optional.empty() : cloud.vm(cid);
    }

    private FakeCloud.Disk disk(DiskCid cid) {
        return cloud.disk(cid).orElseThrow(() -> error(Type.DISK_NOT_FOUND, "no disk " + cid));
    }

    @Override
    public Info info() {
        return new Info(3, List.of("berth-tar", "warden-tar"));
    }

    // --- stemcells

    @Override
    public StemcellCid createStemcell(
            CpiContext context,
            Path image,
            Map<String, Object> properties,
            Map<String, String> tags) {
        return call(
                context,
                "create_stemcell",
                () ->
                        cloud.atomically(() -> {
                            String text = image + Json.canonical(properties);
                            var cid =
                                    new StemcellCid("sc-" + Digests.sha256(text).substring(0, 16));
                            cloud.stemcells().put(cid, text);
                            return cid;
                        }),
                image,
                properties);
    }

    @Override
    public void deleteStemcell(CpiContext context, StemcellCid stemcell) {
        act(
                context,
                "delete_stemcell",
                () ->
                        cloud.atomically(() -> {
                            if (cloud.vms().stream()
                                    .anyMatch(vm -> vm.stemcell().equals(stemcell))) {
                                throw error(Type.CLOUD_ERROR, "stemcell " + stemcell + " is used");
                            }
                            return Optional.ofNullable(cloud.stemcells().remove(stemcell));
                        }),
                stemcell);
    }

    // --- VMs

    @Override
    public VmCid createVm(
            CpiContext context,
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            List<DiskCid> disks,
            Map<String, Object> env) {
        var cid = new VmCid("vm-" + agent);
        var vm =
                new FakeCloud.Vm(
                        cid,
                        agent,
                        stemcell,
                        context.directorUuid(),
                        context.requestId(),
                        cloudProperties,
                        networks,
                        env,
                        Map.of(),
                        true,
                        1);
        return call(
                context,
                "create_vm",
                () -> {
                    cloud.atomically(() -> added(vm));
                    cloud.started(vm);
                    return cid;
                },
                agent,
                stemcell,
                cloudProperties,
                networks,
                disks);
    }

    private FakeCloud.Vm added(FakeCloud.Vm vm) {
        if (cloud.vm(vm.cid()).isPresent()) {
            throw error(Type.CLOUD_ERROR, "VM " + vm.cid() + " exists already");
        }
        if (!cloud.stemcells().containsKey(vm.stemcell())) {
            throw error(Type.VM_CREATION_FAILED, "no stemcell " + vm.stemcell());
        }
        refuseAddressesInUse(vm, addresses(vm.networks()));
        cloud.put(vm);
        return vm;
    }

    private void refuseAddressesInUse(FakeCloud.Vm vm, List<String> wanted) {
        for (FakeCloud.Vm other : cloud.vms()) {
            if (other.cid().equals(vm.cid())) {
                continue;
            }
            for (String address : addresses(other.networks())) {
                if (wanted.contains(address) && !cloud.isCareless()) {
                    throw new CpiException(
                            Type.VM_CREATION_FAILED,
                            address + " is already in use by " + other.cid(),
                            true,
                            null);
                }
            }
        }
    }

    private static List<String> addresses(Map<String, Object> networks) {
        return networks.values().stream()
                .map(network -> Fields.of(network, "network").optionalString("ip"))
                .filter(ip -> ip != null)
                .map(String::valueOf)
                .toList();
    }

    @Override
    public void deleteVm(CpiContext context, VmCid cid) {
        act(
                context,
                "delete_vm",
                () -> {
                    vm(cid);
                    if (cloud.isUndying(cid)) {
                        return;
                    }
                    cloud.loseVm(cid);
                    cloud.atomically(() -> {
                        cloud.disksOf(cid).forEach(disk -> cloud.put(disk.attachedTo(null)));
                        return true;
                    });
                },
                cid);
    }

    @Override
    public boolean hasVm(CpiContext context, VmCid cid) {
        return call(context, "has_vm", () -> told(cid).isPresent(), cid);
    }

    @Override
    public void rebootVm(CpiContext context, VmCid cid) {
        act(
                context,
                "reboot_vm",
                () -> {
                    vm(cid);
                    cloud.stopVm(cid);
                    cloud.startVm(cid);
                },
                cid);
    }

    @Override
    public void setVmMetadata(CpiContext context, VmCid cid, Map<String, String> metadata) {
        act(
                context,
                "set_vm_metadata",
                () ->
                        cloud.atomically(() -> {
                            cloud.put(vm(cid).metadata(metadata));
                            return true;
                        }),
                cid,
                metadata);
    }

    @Override
    public void configureNetworks(CpiContext context, VmCid cid, Map<String, Object> networks) {
        act(
                context,
                "configure_networks",
                () ->
                        cloud.atomically(() -> {
                            if (!cloud.givesAddresses()) {
                                throw error(Type.NOT_SUPPORTED, "addresses stay as they are");
                            }
                            FakeCloud.Vm vm = vm(cid);
                            refuseAddressesInUse(vm, addresses(networks));
                            cloud.put(vm.networks(networks));
                            return true;
                        }),
                cid,
                networks);
    }

    @Override
    public boolean readdressesVms() {
        return cloud.givesAddresses();
    }

    @Override
    public Map<String, Object> calculateVmCloudProperties(
            CpiContext context, int ramMb, int cpus, int ephemeralDiskMb) {
        return Json.of("memory", ramMb, "cpus", cpus, "ephemeral_disk", ephemeralDiskMb);
    }

    @Override
    public VmEvidence vmEvidence(CpiContext context, VmCid cid) {
        return call(
                context,
                "berth_vm_evidence",
                () ->
                        told(cid)
                                .map(vm -> vm.running() ? VmEvidence.RUNNING : VmEvidence.STOPPED)
                                .orElse(VmEvidence.GONE),
                cid);
    }

    // --- disks

    @Override
    public DiskCid createDisk(
            CpiContext context,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid near) {
        return call(
                context,
                "create_disk",
                () ->
                        cloud.atomically(() -> {
                            DiskCid cid = cloud.newDisk(context);
                            cloud.put(
                                    new FakeCloud.Disk(
                                            cid,
                                            context.directorUuid(),
                                            context.requestId(),
                                            sizeMb,
                                            cloudProperties,
                                            Map.of(),
                                            null,
                                            null));
                            return cid;
                        }),
                sizeMb,
                cloudProperties,
                near);
    }

    @Override
    public void deleteDisk(CpiContext context, DiskCid cid) {
        act(
                context,
                "delete_disk",
                () ->
                        cloud.atomically(() -> {
                            VmCid vm = disk(cid).attachedTo();
                            boolean held = vm != null && cloud.vm(vm).isPresent();
                            if (held && !cloud.isCareless()) {
                                throw error(Type.CLOUD_ERROR, cid + " is attached to " + vm);
                            }
                            cloud.remove(cid);
                            return true;
                        }),
                cid);
    }

    @Override
    public boolean hasDisk(CpiContext context, DiskCid cid) {
        return call(context, "has_disk", () -> cloud.disk(cid).isPresent(), cid);
    }

    @Override
    public Object attachDisk(CpiContext context, VmCid vm, DiskCid cid) {
        return call(
                context,
                "attach_disk",
                () -> {
                    if (cloud.atomically(() -> attached(vm(vm), disk(cid)))) {
                        cloud.shown(vm(vm), disk(cid));
                    }
                    return Json.of("path", "/dev/berth/" + cid);
                },
                vm,
                cid);
    }

    /** False: it was attached already. */
    private boolean attached(FakeCloud.Vm vm, FakeCloud.Disk disk) {
        VmCid holder = disk.attachedTo();
        if (vm.cid().equals(holder)) {
            return false;
        }
        if (holder != null && cloud.vm(holder).isPresent() && !cloud.isCareless()) {
            throw error(
                    Type.CLOUD_ERROR,
                    "disk " + disk.cid() + " is attached to " + holder + ", which still exists");
        }
        cloud.put(disk.attachedTo(vm.cid()));
        return true;
    }

    @Override
    public void detachDisk(CpiContext context, VmCid vm, DiskCid cid) {
        act(
                context,
                "detach_disk",
                () -> {
                    FakeCloud.Disk was = cloud.atomically(() -> detached(vm, disk(cid)));
                    cloud.vm(vm).ifPresent(there -> cloud.hidden(there, was));
                },
                vm,
                cid);
    }

    private FakeCloud.Disk detached(VmCid vm, FakeCloud.Disk disk) {
        if (!vm.equals(disk.attachedTo())) {
            throw new CpiException(
                    Type.DISK_NOT_ATTACHED,
                    "disk " + disk.cid() + " is not attached to " + vm,
                    true,
                    null);
        }
        if (disk.mountedIn() != null && !cloud.isCareless()) {
            throw error(Type.CLOUD_ERROR, "disk " + disk.cid() + " is still mounted in " + vm);
        }
        cloud.put(disk.attachedTo(null));
        return disk;
    }

    @Override
    public void resizeDisk(CpiContext context, DiskCid cid, long sizeMb) {
        act(
                context,
                "resize_disk",
                () ->
                        cloud.atomically(() -> {
                            if (!cloud.growsDisks()) {
                                throw error(Type.NOT_IMPLEMENTED, "disks cannot be resized");
                            }
                            if (sizeMb < disk(cid).sizeMb()) {
                                throw error(Type.NOT_SUPPORTED, cid + " cannot shrink");
                            }
                            VmCid holder = disk(cid).attachedTo();
                            boolean held = holder != null && cloud.vm(holder).isPresent();
                            if (held && !growsAttachedDisks()) {
                                throw error(
                                        Type.NOT_SUPPORTED, cid + " cannot grow while attached");
                            }
                            cloud.put(disk(cid).sizeMb(sizeMb));
                            return true;
                        }),
                cid,
                sizeMb);
    }

    @Override
    public void setDiskMetadata(CpiContext context, DiskCid cid, Map<String, String> metadata) {
        act(
                context,
                "set_disk_metadata",
                () ->
                        cloud.atomically(() -> {
                            cloud.put(disk(cid).metadata(metadata));
                            return true;
                        }),
                cid,
                metadata);
    }

    @Override
    public List<DiskCid> getDisks(CpiContext context, VmCid cid) {
        return call(
                context,
                "get_disks",
                () -> {
                    vm(cid);
                    return cloud.disksOf(cid).stream().map(FakeCloud.Disk::cid).toList();
                },
                cid);
    }

    @Override
    public boolean movesDisksBetweenAzs() {
        return cloud.movesDisks();
    }

    @Override
    public boolean growsAttachedDisks() {
        return cloud.growsAttachedDisks();
    }

    @Override
    public SnapshotCid snapshotDisk(CpiContext context, DiskCid cid, Map<String, String> metadata) {
        return call(
                context,
                "snapshot_disk",
                () -> cloud.atomically(() -> snapshot(context, disk(cid), metadata)),
                cid,
                metadata);
    }

    private SnapshotCid snapshot(
            CpiContext context, FakeCloud.Disk disk, Map<String, String> metadata) {
        var all = new java.util.LinkedHashMap<>(metadata);
        all.put("disk", disk.cid().value());
        var cid = new SnapshotCid("snapshot-" + cloud.newDisk(context));
        cloud.snapshots()
                .put(
                        cid,
                        new FakeCloud.Snapshot(
                                cid,
                                context.directorUuid(),
                                context.requestId(),
                                disk.sizeMb(),
                                all));
        return cid;
    }

    @Override
    public void deleteSnapshot(CpiContext context, SnapshotCid cid) {
        act(
                context,
                "delete_snapshot",
                () ->
                        cloud.atomically(() -> {
                            if (cloud.snapshots().remove(cid) == null) {
                                throw error(Type.DISK_NOT_FOUND, "no snapshot " + cid);
                            }
                            return true;
                        }),
                cid);
    }

    @Override
    public DiskCid createDiskFromSnapshot(
            CpiContext context,
            SnapshotCid cid,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid near) {
        FakeCloud.Snapshot snapshot = cloud.atomically(() -> cloud.snapshots().get(cid));
        if (snapshot == null) {
            throw error(Type.DISK_NOT_FOUND, "no snapshot " + cid);
        }
        if (sizeMb < snapshot.sizeMb()) {
            throw error(Type.NOT_SUPPORTED, cid + " does not fit " + sizeMb + " MiB");
        }
        return createDisk(context, sizeMb, cloudProperties, near);
    }

    // --- networks and inventory

    @Override
    public CreatedNetwork createNetwork(CpiContext context, Map<String, Object> subnet) {
        return call(
                context,
                "create_network",
                () -> cloud.atomically(() -> network(context, subnet)),
                subnet);
    }

    private CreatedNetwork network(CpiContext context, Map<String, Object> subnet) {
        Fields f = Fields.of(subnet, "subnet");
        String range = f.string("range");
        String gateway = f.string("gateway");
        String name = f.object("cloud_properties").string("name", "net-" + range.replace('/', '-'));
        var wanted =
                new FakeCloud.Network(
                        name, context.directorUuid(), context.requestId(), range, gateway);
        FakeCloud.Network there = cloud.networks().putIfAbsent(name, wanted);
        if (there != null && !(there.range().equals(range) && there.gateway().equals(gateway))) {
            throw error(
                    Type.CLOUD_ERROR,
                    "network "
                            + name
                            + " has "
                            + there.range()
                            + " and gateway "
                            + there.gateway()
                            + ", asked for are "
                            + range
                            + " and gateway "
                            + gateway);
        }
        return new CreatedNetwork(
                name,
                Json.of("range", range, "gateway", gateway, "reserved", List.of()),
                Json.of("name", name));
    }

    @Override
    public void deleteNetwork(CpiContext context, String cid) {
        act(
                context,
                "delete_network",
                () ->
                        cloud.atomically(() -> {
                            if (cloud.vms().stream().anyMatch(vm -> isOn(vm, cid))) {
                                throw error(Type.CLOUD_ERROR, "network " + cid + " still has VMs");
                            }
                            if (cloud.networks().remove(cid) == null) {
                                throw error(Type.NETWORK_NOT_FOUND, "no network " + cid);
                            }
                            return true;
                        }),
                cid);
    }

    private static boolean isOn(FakeCloud.Vm vm, String network) {
        return vm.networks().values().stream()
                .map(n -> Fields.of(n, "network").object("cloud_properties").string("name", ""))
                .anyMatch(network::equals);
    }

    private String members(String network) {
        return cloud.vms().stream()
                .filter(vm -> vm.running() && isOn(vm, network))
                .flatMap(vm -> addresses(vm.networks()).stream().map(ip -> vm.cid() + "=" + ip))
                .sorted()
                .collect(Collectors.joining(","));
    }

    @Override
    public List<CloudObject> inventory(CpiContext context) {
        return call(context, "berth_inventory", () -> cloud.atomically(() -> listed(context)));
    }

    private List<CloudObject> listed(CpiContext context) {
        String director = context.directorUuid();
        var list = new ArrayList<CloudObject>();
        for (FakeCloud.Vm vm : cloud.vms()) {
            if (vm.director().equals(director)) {
                list.add(
                        new CloudObject(
                                CloudObject.Kind.VM,
                                vm.cid().value(),
                                vm.requestId(),
                                vm.agent(),
                                null,
                                0,
                                vm.metadata()));
            }
        }
        for (FakeCloud.Disk disk : cloud.disks()) {
            if (disk.director().equals(director)) {
                list.add(
                        new CloudObject(
                                CloudObject.Kind.DISK,
                                disk.cid().value(),
                                disk.requestId(),
                                null,
                                disk.attachedTo(),
                                disk.sizeMb(),
                                disk.metadata()));
            }
        }
        for (FakeCloud.Snapshot snapshot : cloud.snapshots().values()) {
            if (snapshot.director().equals(director)) {
                list.add(
                        new CloudObject(
                                CloudObject.Kind.SNAPSHOT,
                                snapshot.cid().value(),
                                snapshot.requestId(),
                                null,
                                null,
                                snapshot.sizeMb(),
                                snapshot.metadata()));
            }
        }
        for (FakeCloud.Network network : cloud.networks().values()) {
            if (network.director().equals(director)) {
                list.add(
                        new CloudObject(
                                CloudObject.Kind.NETWORK,
                                network.name(),
                                network.requestId(),
                                null,
                                null,
                                0,
                                Map.of("vms", members(network.name()))));
            }
        }
        return list;
    }
}
