package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.SnapshotCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;

/** Where things lie in the CPI's folder. Cids come from outside, so they are checked as names. */
record Base(Path folder) {
    Path vms() {
        return folder.resolve("vms");
    }

    Path vm(VmCid vm) {
        return vms().resolve(name(vm.value()));
    }

    Path vmRecord(VmCid vm) {
        return vm(vm).resolve("record.json");
    }

    /** There while the VM is being deleted. */
    Path deletion(VmCid vm) {
        return vm(vm).resolve("deletion");
    }

    Path settings(VmCid vm) {
        return vm(vm).resolve("settings.json");
    }

    /** Shown in the VM as /dev/berth. */
    Path devices(VmCid vm) {
        return vm(vm).resolve("dev");
    }

    /** Folders of deleted VMs whose volumes are still to be removed. */
    Path remains() {
        return folder.resolve("remains");
    }

    Path remains(VmCid vm) {
        return remains().resolve(name(vm.value()));
    }

    Path disks() {
        return folder.resolve("disks");
    }

    Path disk(DiskCid disk) {
        return disks().resolve(name(disk.value()));
    }

    Path image(DiskCid disk) {
        return disk(disk).resolve("disk.img");
    }

    Path diskRecord(DiskCid disk) {
        return disk(disk).resolve("record.json");
    }

    Path snapshots() {
        return folder.resolve("snapshots");
    }

    Path snapshot(SnapshotCid snapshot) {
        return snapshots().resolve(name(snapshot.value()));
    }

    Path snapshotImage(SnapshotCid snapshot) {
        return snapshot(snapshot).resolve("disk.img");
    }

    Path snapshotRecord(SnapshotCid snapshot) {
        return snapshot(snapshot).resolve("record.json");
    }

    Path locks() {
        return folder.resolve("locks");
    }

    static String name(String cid) {
        if (!cid.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")) {
            throw new CpiException(
                    CpiException.Type.CPI_ERROR, "'" + cid + "' is not an id of this CPI");
        }
        return cid;
    }
}
