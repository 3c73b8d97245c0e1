package dev.berth.supervisor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes a daemon's files where it and its start script read them. Not thread-safe. */
final class DaemonDisk {
    private static final System.Logger LOG = System.getLogger(DaemonDisk.class.getName());
    private static final String CERTIFICATE = "berth.crt";
    private static final int MOST_WORDS = 64 * 1024;

    private final DaemonPlace place;

    DaemonDisk(DaemonPlace place) {
        this.place = place;
    }

    Path json() {
        return place.home().resolve("daemon.json");
    }

    void write(DaemonFiles files) {
        keep("environment", lines(files.environment()));
        keep("start", start(files));
        files.tls().forEach((name, pem) -> keep("tls/" + name, pem));
        keep("daemon.json", dev.berth.model.Json.write(files.json()) + "\n");
        certificates(files.certificates());
        maxMapCount(files.maxMapCount());
    }

    private static String lines(Map<String, String> environment) {
        return new TreeMap<>(environment)
                .entrySet().stream()
                        .map(e -> e.getKey() + "=" + e.getValue() + "\n")
                        .collect(Collectors.joining());
    }

    /** One word and its arguments a line, for the start script. */
    private String start(DaemonFiles files) {
        var lines = new StringBuilder();
        if (onStore(files)) {
            lines.append("store ").append(place.store()).append('\n');
        }
        if (files.nofile() > 0) {
            lines.append("nofile ").append(files.nofile()).append('\n');
        }
        if (!files.bridge().isEmpty()) {
            lines.append("bridge ")
                    .append(files.json().get("bridge"))
                    .append(' ')
                    .append(files.bridge())
                    .append('\n');
        }
        return lines.toString();
    }

    boolean onStore(DaemonFiles files) {
        return Path.of(files.dataRoot()).normalize().startsWith(place.store());
    }

    /** Ours only: what others put there is left alone. */
    private void certificates(Map<String, String> wanted) {
        try {
            if (Files.isDirectory(place.certificates())) {
                try (Stream<Path> there = Files.list(place.certificates())) {
                    for (Path folder : there.toList()) {
                        if (!wanted.containsKey(String.valueOf(folder.getFileName()))) {
                            Files.deleteIfExists(folder.resolve(CERTIFICATE));
                        }
                    }
                }
            }
            for (var one : wanted.entrySet()) {
                Path folder = place.certificates().resolve(one.getKey());
                Files.createDirectories(folder);
                replace(folder.resolve(CERTIFICATE), one.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Only ever raised: in a VM that is a container the value is the whole machine's. */
    private void maxMapCount(long wanted) {
        Path file = place.kernel().resolve("vm/max_map_count");
        if (wanted == 0) {
            return;
        }
        try {
            if (Long.parseLong(Files.readString(file).strip()) < wanted) {
                Files.writeString(file, Long.toString(wanted));
            }
        } catch (IOException | NumberFormatException e) {
            LOG.log(System.Logger.Level.WARNING, "vm.max_map_count cannot be set: {0}", e);
        }
    }

    /** Whether the kernel's value is at least the wanted one. */
    boolean mapsEnough(long wanted) {
        try {
            Path file = place.kernel().resolve("vm/max_map_count");
            return wanted == 0 || Long.parseLong(Files.readString(file).strip()) >= wanted;
        } catch (IOException | NumberFormatException e) {
            return false;
        }
    }

    // --- what is remembered

    Optional<String> read(String name) {
        try {
            return Optional.of(Files.readString(place.home().resolve(name)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void keep(String name, String text) {
        replace(place.home().resolve(name), text);
    }

    void forget(String name) {
        try {
            Files.deleteIfExists(place.home().resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The old text or the new one after a crash; readable by its owner alone. */
    private static void replace(Path file, String text) {
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null && !Files.isDirectory(folder)) {
                Files.createDirectories(
                        folder,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            }
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.deleteIfExists(fresh);
            Files.createFile(
                    fresh,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, text, StandardOpenOption.SYNC);
            Files.move(
                    fresh,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // --- the daemon's log

    long logEnd() {
        try {
            return Files.size(place.log());
        } catch (IOException e) {
            return 0;
        }
    }

    /** What was logged from there on, or all of a log that was begun anew; the last 64 KiB. */
    String logSince(long from) {
        try (var file = new java.io.RandomAccessFile(place.log().toFile(), "r")) {
            long length = file.length();
            long begin = Math.max(from > length ? 0 : from, length - MOST_WORDS);
            file.seek(begin);
            var bytes = new byte[(int) (length - begin)];
            file.readFully(bytes);
            return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
