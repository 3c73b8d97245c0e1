package dev.berth.acceptance.fleet;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A cloud that makes VMs by saying so. Every VM runs that was neither deleted nor lost; whether its
 * agent does is the matter of another process. Thread-safe.
 */
final class MadeUpCloud implements Cpi {
    /** As long as a laptop's engine takes; a wait costs the director nothing. */
    private static final long ANSWER_MILLIS = 5;

    private final Set<VmCid> gone = ConcurrentHashMap.newKeySet();
    private final Consumer<AgentId> born;

    /**
     * @param born told of the agent of each VM that is made
     */
    MadeUpCloud(Consumer<AgentId> born) {
        this.born = born;
    }

    /** Its VM ends, and nobody tells. */
    void lose(VmCid vm) {
        gone.add(vm);
    }

    @Override
    public Info info() {
        return new Info(2, List.of("made-up"));
    }

    @Override
    public VmEvidence vmEvidence(CpiContext context, VmCid vm) {
        think();
        return gone.contains(vm) ? VmEvidence.GONE : VmEvidence.RUNNING;
    }

    @Override
    public boolean hasVm(CpiContext context, VmCid vm) {
        return vmEvidence(context, vm) == VmEvidence.RUNNING;
    }

    @Override
    public VmCid createVm(
            CpiContext context,
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            List<DiskCid> disks,
            Map<String, Object> env) {
        think();
        born.accept(agent);
        return new VmCid("vm-" + UUID.randomUUID());
    }

    @Override
    public void deleteVm(CpiContext context, VmCid vm) {
        think();
        gone.add(vm);
    }

    private static void think() {
        try {
            Thread.sleep(ANSWER_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CpiException(CpiException.Type.UNKNOWN, "interrupted");
        }
    }

    @Override
    public void rebootVm(CpiContext context, VmCid vm) {
        think();
    }

    @Override
    public void setVmMetadata(CpiContext context, VmCid vm, Map<String, String> metadata) {}

    // --- what a fleet without disks never asks for

    private static CpiException none() {
        return new CpiException(CpiException.Type.NOT_IMPLEMENTED, "the made-up cloud has none");
    }

    @Override
    public StemcellCid createStemcell(
            CpiContext context,
            Path image,
            Map<String, Object> cloudProperties,
            Map<String, String> tags) {
        throw none();
    }

    @Override
    public void deleteStemcell(CpiContext context, StemcellCid stemcell) {
        throw none();
    }

    @Override
    public Map<String, Object> calculateVmCloudProperties(
            CpiContext context, int ramMb, int cpus, int ephemeralDiskMb) {
        throw none();
    }

    @Override
    public DiskCid createDisk(
            CpiContext context,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid vm) {
        throw none();
    }

    @Override
    public void deleteDisk(CpiContext context, DiskCid disk) {
        throw none();
    }

    @Override
    public boolean hasDisk(CpiContext context, DiskCid disk) {
        return false;
    }

    @Override
    public Object attachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        throw none();
    }

    @Override
    public void detachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        throw none();
    }

    @Override
    public void resizeDisk(CpiContext context, DiskCid disk, long sizeMb) {
        throw none();
    }

    @Override
    public void setDiskMetadata(CpiContext context, DiskCid disk, Map<String, String> metadata) {
        throw none();
    }

    @Override
    public List<DiskCid> getDisks(CpiContext context, VmCid vm) {
        return List.of();
    }

    @Override
    public CreatedNetwork createNetwork(CpiContext context, Map<String, Object> subnet) {
        throw none();
    }

    @Override
    public void deleteNetwork(CpiContext context, String networkCid) {
        throw none();
    }
}
