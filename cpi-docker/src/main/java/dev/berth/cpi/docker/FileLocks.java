package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Named locks that hold among threads and among processes; those of a killed process are free at
 * once. Not reentrant. Lock files are removed on release, so the folder stays small.
 */
final class FileLocks {
    /**
     * What this process holds, by path. Static, because the system's file locks are the process's:
     * whoever else in it opened and closed the same file would drop them.
     */
    private static final ReentrantLock MONITOR = new ReentrantLock();

    private static final Condition FREED = MONITOR.newCondition();
    private static final Set<Path> HELD = new HashSet<>();

    private final Path folder;
    private final Duration limit;

    /**
     * @param limit the longest wait; weighed against the slowest holder, a graceful stop of a VM
     */
    FileLocks(Path folder, Duration limit) {
        this.folder = folder;
        this.limit = limit;
    }

    /** Releases on close. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    Held lock(String name) {
        long deadline = System.nanoTime() + limit.toNanos();
        enter(name, deadline);
        try {
            FileChannel channel = lockFile(file(name), name, deadline);
            return () -> release(name, channel);
        } catch (IOException e) {
            leave(name);
            throw new CpiException(
                    CpiException.Type.CPI_ERROR,
                    "cannot lock " + name + " in " + folder + ": " + e,
                    false,
                    e);
        } catch (RuntimeException e) {
            leave(name);
            throw e;
        }
    }

    /** Whether nobody holds it at this moment. */
    boolean isFree(String name) {
        try (var held = new FileLocks(folder, Duration.ZERO).lock(name)) {
            return true;
        } catch (CpiException e) {
            return false;
        }
    }

    private Path file(String name) {
        return folder.resolve(name + ".lock");
    }

    /** Excludes this process's other threads: file locks only exclude other processes. */
    private void enter(String name, long deadline) {
        MONITOR.lock();
        try {
            while (!HELD.add(file(name))) {
                if (FREED.awaitNanos(deadline - System.nanoTime()) <= 0) {
                    throw busy(name);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CpiException(
                    CpiException.Type.CPI_ERROR, "interrupted while waiting for " + name);
        } finally {
            MONITOR.unlock();
        }
    }

    private void leave(String name) {
        MONITOR.lock();
        try {
            HELD.remove(file(name));
            FREED.signalAll();
        } finally {
            MONITOR.unlock();
        }
    }

    private FileChannel lockFile(Path file, String name, long deadline) throws IOException {
        Files.createDirectories(folder);
        while (true) {
            FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                if (tryLock(channel) && isStill(channel, file)) {
                    return channel;
                }
                channel.close();
                pause(name, deadline);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        }
    }

    @SuppressWarnings("resource") // ends with its channel
    private static boolean tryLock(FileChannel channel) throws IOException {
        @Nullable FileLock lock = channel.tryLock();
        return lock != null;
    }

    /**
     * Whether the locked file is the one the name leads to: its last holder may have removed it
     * between our opening and our locking. A random size is the mark, because opening the file a
     * second time to compare would drop the lock when it is closed.
     */
    private static boolean isStill(FileChannel channel, Path file) throws IOException {
        long mark = ThreadLocalRandom.current().nextLong(1, 1L << 40);
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(new byte[1]), mark - 1);
        try {
            return Files.size(file) == mark;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static void pause(String name, long deadline) {
        if (deadline - System.nanoTime() <= 0) {
            throw busy(name);
        }
        try {
            TimeUnit.MILLISECONDS.sleep(5);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CpiException(
                    CpiException.Type.CPI_ERROR, "interrupted while waiting for " + name);
        }
    }

    private static CpiException busy(String name) {
        return new CpiException(
                CpiException.Type.CLOUD_ERROR,
                "another call is still working on " + name + "; try again when it is done");
    }

    private void release(String name, FileChannel channel) {
        try (channel) {
            Files.deleteIfExists(file(name));
        } catch (IOException e) {
            // The lock goes with the channel in any case; a file left over is taken by the next.
        } finally {
            leave(name);
        }
    }
}
