package dev.berth.cpi;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The BOSH CPI contract, versions 2 and 3. Sizes are MiB. Every method throws {@link CpiException}.
 * Deletes, attach and detach are idempotent. Implementations are safe for concurrent use, also from
 * several processes; callers serialise attach, detach, delete and reboot per VM.
 *
 * <p>Methods under "Berth's own" go beyond BOSH: a CPI without them answers {@link
 * CpiException.Type#NOT_IMPLEMENTED} and the director falls back to what the contract has.
 */
public interface Cpi {
    /** Must not reach the cloud. */
    Info info();

    /** What a CPI says of itself. */
    record Info(int apiVersion, List<String> stemcellFormats) {}

    /**
     * @param image a file named {@code image}; its directory also holds {@code stemcell.MF}
     */
    StemcellCid createStemcell(
            CpiContext context,
            Path image,
            Map<String, Object> cloudProperties,
            Map<String, String> tags);

    /** Gone already is success. */
    void deleteStemcell(CpiContext context, StemcellCid stemcell);

    /**
     * Creates a VM that will come up with the agent; removes all it made when it fails.
     *
     * @param networks network name to settings hash
     * @param disks likely to be attached next; for placement only
     */
    VmCid createVm(
            CpiContext context,
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            List<DiskCid> disks,
            Map<String, Object> env);

    /**
     * When it returns the VM runs no more and its disks are free (rule R1). Unknown: VM_NOT_FOUND.
     */
    void deleteVm(CpiContext context, VmCid vm);

    boolean hasVm(CpiContext context, VmCid vm);

    /**
     * Restarts, or starts what is stopped; attached disks are shown again before the agent boots.
     */
    void rebootVm(CpiContext context, VmCid vm);

    void setVmMetadata(CpiContext context, VmCid vm, Map<String, String> metadata);

    /**
     * Gives a running VM these networks with these addresses in place of those it has, in one go as
     * seen from inside: its connections end, nothing else in it does. Has it them already, nothing
     * happens. No director of BOSH calls it any more, so that most CPIs refuse: see {@link
     * #readdressesVms}.
     */
    default void configureNetworks(CpiContext context, VmCid vm, Map<String, Object> networks) {
        throw new CpiException(
                CpiException.Type.NOT_SUPPORTED, "this CPI cannot give a VM other addresses");
    }

    Map<String, Object> calculateVmCloudProperties(
            CpiContext context, int ramMb, int cpus, int ephemeralDiskMb);

    DiskCid createDisk(
            CpiContext context,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid vm);

    /** Unknown: DISK_NOT_FOUND. Attached: CLOUD_ERROR. */
    void deleteDisk(CpiContext context, DiskCid disk);

    boolean hasDisk(CpiContext context, DiskCid disk);

    /**
     * Returns the hint for the agent: a non-empty string or object of strings. Held by another VM:
     * CLOUD_ERROR.
     */
    Object attachDisk(CpiContext context, VmCid vm, DiskCid disk);

    /**
     * Not attached: DISK_NOT_ATTACHED. Still in use inside the VM: CLOUD_ERROR, never a forced
     * unmount.
     */
    void detachDisk(CpiContext context, VmCid vm, DiskCid disk);

    /**
     * Grows; the contract asks for a detached disk, CPIs that can do it attached say so in {@link
     * #growsAttachedDisks}.
     */
    void resizeDisk(CpiContext context, DiskCid disk, long sizeMb);

    void setDiskMetadata(CpiContext context, DiskCid disk, Map<String, String> metadata);

    List<DiskCid> getDisks(CpiContext context, VmCid vm);

    /**
     * Creates the network of a subnet {@code {type, range, gateway, cloud_properties}} or adopts an
     * equal one.
     */
    CreatedNetwork createNetwork(CpiContext context, Map<String, Object> subnet);

    /** Answer of {@link #createNetwork}. */
    record CreatedNetwork(
            String cid,
            Map<String, Object> addressProperties,
            Map<String, Object> cloudProperties) {}

    /** Unknown: NETWORK_NOT_FOUND. */
    void deleteNetwork(CpiContext context, String networkCid);

    /**
     * What the disk holds at one moment, also while it is attached and written. It is as consistent
     * as the disk is at that moment: who wants more stops or freezes the file system around the
     * call. Unknown disk: DISK_NOT_FOUND; no space for it: NO_DISK_SPACE.
     *
     * @param metadata kept with the snapshot
     */
    default SnapshotCid snapshotDisk(
            CpiContext context, DiskCid disk, Map<String, String> metadata) {
        throw new CpiException(
                CpiException.Type.NOT_IMPLEMENTED, "this CPI cannot take snapshots of disks");
    }

    /** Unknown: DISK_NOT_FOUND, as the contract has it. */
    default void deleteSnapshot(CpiContext context, SnapshotCid snapshot) {
        throw new CpiException(
                CpiException.Type.NOT_IMPLEMENTED, "this CPI cannot delete snapshots");
    }

    // --- Berth's own

    /**
     * A new disk with what a snapshot holds, which stays as it is.
     *
     * @param sizeMb at least the snapshot's size; the file system on it is not grown
     * @param near a VM it is likely to be attached to
     */
    default DiskCid createDiskFromSnapshot(
            CpiContext context,
            SnapshotCid snapshot,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid near) {
        throw new CpiException(
                CpiException.Type.NOT_IMPLEMENTED, "this CPI cannot make disks of snapshots");
    }

    /** Whether {@link #resizeDisk} works while the disk is attached and mounted. */
    default boolean growsAttachedDisks() {
        return false;
    }

    /**
     * Whether {@link #resizeDisk} is worth a try: false once it was said that it is not, and then
     * disks are copied.
     */
    default boolean resizesDisks() {
        return true;
    }

    /** Whether {@link #configureNetworks} works, so that a spare VM can become an instance's. */
    default boolean readdressesVms() {
        return false;
    }

    /** Whether a disk can be attached to a VM of another az than the one it was made for. */
    default boolean movesDisksBetweenAzs() {
        return false;
    }

    /** What the cloud says of a VM, for the judge. */
    enum VmEvidence {
        RUNNING,
        STOPPED,
        GONE,
        /** The cloud knows the VM but cannot say whether it runs. */
        PRESENT
    }

    /** Default: what {@link #hasVm} can tell. */
    default VmEvidence vmEvidence(CpiContext context, VmCid vm) {
        return hasVm(context, vm) ? VmEvidence.PRESENT : VmEvidence.GONE;
    }

    /**
     * Everything the cloud holds for this director, found by label: how open intents are settled
     * and leaks seen.
     */
    default List<CloudObject> inventory(CpiContext context) {
        throw new CpiException(
                CpiException.Type.NOT_IMPLEMENTED, "this CPI cannot list what it made");
    }

    /**
     * One object of {@link #inventory}.
     *
     * @param requestId the intent that made it; empty when unknown
     * @param agent of a VM; null otherwise
     * @param attachedTo of a disk; null when free
     * @param sizeMb of a disk or a snapshot; 0 otherwise
     * @param metadata of a snapshot {@code disk} (the cid it was taken of) is among them; of a
     *     network {@code vms}, where the CPI can tell: {@code CID=ADDRESS,…} of the running VMs on
     *     it
     */
    record CloudObject(
            Kind kind,
            String cid,
            String requestId,
            @Nullable AgentId agent,
            @Nullable VmCid attachedTo,
            long sizeMb,
            Map<String, String> metadata) {
        /** What it is. */
        public enum Kind {
            VM,
            DISK,
            NETWORK,
            SNAPSHOT
        }
    }
}
