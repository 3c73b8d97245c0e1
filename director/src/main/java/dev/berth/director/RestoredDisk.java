package dev.berth.director;

import dev.berth.backup.BackupException;
import dev.berth.backup.BackupReader;
import dev.berth.backup.TarTree;
import dev.berth.backup.TreeDigest;
import dev.berth.backup.TreeEntry;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One disk of a backup that is being filled anew beside a VM's own, and compared with the backup
 * file by file when it is.
 *
 * @param about as the backup tells
 * @param disk blank at first
 */
record RestoredDisk(Fields about, Rows.Instance instance, Rows.Vm vm, Rows.Disk disk) {
    boolean isOf(Fields other) {
        return about.string("disk").equals(other.string("disk"));
    }

    /** Opens the backup from its beginning. */
    interface Source {
        BackupReader open() throws IOException;
    }

    /**
     * Reads the disk back. Only where something differs is the backup read once more, to say what.
     *
     * @param filled of the entries that the disk was filled with
     * @throws BackupException the first file that is not as it was
     */
    void compare(Hands hands, String filled, Source source, BackupProgress progress, Runnable check)
            throws Exception {
        var found = new TreeDigest();
        try (DiskTar tar = open(hands, check)) {
            TarTree.read(new BackupJob.Counted(tar, progress), found::add);
        }
        if (found.take().equals(filled)) {
            return;
        }
        try (BackupReader reader = source.open()) {
            findDifference(hands, reader, progress, check);
        }
        throw new BackupException("the restored disk was read twice and was not the same twice");
    }

    private DiskTar open(Hands hands, Runnable check) {
        return DiskTar.open(
                hands, vm, disk.cid().value(), Json.of("of", disk.cid().value()), check);
    }

    private void findDifference(
            Hands hands, BackupReader source, BackupProgress progress, Runnable check)
            throws Exception {
        BlockingQueue<Item> wanted = new LinkedBlockingQueue<>(10_000);
        Thread reader = Thread.ofVirtual().start(() -> entries(source, wanted));
        try (DiskTar tar = open(hands, check)) {
            var expected = new Expected(wanted);
            TarTree.read(
                    new BackupJob.Counted(tar, progress),
                    found -> {
                        TreeEntry entry = expected.hasNext() ? expected.next() : null;
                        if (!found.equals(entry)) {
                            throw different(entry, found);
                        }
                    });
            if (expected.hasNext()) {
                throw different(expected.next(), null);
            }
        } finally {
            reader.interrupt();
        }
    }

    private BackupException different(@Nullable TreeEntry expected, @Nullable TreeEntry found) {
        TreeEntry named = expected != null ? expected : found;
        return new BackupException(
                "what was restored is not what was backed up: "
                        + (named == null ? "?" : named.path())
                        + " of "
                        + instance.group()
                        + "/"
                        + instance.index()
                        + (expected == null
                                ? " is not in the backup"
                                : found == null
                                        ? " is missing"
                                        : " should be " + expected + " and is " + found));
    }

    /** An entry; the end; or what went wrong. */
    private record Item(@Nullable TreeEntry entry, @Nullable Exception failure) {}

    private void entries(BackupReader source, BlockingQueue<Item> into) {
        try {
            try {
                source.read(
                        new BackupReader.Visitor() {
                            private boolean ours;

                            @Override
                            public void begin(Fields other) {
                                ours = isOf(other);
                            }

                            @Override
                            public void entry(TreeEntry entry) throws IOException {
                                if (ours) {
                                    put(into, new Item(entry, null));
                                }
                            }
                        });
                put(into, new Item(null, null));
            } catch (IOException | RuntimeException e) {
                put(into, new Item(null, e));
            }
        } catch (IOException e) {
            // Nobody compares any more.
        }
    }

    private static void put(BlockingQueue<Item> into, Item item) throws IOException {
        try {
            into.put(item);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted");
        }
    }

    /** What the backup holds of the disk, as it is read. */
    private static final class Expected implements Iterator<TreeEntry> {
        private final BlockingQueue<Item> items;
        private @Nullable Item next;

        Expected(BlockingQueue<Item> items) {
            this.items = items;
        }

        private Item item() {
            try {
                Item item = next;
                if (item == null) {
                    item = items.poll(10, TimeUnit.MINUTES);
                    if (item == null) {
                        throw new IllegalStateException("the backup cannot be read on");
                    }
                    next = item;
                }
                Exception failure = item.failure();
                if (failure != null) {
                    throw new IllegalStateException(Failures.message(failure), failure);
                }
                return item;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }

        @Override
        public boolean hasNext() {
            return item().entry() != null;
        }

        @Override
        public TreeEntry next() {
            TreeEntry entry = item().entry();
            if (entry == null) {
                throw new java.util.NoSuchElementException();
            }
            next = null;
            return entry;
        }
    }
}
