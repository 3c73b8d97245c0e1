package dev.berth.acceptance;

import java.nio.file.Path;

/** A loop device with a file system of its own, mounted, for what is done by hand. */
final class BareDisk implements AutoCloseable {
    private final Path file;
    private final Path at;
    private final String device;
    private boolean mounted;

    /** Made in this folder; unmounted and gone when it is closed. */
    BareDisk(Path folder, int megabytes) {
        file = folder.resolve("bare.disk");
        at = folder.resolve("bare.mount");
        BenchTools.run("fallocate", "-l", megabytes + "M", file.toString());
        BenchTools.run("mkdir", "-p", at.toString());
        device = BenchTools.run("losetup", "--show", "-f", file.toString()).strip();
    }

    /** Where it is mounted. */
    Path at() {
        return at;
    }

    /** Formats it anew, as disks are by default. */
    void blank() {
        unmount();
        BenchTools.run("mkfs.ext4", "-q", "-F", device);
        BenchTools.run("mount", device, at.toString());
        mounted = true;
    }

    private void unmount() {
        if (mounted) {
            BenchTools.run("umount", at.toString());
            mounted = false;
        }
    }

    @Override
    public void close() {
        unmount();
        BenchTools.run("losetup", "-d", device);
        BenchTools.run("rm", "-f", file.toString());
    }
}
