package dev.berth.planner;

import java.util.ArrayList;
import java.util.List;

/**
 * How a live disk becomes what is wished, in the order of preference: each way stops containers for
 * longer, or moves more data, than the one before.
 */
enum DiskWay {
    /** It is as wished. */
    NONE,
    /** In place; under running containers where CPI and file system can. */
    GROW,
    /** Unmounted and mounted again. */
    REMOUNT,
    /** Onto a new disk, while the containers run; they stop for the last difference only. */
    COPY;

    static DiskWay of(Recorded.Disk disk, Desired.DiskWish wish, PlanOptions options) {
        if (mustCopy(disk, wish)) {
            return COPY;
        }
        if (wish.sizeMb() > disk.sizeMb()) {
            return options.disks().resizes() || disk.raw() ? GROW : COPY;
        }
        return disk.raw() || disk.mountOptions().equals(wish.mountOptions()) ? NONE : REMOUNT;
    }

    /** Whatever the CPI can: a disk becomes neither smaller nor of another kind in its place. */
    static boolean mustCopy(Recorded.Disk disk, Desired.DiskWish wish) {
        return shrinks(disk, wish) || otherKind(disk, wish) || isToBeRenewed(disk, wish);
    }

    private static boolean isToBeRenewed(Recorded.Disk disk, Desired.DiskWish wish) {
        return !wish.renewal().isEmpty() && !wish.renewal().equals(disk.renewal());
    }

    static boolean shrinks(Recorded.Disk disk, Desired.DiskWish wish) {
        return wish.sizeMb() < disk.sizeMb();
    }

    /** Made otherwise in the cloud, or formatted otherwise. */
    private static boolean otherKind(Recorded.Disk disk, Desired.DiskWish wish) {
        return !Trees.same(disk.cloudProperties(), wish.cloudProperties())
                || otherFileSystem(disk, wish);
    }

    private static boolean otherFileSystem(Recorded.Disk disk, Desired.DiskWish wish) {
        return wish.fileSystemChosen()
                && !wish.raw()
                && !disk.fileSystem().isEmpty()
                && !disk.fileSystem().equals(wish.fileSystem());
    }

    /** What differs, for people; empty: nothing. */
    static String reason(Recorded.Disk disk, Desired.DiskWish wish) {
        var texts = new ArrayList<String>();
        if (disk.sizeMb() != wish.sizeMb()) {
            texts.add(disk.sizeMb() + " → " + wish.sizeMb() + " MB");
        }
        if (!Trees.same(disk.cloudProperties(), wish.cloudProperties())) {
            texts.add(Trees.differingKeys(disk.cloudProperties(), wish.cloudProperties()));
        }
        if (otherFileSystem(disk, wish)) {
            texts.add("file system " + disk.fileSystem() + " → " + wish.fileSystem());
        }
        if (isToBeRenewed(disk, wish)) {
            texts.add("a new disk was asked for");
        }
        if (!disk.raw() && !disk.mountOptions().equals(wish.mountOptions())) {
            texts.add(
                    "mount options "
                            + text(disk.mountOptions())
                            + " → "
                            + text(wish.mountOptions()));
        }
        return String.join(", ", texts);
    }

    private static String text(List<String> options) {
        return options.isEmpty() ? "none" : String.join(",", options);
    }
}
