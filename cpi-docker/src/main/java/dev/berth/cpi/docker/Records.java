package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Small JSON files that are either the old or the new one, whenever the machine stops. */
final class Records {
    private static final Set<PosixFilePermission> PRIVATE =
            PosixFilePermissions.fromString("rw-------");

    private Records() {}

    static Optional<Fields> read(Path file) {
        try {
            return Optional.of(Fields.of(Json.parse(Files.readAllBytes(file)), file.toString()));
        } catch (NoSuchFileException | NotDirectoryException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw failed("read " + file, e);
        }
    }

    /** Readable by the owner alone from the first byte on. */
    static void write(Path file, Map<String, Object> tree) {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(next);
            var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try (FileChannel channel =
                    FileChannel.open(
                            next, options, PosixFilePermissions.asFileAttribute(PRIVATE))) {
                var bytes =
                        ByteBuffer.wrap((Json.write(tree) + "\n").getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(
                    next,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw failed("write " + file, e);
        }
    }

    /** The folders in a folder; those whose names begin with a dot are not there yet. */
    static List<Path> folders(Path folder) {
        var found = new ArrayList<Path>();
        try (var entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (!entry.getFileName().toString().startsWith(".")) {
                    found.add(entry);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw failed("list " + folder, e);
        }
        found.sort(null);
        return found;
    }

    /** An empty file, which takes no block of a disk that is full. There already is success. */
    static void mark(Path file) {
        try {
            Files.createFile(file);
        } catch (java.nio.file.FileAlreadyExistsException e) {
            // Marked by a call that died.
        } catch (IOException e) {
            throw failed("create " + file, e);
        }
    }

    static void createFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw failed("create " + folder, e);
        }
    }

    /** Gone already is success. */
    static void deleteTree(Path folder) {
        try {
            Files.walkFileTree(folder, new Remover());
        } catch (NoSuchFileException e) {
            // Gone already.
        } catch (IOException e) {
            throw failed("remove " + folder, e);
        }
    }

    private static final class Remover extends SimpleFileVisitor<Path> {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(
                Path folder, @org.jspecify.annotations.Nullable IOException e) throws IOException {
            if (e != null) {
                throw e;
            }
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
        }
    }

    static CpiException failed(String what, IOException e) {
        boolean full = String.valueOf(e.getMessage()).contains("No space left on device");
        return new CpiException(
                full ? CpiException.Type.NO_DISK_SPACE : CpiException.Type.CPI_ERROR,
                "cannot " + what + ": " + (full ? "no space left on device" : e.toString()),
                full,
                new UncheckedIOException(e));
    }
}
