package dev.berth.simulation;

import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.testkit.FakeVm;
import dev.berth.testkit.Ledger.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Remembers every write that was acknowledged, as a client of a database would, and holds the disks
 * to it: each is still there, in order and none twice, on the disk the instance has now, whatever
 * VMs and disks it had meanwhile; and a disk has one live writer.
 */
final class Ledgers {
    /** Notes whether a rule holds. */
    @FunctionalInterface
    interface Check {
        void that(String rule, boolean holds, String what);
    }

    private final World world;
    private final Check check;
    private final Map<InstanceId, List<Row>> acknowledged = new HashMap<>();

    /** Of disks that nobody writes to any more. */
    private final Map<DiskCid, List<Row>> left = new HashMap<>();

    private final Map<DiskCid, VmCid> writers = new HashMap<>();

    Ledgers(World world, Check check) {
        this.world = world;
        this.check = check;
    }

    /** A container that uses the disk starts: whoever used it before may write no more. */
    void started(FakeVm vm, DiskCid disk) {
        VmCid before = writers.put(disk, vm.cid());
        boolean stillWrites =
                before != null
                        && !before.equals(vm.cid())
                        && world.agents.vms().stream()
                                .filter(other -> other.cid().equals(before))
                                .anyMatch(other -> other.isUp() && disk.equals(other.mounted()));
        check.that("R1", !stillWrites, vm + " writes to disk " + disk + ", and so does " + before);
    }

    void wrote(FakeVm vm, DiskCid disk, Row row) {
        VmCid writer = writers.get(disk);
        check.that(
                "R1",
                vm.cid().equals(writer),
                vm + " writes to disk " + disk + ", whose live writer is " + writer);
        DiskCid next = world.agents.content(disk).map(FakeVm.Content::supersededBy).orElse(null);
        check.that("R1", next == null, vm + " writes to " + disk + ", superseded by " + next);
        List<Row> all =
                acknowledged.computeIfAbsent(
                        new InstanceId(vm.instance()), ignored -> new ArrayList<>());
        check.that(
                "ledger",
                row.number() == all.size() + 1,
                row + " went to disk " + disk + " after " + all.size() + " acknowledged ones");
        all.add(row);
    }

    /** The instance is gone or is to have no disk: what it had stays on the disk as it is. */
    void leaves(InstanceId instance, DiskCid disk) {
        List<Row> rows = acknowledged.remove(instance);
        if (rows != null) {
            left.put(disk, rows);
        }
    }

    /** The disk an instance has now, at rest. */
    void has(InstanceId instance, DiskCid disk) {
        compare(disk, acknowledged.getOrDefault(instance, List.of()), "of instance " + instance);
    }

    /** Whether the disk holds all that the instance was told is kept. */
    boolean isWhole(InstanceId instance, DiskCid disk) {
        return rows(disk).equals(acknowledged.getOrDefault(instance, List.of()));
    }

    /** Disks that nobody has any more keep what is on them as long as they exist. */
    void leftAlone() {
        left.keySet().removeIf(disk -> world.cloud.disk(disk).isEmpty()); // R3 says whether rightly
        left.forEach((disk, rows) -> compare(disk, rows, "left by its instance"));
    }

    private List<Row> rows(DiskCid disk) {
        return world.agents.content(disk).map(c -> c.ledger().rows()).orElse(List.of());
    }

    private void compare(DiskCid disk, List<Row> wanted, String whose) {
        List<Row> found = rows(disk);
        check.that(
                "ledger",
                found.equals(wanted),
                "disk "
                        + disk
                        + " "
                        + whose
                        + " holds "
                        + found.size()
                        + " rows, acknowledged are "
                        + wanted.size()
                        + difference(found, wanted));
    }

    private static String difference(List<Row> found, List<Row> wanted) {
        for (int i = 0; i < Math.min(found.size(), wanted.size()); i++) {
            if (!Objects.equals(found.get(i), wanted.get(i))) {
                return "; first " + found.get(i) + " instead of " + wanted.get(i);
            }
        }
        return "";
    }
}
