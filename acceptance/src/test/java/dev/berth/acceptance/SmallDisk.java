package dev.berth.acceptance;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A file system of its own size, for a home that can be filled without filling the machine. */
final class SmallDisk implements AutoCloseable {
    private final Path folder;
    private final Path image;
    private final Path mount;
    private final String device;

    SmallDisk(Path folder, long megabytes) {
        this(folder, megabytes, "ext4");
    }

    SmallDisk(Path folder, long megabytes, String fileSystem) {
        this.folder = folder;
        this.image = folder.resolve("small.img");
        this.mount = folder.resolve("small");
        try {
            Files.createDirectories(mount);
            try (var file = new RandomAccessFile(image.toFile(), "rw")) {
                file.setLength(megabytes << 20);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> made =
                fileSystem.equals("ext4")
                        ? List.of("mkfs.ext4", "-q", "-m", "0", image.toString())
                        : List.of("mkfs." + fileSystem, "-q", image.toString());
        Shell.run(made).ok();
        device = Shell.run(List.of("losetup", "-f", "--show", image.toString())).ok().strip();
        Shell.run(List.of("mount", device, mount.toString())).ok();
    }

    Path path() {
        return mount;
    }

    private Path filler() {
        return mount.resolve("filler");
    }

    /** Full until it is closed. */
    interface Full extends AutoCloseable {
        @Override
        void close();
    }

    Full full() {
        fill();
        return this::free;
    }

    /** Takes every block that is left, also those that are freed while it does. */
    private void fill() {
        try (var out = Files.newOutputStream(filler())) {
            byte[] block = new byte[1 << 16];
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            byteByByte();
        }
    }

    private void byteByByte() {
        try (var file = new RandomAccessFile(filler().toFile(), "rw")) {
            file.seek(file.length());
            while (true) {
                file.write(0);
            }
        } catch (IOException full) {
            // As meant.
        }
    }

    private void free() {
        try {
            Files.deleteIfExists(filler());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        // A process that has just ended may hold it for a moment yet.
        await().atMost(TestEnvironment.SOON)
                .until(() -> Shell.run(List.of("umount", mount.toString())).code() == 0);
        Shell.run(List.of("losetup", "-d", device));
        try {
            Files.delete(image);
            Files.delete(mount);
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
