package dev.berth.agent;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Lets partition and file system fill a device that has grown. */
final class DiskGrowth {
    /**
     * A file system is never exactly as long as its device; below this there is nothing to gain.
     */
    private static final long SLACK = 1024 * 1024;

    /** They grow while they are mounted, and only then. */
    private static final Set<String> ONLY_MOUNTED = Set.of("xfs", "btrfs");

    private final DiskTools tools;

    DiskGrowth(DiskTools tools) {
        this.tools = tools;
    }

    /** The partition first, if there is one. The disk as it is afterwards. */
    DiskDevices.Found partition(DiskDevices.Found disk) {
        if (disk.path().equals(disk.whole())) {
            return disk;
        }
        tools.growPartition(disk.whole());
        return new DiskDevices.Found(
                disk.cid(),
                disk.whole(),
                disk.path(),
                tools.device(disk.path()).orElse(disk.device()));
    }

    /** Of a disk that has just been mounted and is not used yet. */
    void whenMounted(
            DiskDevices.Found before,
            Path at,
            DiskTools.Content.FileSystem fs,
            List<String> mountOptions) {
        DiskDevices.Found disk = partition(before);
        boolean larger = disk.device().bytes() > fs.bytes() + SLACK;
        if (!larger
                || tools.growMounted(disk.path(), at, fs.type())
                        != DiskTools.Growth.NOT_WHILE_MOUNTED
                || ONLY_MOUNTED.contains(fs.type())) {
            return;
        }
        tools.unmount(at);
        try {
            tools.growUnmounted(disk.path(), fs.type());
        } finally {
            tools.mount(disk.path(), at, fs.type(), mountOptions);
        }
    }

    /** Of a disk that is mounted nowhere: {@code offline} or {@code none}. */
    String whenUnmounted(DiskDevices.Found before) {
        DiskDevices.Found disk = partition(before);
        if (!(tools.look(disk.path()) instanceof DiskTools.Content.FileSystem fs)
                || fs.bytes() + SLACK >= disk.device().bytes()
                || ONLY_MOUNTED.contains(fs.type())) {
            return "none";
        }
        tools.growUnmounted(disk.path(), fs.type());
        return "offline";
    }
}
