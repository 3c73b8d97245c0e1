package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/** Copies of images that hold much that was never written. */
final class SparseCopy {
    private static final int BLOCK = 4096;

    /** What a copy leaves to others, who may need it the moment it is gone. */
    private static final long MARGIN = 128L * 1024 * 1024;

    private SparseCopy() {}

    /**
     * How many bytes of a file were ever written: what a sparse copy of it takes at most. Where the
     * file system cannot tell, all that it takes.
     */
    static long written(Path file) throws IOException {
        Process process =
                new ProcessBuilder("filefrag", "-s", "-v", "-b" + BLOCK, file.toString())
                        .redirectErrorStream(true)
                        .start();
        long blocks = 0;
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] part = line.strip().split("\\s*[:]\\s*");
                // number: logical: physical: length: (expected:) flags
                if (part.length >= 5 && part[0].matches("\\d+") && !line.contains("unwritten")) {
                    blocks += Long.parseLong(part[3]);
                }
            }
        }
        return exitCode(process) == 0
                ? Math.min(blocks * BLOCK, Disks.allocated(file))
                : Disks.allocated(file);
    }

    /** Whole and on the disk when it returns. */
    static void run(Path from, Path to) throws IOException {
        Process copy =
                new ProcessBuilder(
                                "cp",
                                "--reflink=never",
                                "--sparse=always",
                                from.toString(),
                                to.toString())
                        .redirectErrorStream(true)
                        .start();
        try (BufferedReader said = copy.inputReader()) {
            while (!copy.waitFor(100, TimeUnit.MILLISECONDS)) {
                // Others promised themselves space since we looked: ours is the one to give way.
                if (Files.getFileStore(from).getUsableSpace() < MARGIN) {
                    throw new CpiException(
                            Type.NO_DISK_SPACE,
                            "no space left for a copy of " + from + "; free some",
                            true,
                            null);
                }
            }
            if (copy.exitValue() != 0) {
                throw new IOException("cp: " + said.readLine());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CpiException(Type.UNKNOWN, "interrupted while copying " + from);
        } finally {
            copy.destroyForcibly();
        }
        try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static int exitCode(Process process) {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CpiException(Type.UNKNOWN, "interrupted while measuring");
        }
    }
}
