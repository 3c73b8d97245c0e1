package dev.berth.testkit;

import dev.berth.cpi.CpiContext;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A cloud in memory: what {@link FakeCpi} changes and what a simulation looks at and breaks. All in
 * a fixed order, so that equal histories give equal answers. Thread-safe; listeners are called
 * without any lock held, by whoever caused the change.
 */
public final class FakeCloud {
    /**
     * A VM.
     *
     * @param boots how often it has started; an agent of an earlier boot is dead
     */
    public record Vm(
            VmCid cid,
            AgentId agent,
            StemcellCid stemcell,
            String director,
            String requestId,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            Map<String, Object> env,
            Map<String, String> metadata,
            boolean running,
            int boots) {
        Vm running(boolean now) {
            return new Vm(
                    cid,
                    agent,
                    stemcell,
                    director,
                    requestId,
                    cloudProperties,
                    networks,
                    env,
                    metadata,
                    now,
                    now ? boots + 1 : boots);
        }

        Vm networks(Map<String, Object> next) {
            return new Vm(
                    cid,
                    agent,
                    stemcell,
                    director,
                    requestId,
                    cloudProperties,
                    next,
                    env,
                    metadata,
                    running,
                    boots);
        }

        Vm metadata(Map<String, String> next) {
            return new Vm(
                    cid,
                    agent,
                    stemcell,
                    director,
                    requestId,
                    cloudProperties,
                    networks,
                    env,
                    next,
                    running,
                    boots);
        }
    }

    /**
     * A disk.
     *
     * @param attachedTo the VM it was given to; stays when that VM is lost, until somebody looks
     * @param mountedIn the VM whose agent has it mounted now
     */
    public record Disk(
            DiskCid cid,
            String director,
            String requestId,
            long sizeMb,
            Map<String, Object> cloudProperties,
            Map<String, String> metadata,
            @Nullable VmCid attachedTo,
            @Nullable VmCid mountedIn) {
        Disk attachedTo(@Nullable VmCid vm) {
            return new Disk(
                    cid, director, requestId, sizeMb, cloudProperties, metadata, vm, mountedIn);
        }

        Disk mountedIn(@Nullable VmCid vm) {
            return new Disk(
                    cid, director, requestId, sizeMb, cloudProperties, metadata, attachedTo, vm);
        }

        Disk sizeMb(long next) {
            return new Disk(
                    cid,
                    director,
                    requestId,
                    next,
                    cloudProperties,
                    metadata,
                    attachedTo,
                    mountedIn);
        }

        Disk metadata(Map<String, String> next) {
            return new Disk(
                    cid, director, requestId, sizeMb, cloudProperties, next, attachedTo, mountedIn);
        }
    }

    /** What a disk was at one moment. */
    public record Snapshot(
            SnapshotCid cid,
            String director,
            String requestId,
            long sizeMb,
            Map<String, String> metadata) {}

    record Network(String name, String director, String requestId, String range, String gateway) {}

    /** Hears of what a VM's inside would notice. */
    public interface Listener {
        default void vmStarted(Vm vm) {}

        /** Powered off or gone: from here on nothing in it runs. */
        default void vmEnded(Vm vm) {}

        default void diskShown(Vm vm, Disk disk) {}

        default void diskHidden(Vm vm, Disk disk) {}
    }

    private final Map<VmCid, Vm> vms = new LinkedHashMap<>();
    private final Map<DiskCid, Disk> disks = new LinkedHashMap<>();
    private final Map<SnapshotCid, Snapshot> snapshots = new LinkedHashMap<>();
    private final Map<String, Network> networks = new TreeMap<>();
    private final Map<StemcellCid, String> stemcells = new LinkedHashMap<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<Listener> listeners = new ArrayList<>();
    private final Set<VmCid> hidden = new HashSet<>();
    private final Set<VmCid> undying = new HashSet<>();
    private boolean careless;
    private boolean growsAttachedDisks = true;
    private boolean growsDisks = true;
    private boolean movesDisks = true;
    private boolean readdressesVms = true;

    public synchronized void listen(Listener listener) {
        listeners.add(listener);
    }

    private synchronized List<Listener> listeners() {
        return List.copyOf(listeners);
    }

    // --- what a test looks at

    public synchronized Optional<Vm> vm(VmCid cid) {
        return Optional.ofNullable(vms.get(cid));
    }

    public synchronized List<Vm> vms() {
        return List.copyOf(vms.values());
    }

    public synchronized Optional<Disk> disk(DiskCid cid) {
        return Optional.ofNullable(disks.get(cid));
    }

    public synchronized List<Disk> disks() {
        return List.copyOf(disks.values());
    }

    public synchronized List<Disk> disksOf(VmCid vm) {
        return disks.values().stream().filter(disk -> vm.equals(disk.attachedTo())).toList();
    }

    // --- what kind of cloud it is

    /**
     * From now on it does what a good cloud would refuse: it gives a disk to a second VM, takes one
     * away that is mounted, destroys one that is attached, and starts two VMs with one address.
     * Nobody may rely on being refused, and what a refusal would hide shows here.
     */
    public synchronized void beCareless() {
        careless = true;
    }

    synchronized boolean isCareless() {
        return careless;
    }

    /** Many clouds cannot grow a disk under a running VM. */
    public synchronized void growOnlyDetachedDisks() {
        growsAttachedDisks = false;
    }

    /** Some clouds grow no disk at all; disks then go by copy. */
    public synchronized void growNoDisks() {
        growsAttachedDisks = false;
        growsDisks = false;
    }

    synchronized boolean growsDisks() {
        return growsDisks;
    }

    /** In many clouds a disk belongs to a zone. */
    public synchronized void keepDisksInTheirAz() {
        movesDisks = false;
    }

    /** In many clouds a VM has the addresses it was made with. */
    public synchronized void keepAddresses() {
        readdressesVms = false;
    }

    public synchronized boolean givesAddresses() {
        return readdressesVms;
    }

    synchronized boolean movesDisks() {
        return movesDisks;
    }

    public synchronized boolean growsAttachedDisks() {
        return growsAttachedDisks;
    }

    /** A lie: whoever asks is told that the VM is gone, while it runs on. */
    public synchronized void hide(VmCid vm) {
        hidden.add(vm);
    }

    /** Another: deleting it is answered as done, and it runs on, as all who ask are told. */
    public synchronized void keepAlive(VmCid vm) {
        undying.add(vm);
    }

    /** The lies end. */
    public synchronized void beHonest() {
        hidden.clear();
        undying.clear();
    }

    synchronized boolean isHidden(VmCid vm) {
        return hidden.contains(vm);
    }

    synchronized boolean isUndying(VmCid vm) {
        return undying.contains(vm);
    }

    // --- what a test breaks

    /** The VM vanishes behind the director's back; its disks survive. False: there was none. */
    public boolean loseVm(VmCid cid) {
        Vm lost;
        synchronized (this) {
            lost = vms.remove(cid);
            unmount(cid);
        }
        if (lost != null && lost.running()) {
            listeners().forEach(listener -> listener.vmEnded(lost));
        }
        return lost != null;
    }

    /** Power off. False: there is no such VM, or it was off. */
    public boolean stopVm(VmCid cid) {
        Vm stopped;
        synchronized (this) {
            stopped = vms.get(cid);
            if (stopped == null || !stopped.running()) {
                return false;
            }
            vms.put(cid, stopped.running(false));
            unmount(cid);
        }
        listeners().forEach(listener -> listener.vmEnded(stopped));
        return true;
    }

    /** Power on. False: there is no such VM, or it was on. */
    public boolean startVm(VmCid cid) {
        Vm started;
        synchronized (this) {
            Vm vm = vms.get(cid);
            if (vm == null || vm.running()) {
                return false;
            }
            started = vm.running(true);
            vms.put(cid, started);
        }
        listeners().forEach(listener -> listener.vmStarted(started));
        return true;
    }

    /**
     * What an agent does in its VM. Mounting a disk that is not shown to the VM, or that another
     * has mounted, is what rule R1 forbids and throws.
     */
    public synchronized void mount(VmCid vm, DiskCid cid) {
        Disk disk = disks.get(cid);
        VmCid holder = disk == null ? null : disk.mountedIn();
        if (disk == null || !vm.equals(disk.attachedTo()) || holder != null && !holder.equals(vm)) {
            throw new IllegalStateException(
                    "R1: "
                            + vm
                            + " mounts "
                            + cid
                            + ", which is "
                            + (disk == null ? "not there" : disk));
        }
        disks.put(cid, disk.mountedIn(vm));
    }

    public synchronized void unmount(VmCid vm, DiskCid cid) {
        Disk disk = disks.get(cid);
        if (disk != null && vm.equals(disk.mountedIn())) {
            disks.put(cid, disk.mountedIn(null));
        }
    }

    private void unmount(VmCid vm) {
        disks.replaceAll((cid, disk) -> vm.equals(disk.mountedIn()) ? disk.mountedIn(null) : disk);
    }

    // --- what FakeCpi does; it decides, this keeps

    /** Runs a decision and its change as one. */
    synchronized <T> T atomically(java.util.function.Supplier<T> work) {
        return work.get();
    }

    void put(Vm vm) {
        vms.put(vm.cid(), vm);
    }

    void put(Disk disk) {
        disks.put(disk.cid(), disk);
    }

    void remove(DiskCid disk) {
        disks.remove(disk);
    }

    Map<SnapshotCid, Snapshot> snapshots() {
        return snapshots;
    }

    Map<String, Network> networks() {
        return networks;
    }

    Map<StemcellCid, String> stemcells() {
        return stemcells;
    }

    /** Named after the intent, so that the order of concurrent calls does not show in it. */
    DiskCid newDisk(CpiContext context) {
        String name = "disk-" + (context.requestId().isEmpty() ? "x" : context.requestId());
        int number = numbers.merge(name, 1, Integer::sum);
        return new DiskCid(number == 1 ? name : name + "-" + number);
    }

    void started(Vm vm) {
        listeners().forEach(listener -> listener.vmStarted(vm));
    }

    void shown(Vm vm, Disk disk) {
        listeners().forEach(listener -> listener.diskShown(vm, disk));
    }

    void hidden(Vm vm, Disk disk) {
        listeners().forEach(listener -> listener.diskHidden(vm, disk));
    }

    /** For a failing test's message. */
    @Override
    public synchronized String toString() {
        return Json.write(
                Json.of(
                        "vms",
                        vms.values().stream().map(Vm::cid).toList(),
                        "disks",
                        disks.values().stream()
                                .map(d -> d.cid() + " on " + d.attachedTo())
                                .toList()));
    }
}
