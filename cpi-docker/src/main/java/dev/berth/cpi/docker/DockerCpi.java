package dev.berth.cpi.docker;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The CPI on one machine's Docker Engine. Needs root on the engine's host, for loop devices and
 * device nodes. Thread-safe, and safe beside other processes on the same folder.
 */
public final class DockerCpi implements Cpi {
    /** A little more than the longest holder: a reboot that waits for a VM's graceful stop. */
    private static final Duration LOCK_WAIT = Duration.ofSeconds(90);

    private static final double OVERCOMMIT = 1;

    private final Vms vms;
    private final Addresses addresses;
    private final Disks disks;
    private final Snapshots snapshots;
    private final Networks networks;
    private final Stemcells stemcells;

    /**
     * @param engine stays the caller's to close
     * @param folder the CPI's own, on a file system that is not mounted nodev
     */
    public DockerCpi(Engine engine, Path folder) {
        this(engine, folder, OVERCOMMIT);
    }

    /**
     * @param overcommit how many times the free space may be promised to disks; above 1 they are
     *     sparse
     */
    public DockerCpi(Engine engine, Path folder, double overcommit) {
        this(engine, folder, overcommit, Runnable::run);
    }

    /** For a process that lives: {@code later} does what nobody needs to wait for. */
    public DockerCpi(Engine engine, Path folder, Executor later) {
        this(engine, folder, OVERCOMMIT, later);
    }

    private DockerCpi(Engine engine, Path folder, double overcommit, Executor later) {
        Path proc = Path.of("/proc");
        var base = new Base(folder.toAbsolutePath().normalize());
        var locks = new FileLocks(base.locks(), LOCK_WAIT);
        var host = new HostFacts(proc);
        disks = new Disks(base, locks, new Mounts(proc), overcommit);
        snapshots = new Snapshots(base, locks, disks);
        networks = new Networks(engine, locks, host);
        stemcells = new Stemcells(engine, locks);
        vms = new Vms(engine, base, locks, networks, disks, host, later);
        addresses = new Addresses(engine, base, vms);
    }

    /** Removes what deleted VMs left, also when the process that deleted them died over it. */
    public void sweep() {
        typed(vms::sweep);
        typed(snapshots::sweep);
    }

    @Override
    public Info info() {
        return new Info(3, List.of("berth-tar", "warden-tar", "general-tar", "docker-light"));
    }

    /** The engine's refusals and silences in the contract's words. */
    private static <T> T typed(Supplier<T> call) {
        try {
            return call.get();
        } catch (EngineException e) {
            throw new CpiException(
                    e.isUnknown() ? CpiException.Type.UNKNOWN : CpiException.Type.CLOUD_ERROR,
                    e.isUnknown()
                            ? String.valueOf(e.getMessage())
                            : "Docker Engine: " + e.getMessage(),
                    false,
                    e);
        } catch (IllegalArgumentException e) {
            throw new CpiException(
                    CpiException.Type.CPI_ERROR, String.valueOf(e.getMessage()), false, e);
        }
    }

    private static void typed(Runnable call) {
        typed(() -> {
            call.run();
            return true;
        });
    }

    @Override
    public StemcellCid createStemcell(
            CpiContext context,
            Path image,
            Map<String, Object> cloudProperties,
            Map<String, String> tags) {
        return typed(() -> stemcells.create(context, image, cloudProperties, tags));
    }

    @Override
    public void deleteStemcell(CpiContext context, StemcellCid stemcell) {
        typed(() -> stemcells.delete(context, stemcell));
    }

    /** Stemcells of this director that the engine has. */
    List<StemcellCid> stemcells(CpiContext context) {
        return typed(() -> stemcells.all(context));
    }

    @Override
    public VmCid createVm(
            CpiContext context,
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networkSettings,
            List<DiskCid> likelyDisks,
            Map<String, Object> env) {
        var order = new Vms.Order(agent, stemcell, cloudProperties, networkSettings, env);
        return typed(() -> vms.create(context, order));
    }

    @Override
    public void deleteVm(CpiContext context, VmCid vm) {
        typed(() -> vms.delete(vm));
    }

    @Override
    public boolean hasVm(CpiContext context, VmCid vm) {
        return typed(() -> vms.isThere(vm));
    }

    @Override
    public void rebootVm(CpiContext context, VmCid vm) {
        typed(() -> vms.reboot(vm));
    }

    @Override
    public void setVmMetadata(CpiContext context, VmCid vm, Map<String, String> metadata) {
        typed(() -> vms.setMetadata(vm, metadata));
    }

    @Override
    public void configureNetworks(
            CpiContext context, VmCid vm, Map<String, Object> networkSettings) {
        typed(() -> addresses.give(context, vm, networkSettings));
    }

    @Override
    public boolean readdressesVms() {
        return true;
    }

    @Override
    public Map<String, Object> calculateVmCloudProperties(
            CpiContext context, int ramMb, int cpus, int ephemeralDiskMb) {
        return Json.of("memory", ramMb, "cpus", cpus, "ephemeral_disk", ephemeralDiskMb);
    }

    @Override
    public DiskCid createDisk(
            CpiContext context,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid vm) {
        return typed(() -> disks.create(context, sizeMb, cloudProperties));
    }

    @Override
    public void deleteDisk(CpiContext context, DiskCid disk) {
        typed(() -> disks.delete(disk));
    }

    @Override
    public boolean hasDisk(CpiContext context, DiskCid disk) {
        return typed(() -> disks.has(disk));
    }

    @Override
    public Object attachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        return typed(() -> vms.attach(vm, disk));
    }

    @Override
    public void detachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        typed(() -> vms.detach(vm, disk));
    }

    @Override
    public void resizeDisk(CpiContext context, DiskCid disk, long sizeMb) {
        typed(() -> disks.resize(disk, sizeMb));
    }

    @Override
    public void setDiskMetadata(CpiContext context, DiskCid disk, Map<String, String> metadata) {
        typed(() -> disks.setMetadata(disk, metadata));
    }

    @Override
    public SnapshotCid snapshotDisk(
            CpiContext context, DiskCid disk, Map<String, String> metadata) {
        return typed(() -> snapshots.take(context, disk, metadata));
    }

    @Override
    public void deleteSnapshot(CpiContext context, SnapshotCid snapshot) {
        typed(() -> snapshots.delete(snapshot));
    }

    @Override
    public DiskCid createDiskFromSnapshot(
            CpiContext context,
            SnapshotCid snapshot,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid near) {
        return typed(() -> snapshots.disk(context, snapshot, sizeMb, cloudProperties));
    }

    @Override
    public List<DiskCid> getDisks(CpiContext context, VmCid vm) {
        return typed(() -> vms.disksOf(vm));
    }

    @Override
    public CreatedNetwork createNetwork(CpiContext context, Map<String, Object> subnet) {
        return typed(() -> networks.create(context, subnet));
    }

    @Override
    public void deleteNetwork(CpiContext context, String networkCid) {
        typed(() -> networks.delete(context, networkCid));
    }

    /** The loop device learns its file's new length while it is mounted. */
    /** Zones are names only: all disks are files of the one host. */
    @Override
    public boolean movesDisksBetweenAzs() {
        return true;
    }

    @Override
    public boolean growsAttachedDisks() {
        return true;
    }

    @Override
    public VmEvidence vmEvidence(CpiContext context, VmCid vm) {
        return typed(() -> vms.evidence(vm));
    }

    @Override
    public List<CloudObject> inventory(CpiContext context) {
        return typed(() -> listed(context));
    }

    private List<CloudObject> listed(CpiContext context) {
        var list = new ArrayList<CloudObject>();
        vms.all(context)
                .forEach((cid, vm) ->
                        list.add(
                                new CloudObject(
                                        CloudObject.Kind.VM,
                                        cid.value(),
                                        vm.requestId(),
                                        vm.agent(),
                                        null,
                                        0,
                                        vm.metadata())));
        for (DiskRecord disk : disks.all()) {
            if (disk.director().equals(context.directorUuid())) {
                list.add(
                        new CloudObject(
                                CloudObject.Kind.DISK,
                                disk.cid().value(),
                                disk.requestId(),
                                null,
                                disk.attachedTo(),
                                disks.sizeMb(disk.cid()),
                                disk.metadata()));
            }
        }
        list.addAll(snapshots.listed(context));
        for (Map<String, Object> network : networks.all(context)) {
            Map<String, String> labels = Fields.of(network, "network").stringMap("Labels");
            list.add(
                    new CloudObject(
                            CloudObject.Kind.NETWORK,
                            String.valueOf(network.get("Name")),
                            labels.getOrDefault(Labels.REQUEST, ""),
                            null,
                            null,
                            0,
                            networks.members(String.valueOf(network.get("Name")))));
        }
        return list;
    }
}
