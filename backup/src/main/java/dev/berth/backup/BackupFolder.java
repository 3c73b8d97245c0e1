package dev.berth.backup;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Predicate;

/** A folder of the director's host, or one that is mounted there. */
public final class BackupFolder implements BackupPlace {
    private static final String MAKING = ".making-";
    private static final String ENDING = ".berthbackup";

    private final Path folder;

    public BackupFolder(Path folder) {
        this.folder = folder;
    }

    private Path file(String id) throws BackupException {
        if (!id.matches("[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}")) {
            throw new BackupException("'" + id + "' is no id of a backup");
        }
        return folder.resolve(id + ENDING);
    }

    @Override
    public Sink create(String id) throws IOException {
        Path file = file(id);
        if (Files.exists(file)) {
            throw new BackupException(file + " exists already");
        }
        Path making = folder.resolve(MAKING + id);
        try {
            Files.createDirectories(folder);
            Files.createFile(
                    making,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
        } catch (IOException e) {
            // The JDK's own words are the path and nothing else.
            throw new BackupException(
                    "no backup can be written into "
                            + folder
                            + ": "
                            + e.getClass().getSimpleName().replace("Exception", "")
                            + " "
                            + e.getMessage(),
                    e);
        }
        return new FileSink(making, file);
    }

    private static final class FileSink implements Sink {
        private final Path making;
        private final Path file;
        private final FileOutputStream raw;
        private final BufferedOutputStream out;
        private boolean committed;

        FileSink(Path making, Path file) throws IOException {
            this.making = making;
            this.file = file;
            this.raw = new FileOutputStream(making.toFile());
            this.out = new BufferedOutputStream(raw, 1 << 20);
        }

        @Override
        public OutputStream out() {
            return out;
        }

        @Override
        public long bytes() {
            try {
                return Files.size(committed ? file : making);
            } catch (IOException e) {
                return 0;
            }
        }

        @Override
        public void commit() throws IOException {
            out.flush();
            raw.getFD().sync();
            Files.move(making, file, StandardCopyOption.ATOMIC_MOVE);
            committed = true;
        }

        @Override
        public void close() throws IOException {
            try {
                raw.close();
            } finally {
                Files.deleteIfExists(making);
            }
        }
    }

    @Override
    public InputStream open(String id) throws IOException {
        try {
            return Files.newInputStream(file(id));
        } catch (NoSuchFileException e) {
            throw new BackupException("there is no backup " + file(id), e);
        }
    }

    @Override
    public void delete(String id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    @Override
    public void sweep(Predicate<String> isBeingMade) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (var left = Files.newDirectoryStream(folder, MAKING + "*")) {
            for (Path making : left) {
                String id = making.getFileName().toString().substring(MAKING.length());
                if (!isBeingMade.test(id)) {
                    Files.deleteIfExists(making);
                }
            }
        }
    }

    @Override
    public String location(String id) {
        return folder.resolve(id + ENDING).toString();
    }
}
