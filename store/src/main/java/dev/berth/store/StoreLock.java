package dev.berth.store;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One process's right to act on a SQLite store, held until it is closed or the process ends,
 * however it ends: two directors on one store would each be right and together wrong. The lock is
 * the kernel's, on a file beside the database; who holds it stands in a second file, for a process
 * that opened and closed the first would let go of a lock of its own. Thread-safe.
 */
public final class StoreLock implements AutoCloseable {
    private final FileChannel channel;

    private StoreLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * @param database need not exist; its folder must
     * @throws StoreHeldException another has it
     */
    public static StoreLock take(Path database, StoreHolder self) throws IOException {
        Path folder = real(database.toAbsolutePath());
        FileChannel channel =
                FileChannel.open(
                        folder.resolve("lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        try {
            if (!locks(channel)) {
                throw held(database, holder(folder));
            }
            write(folder, self);
            return new StoreLock(channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Where the database lies, by whatever links it was named: the same for all who name it. */
    private static Path real(Path database) throws IOException {
        Path folder = Files.exists(database) ? database.toRealPath().getParent() : null;
        return folder == null ? database.resolveSibling(".").toRealPath() : folder;
    }

    private static boolean locks(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // this very process
        }
    }

    private static void write(Path folder, StoreHolder self) throws IOException {
        Path draft = folder.resolve("lock.holder.new");
        Files.writeString(
                draft,
                Json.write(
                                Json.of(
                                        "host",
                                        self.host(),
                                        "pid",
                                        self.pid(),
                                        "since",
                                        self.since().toString()))
                        + "\n");
        Files.move(
                draft,
                folder.resolve("lock.holder"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** Null: it has not said yet, or cannot be read. */
    private static @Nullable StoreHolder holder(Path folder) {
        try {
            Fields f =
                    Fields.of(
                            Json.parse(Files.readString(folder.resolve("lock.holder"))), "holder");
            return new StoreHolder(
                    f.string("host"), f.integer("pid"), Instant.parse(f.string("since")));
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }

    private static StoreHeldException held(Path database, @Nullable StoreHolder holder) {
        return new StoreHeldException(
                "another director runs on "
                        + database
                        + ": "
                        + (holder == null ? "a process that has not said who it is" : holder)
                        + "; use that one, or end it first: berth down, there"
                        + (holder == null ? "" : " (or kill " + holder.pid() + ")"));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
