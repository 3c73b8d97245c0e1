package dev.berth.planner;

import dev.berth.model.Problem;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is not done to a disk on a manifest's word alone.
 *
 * @param instance for the messages
 */
record DiskRefusals(String instance, PlanOptions.Disks options, List<Problem> problems) {
    void check(Recorded.@Nullable Disk disk, Desired.DiskWish wished) {
        if (disk == null) {
            return;
        }
        boolean asked = wished.manifestMb() != 0;
        boolean given = disk.manifestMb() != 0 && disk.manifestMb() != disk.sizeMb() && !asked;
        if (disk.raw() != wished.raw()) {
            refuse(
                    disk,
                    wished,
                    disk.raw() ? "is raw, and what is on it is not known" : "is formatted",
                    "give a new disk another name; this one becomes an orphan");
        } else if (DiskWay.shrinks(disk, wished) && !options.allowShrink()) {
            shrinks(disk, wished, given);
        } else if (given
                && wished.sizeMb() > disk.sizeMb()
                && wished.sizeMb() == disk.manifestMb()) {
            refuse(
                    disk,
                    wished,
                    "was made smaller by resize-disk, "
                            + disk.manifestMb()
                            + " → "
                            + disk.sizeMb()
                            + " MB, and the manifest still says "
                            + wished.sizeMb(),
                    "write " + disk.sizeMb() + " into the manifest; or resize-disk it back");
        } else if (disk.raw() && DiskWay.mustCopy(disk, wished)) {
            refuse(
                    disk,
                    wished,
                    "is raw, and cannot be copied: " + DiskWay.reason(disk, wished),
                    "give a new disk another name, and copy the data yourself");
        }
    }

    private void shrinks(Recorded.Disk disk, Desired.DiskWish wished, boolean given) {
        String since =
                given ? " since resize-disk (the manifest said " + disk.manifestMb() + ")" : "";
        refuse(
                disk,
                wished,
                "has "
                        + disk.sizeMb()
                        + " MB"
                        + since
                        + " and cannot shrink to "
                        + wished.sizeMb()
                        + " MB",
                (given ? "write " + disk.sizeMb() + " into the manifest" : "keep the size")
                        + "; or add --allow-shrink: its data is copied to a smaller disk if it"
                        + " fits, and this one stays as an orphan");
    }

    private void refuse(Recorded.Disk disk, Desired.DiskWish wished, String what, String remedy) {
        problems.add(
                new Problem(
                        100,
                        instance,
                        "its persistent " + wished.text() + " " + disk.cid() + " " + what,
                        remedy));
    }
}
