package dev.berth.supervisor;

import dev.berth.model.ContainerProcess.EnvFile;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage.MountedFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Files of the VM that belong to containers: secrets and configs, which are written where nothing
 * outlives a boot, and files that a spec refers to, which are read.
 */
final class VmFiles {
    private static final long LARGEST = 1 << 20;

    private final CreateBody paths;

    VmFiles(CreateBody paths) {
        this.paths = paths;
    }

    // --- secrets and configs

    /**
     * Writes the contents of a spec. A file that is right already stays the same file: it may be
     * mounted.
     */
    void write(ContainerSpec spec) throws IOException {
        Path folder = paths.files(spec.name(), spec.fixedDigest());
        List<MountedFile> files =
                Stream.concat(spec.storage().secrets().stream(), spec.storage().configs().stream())
                        .toList();
        if (files.isEmpty()) {
            return;
        }
        // Only root looks into the folder; the container is given the files themselves.
        Files.createDirectories(
                folder,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        for (MountedFile file : files) {
            write(paths.file(spec, file), file);
        }
    }

    private static void write(Path path, MountedFile file) throws IOException {
        byte[] content = file.content().reveal().getBytes(StandardCharsets.UTF_8);
        if (!Files.isRegularFile(path)
                || !java.util.Arrays.equals(Files.readAllBytes(path), content)) {
            Path fresh = path.resolveSibling(path.getFileName() + ".new");
            Files.deleteIfExists(fresh);
            Files.createFile(
                    fresh,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.write(fresh, content);
            Files.move(
                    fresh,
                    path,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        }
        if (!Files.getAttribute(path, "unix:uid").equals(file.uid())) {
            Files.setAttribute(path, "unix:uid", file.uid());
        }
        if (!Files.getAttribute(path, "unix:gid").equals(file.gid())) {
            Files.setAttribute(path, "unix:gid", file.gid());
        }
        Files.setPosixFilePermissions(path, permissions(file.mode()));
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        var set = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values(); // OWNER_READ to OTHERS_EXECUTE
        for (int i = 0; i < all.length; i++) {
            if ((mode & (0400 >> i)) != 0) {
                set.add(all[i]);
            }
        }
        return set;
    }

    /** Removes what was written for a container of this name and {@link Labels#FIXED}. */
    void forget(String container, String fixedDigest) throws IOException {
        Path folder = paths.files(container, fixedDigest);
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> all = Files.list(folder)) {
            for (Path path : all.toList()) {
                Files.delete(path);
            }
        }
        Files.delete(folder);
        Path parent = folder.resolveSibling("").normalize();
        boolean last;
        try (Stream<Path> others = Files.list(parent)) {
            last = others.findAny().isEmpty();
        }
        if (last) {
            Files.delete(parent);
        }
    }

    // --- what a spec refers to

    /** Of several files the later wins. */
    static Map<String, String> environment(ContainerSpec spec) throws IOException {
        var environment = new LinkedHashMap<String, String>();
        for (EnvFile file : spec.process().envFiles()) {
            Path path = Path.of(file.path());
            if (!Files.exists(path) && file.optional()) {
                continue;
            }
            read(path, "env_file")
                    .lines()
                    .forEach(line -> add(environment, line.strip(), file.raw()));
        }
        return environment;
    }

    private static void add(Map<String, String> environment, String line, boolean raw) {
        int equals = line.indexOf('=');
        if (line.startsWith("#") || equals < 1) {
            return;
        }
        String value = line.substring(equals + 1);
        boolean quoted =
                value.length() >= 2
                        && (value.charAt(0) == '"' || value.charAt(0) == '\'')
                        && value.charAt(value.length() - 1) == value.charAt(0);
        environment.put(
                line.substring(0, equals).strip(),
                !raw && quoted ? value.substring(1, value.length() - 1) : value);
    }

    /** {@code seccomp=/path} stands for what the file holds: engines want the profile itself. */
    static List<String> securityOptions(ContainerSpec spec) throws IOException {
        var options = new ArrayList<String>();
        for (String option : spec.security().securityOptions()) {
            options.add(
                    option.startsWith("seccomp=/")
                            ? "seccomp=" + read(Path.of(option.substring(8)), "security_opt")
                            : option);
        }
        return options;
    }

    private static String read(Path path, String key) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new IOException("the VM has no file " + path + ", which '" + key + "' names");
        }
        if (Files.size(path) > LARGEST) {
            throw new IOException("the file " + path + " of '" + key + "' is larger than 1 MiB");
        }
        return Files.readString(path);
    }
}
