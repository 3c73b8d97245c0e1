package dev.berth.cpi.docker;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Where a block device is mounted, in any mount name space of the host: a VM's own, those of the
 * containers inside it, and any other.
 */
final class Mounts {
    private final Path proc;

    Mounts(Path proc) {
        this.proc = proc;
    }

    /** A process that sees the mount. */
    record Mount(String pid, String place) {}

    /**
     * @param number {@code major:minor}
     */
    Optional<Mount> of(String number) {
        var seen = new HashSet<String>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path process : processes) {
                Optional<Mount> mount = of(number, process, seen);
                if (mount.isPresent()) {
                    return mount;
                }
            }
        } catch (IOException e) {
            throw Records.failed("list " + proc, e);
        }
        return Optional.empty();
    }

    private static Optional<Mount> of(String number, Path process, Set<String> seen) {
        try {
            if (!seen.add(Files.readSymbolicLink(process.resolve("ns/mnt")).toString())) {
                return Optional.empty();
            }
            for (String line : Files.readAllLines(process.resolve("mountinfo"))) {
                String[] fields = line.split(" ", 6);
                if (fields.length > 4 && fields[2].equals(number)) {
                    return Optional.of(new Mount(process.getFileName().toString(), fields[4]));
                }
            }
        } catch (IOException e) {
            // The process ended while it was looked at, and its view with it.
        }
        return Optional.empty();
    }
}
