package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Makes the directories of a container's volumes. A new directory belongs to the user that the
 * container runs as, so that it needs no world-writable mode; an existing one is never touched.
 */
final class HostDirectories {
    private final CreateBody paths;

    HostDirectories(CreateBody paths) {
        this.paths = paths;
    }

    /**
     * Makes what is missing.
     *
     * @param user {@code uid[:gid]} or a name, as spec or image give it; asked only when something
     *     is to be made
     * @throws IOException naming the path, when it cannot be made or a HOST path is missing
     */
    void ensure(ContainerSpec spec, Supplier<String> user) throws IOException {
        for (Volume volume : spec.storage().volumes()) {
            if (volume.kind() == Volume.Kind.TMPFS) {
                continue;
            }
            Path path = paths.source(volume);
            if (Files.exists(path)) {
                continue;
            }
            boolean ours = volume.kind() != Volume.Kind.HOST || !volume.namedDisk().isEmpty();
            if (!ours && !volume.options().create()) {
                throw new IOException(
                        "the VM has no path " + path + " to mount at " + volume.target());
            }
            make(path, user.get());
        }
    }

    private static void make(Path path, String user) throws IOException {
        List<Path> missing = new ArrayList<>();
        for (Path p = path; p != null && !Files.exists(p); p = p.getParent()) {
            missing.addFirst(p);
        }
        for (Path p : missing) {
            Files.createDirectory(p);
            Files.setPosixFilePermissions(p, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        give(path, user);
    }

    private static void give(Path path, String user) throws IOException {
        if (user.isEmpty() || user.equals("root") || user.equals("0") || user.startsWith("0:")) {
            return;
        }
        String[] ids = user.split(":", 2);
        if (ids[0].chars().allMatch(Character::isDigit)) {
            int uid = Integer.parseInt(ids[0]);
            Files.setAttribute(path, "unix:uid", uid);
            boolean group = ids.length == 2 && ids[1].chars().allMatch(Character::isDigit);
            Files.setAttribute(path, "unix:gid", group ? Integer.parseInt(ids[1]) : uid);
        } else {
            // The number behind a name is known only inside the image.
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
    }
}
