package dev.berth.supervisor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/** Remembers in files of one directory, readable by their owner only. */
public final class FileMemory implements SupervisorMemory {
    private final Path directory;

    public FileMemory(Path directory) {
        this.directory = directory;
    }

    @Override
    public Optional<String> read(String part) {
        try {
            return Optional.of(Files.readString(file(part)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** By a new file and a rename, so that a reader or a crash never meets half a text. */
    @Override
    public void write(String part, String text) {
        try {
            Files.createDirectories(directory);
            Path fresh = directory.resolve(part + ".new");
            Files.deleteIfExists(fresh);
            Files.createFile(
                    fresh,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, text);
            Files.move(
                    fresh,
                    file(part),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path file(String part) {
        return directory.resolve(part + ".json");
    }
}
