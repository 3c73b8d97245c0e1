package dev.berth.agent;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Block devices, file systems and mounts of the VM. Failures are {@link ActionException}s with the
 * program's words. Blocking.
 */
interface DiskTools {
    /** The block device behind a path, links followed; empty while there is none. */
    Optional<Device> device(Path path);

    /** What a device holds. Only {@link Content.Blank} may ever be formatted. */
    Content look(Path device);

    /** Makes a file system; the program itself refuses when it finds any signature. */
    void format(Path device, String fileSystem);

    /** All mounts of this VM, in order: the last one at a place is the one that is seen. */
    List<Mount> mounts();

    void mount(Path device, Path at, String fileSystem, List<String> options);

    /** Fails, naming who holds it, when it stays busy. */
    void unmount(Path at);

    /** Shows what is mounted at one place at another one too, where it cannot be written. */
    void bindReadOnly(Path from, Path at);

    /** Returns when all that was written there is on the disk. */
    void sync(Path at);

    Space space(Path at);

    /** The one partition of a device that has a partition table with one; empty: it has none. */
    Optional<Path> partition(Path device);

    /** Lets the one partition of a device reach to its end. */
    void growPartition(Path device);

    /** Checks and grows a file system that is not mounted. */
    void growUnmounted(Path device, String fileSystem);

    /** Grows a mounted file system. */
    Growth growMounted(Path device, Path at, String fileSystem);

    /**
     * Writes and syncs a small file; full is not a failure of the disk. Empty: it can be written.
     */
    Optional<String> cannotWrite(Path at);

    /**
     * Of a mounted file system, in bytes.
     *
     * @param available to all but root
     */
    record Space(long total, long used, long available) {}

    /**
     * A block device.
     *
     * @param number {@code major:minor}
     */
    record Device(String number, long bytes) {}

    /**
     * One line of the mount table.
     *
     * @param number {@code major:minor} of the device
     */
    record Mount(String number, Path at, String fileSystem, boolean readOnly) {}

    /** What a look at a device found. */
    sealed interface Content {
        /** No signature of anything, and zeros at both ends. */
        record Blank() implements Content {}

        /** A file system we can mount, and how many bytes of the device it covers. */
        record FileSystem(String type, long bytes) implements Content {}

        /** Anything else: somebody's data. */
        record Foreign(String what) implements Content {}
    }

    /** How an attempt to grow a mounted file system went. */
    enum Growth {
        GREW,
        /** It covers its device already. */
        NOTHING_TO_DO,
        /** The kernel does not let us while it is mounted. */
        NOT_WHILE_MOUNTED
    }
}
