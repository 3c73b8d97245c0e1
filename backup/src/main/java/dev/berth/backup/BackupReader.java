package dev.berth.backup;

import com.github.luben.zstd.ZstdInputStream;
import dev.berth.model.Fields;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32C;

/**
 * Reads a backup from its beginning, once: every byte is authenticated before it is given out, and
 * counts and digests are compared as they come by. Not thread-safe.
 */
public final class BackupReader implements AutoCloseable {
    private static final int LONGEST_HEAD = 64 << 20;

    private final InputStream in;
    private final Fields head;
    private Frame next;
    private long disks;

    /**
     * @param source closed with the reader
     * @throws BackupException it is none, or of another key, or damaged
     */
    public BackupReader(InputStream source, BackupKey key) throws IOException {
        in = new BufferedInputStream(new ZstdInputStream(new SealedInput(source, key)), 1 << 16);
        var text = new ByteArrayOutputStream();
        next = frame();
        while (next.kind() == BackupWriter.HEAD_LETTER) {
            text.write(next.payload());
            if (text.size() > LONGEST_HEAD) {
                throw new BackupException("the head of the backup is too long");
            }
            next = frame();
        }
        head = Fields.of(Json.parse(text.toByteArray()), "backup");
    }

    private Frame frame() throws IOException {
        try {
            Frame frame = Frames.read(in);
            if (frame == null) {
                throw new BackupException("the backup ends early");
            }
            return frame;
        } catch (EOFException e) {
            throw new BackupException("the backup ends early", e);
        }
    }

    /** What was known when it was made; holds secrets. */
    public Fields head() {
        return head;
    }

    /** What is told of one disk, in this order; by default passed over. */
    public interface Visitor {
        default void begin(Fields about) throws IOException {}

        default void data(byte[] tar) throws IOException {}

        default void entry(TreeEntry entry) throws IOException {}

        default void end() throws IOException {}
    }

    /** Reads on through all disks to the end. */
    public void read(Visitor visitor) throws IOException {
        while (next.kind() == BackupWriter.DISK_LETTER) {
            disk(visitor);
        }
        if (next.kind() != BackupWriter.END_LETTER || tree(next).integer("disks", -1) != disks) {
            throw new BackupException("the backup does not hold the disks it should");
        }
        if (in.read() >= 0) {
            throw new BackupException("the backup goes on after its end");
        }
    }

    private void disk(Visitor visitor) throws IOException {
        visitor.begin(tree(next));
        var crc = new CRC32C();
        long entries = 0;
        long bytes = 0;
        for (next = frame(); next.kind() != BackupWriter.DISK_END_LETTER; next = frame()) {
            switch ((char) next.kind()) {
                case BackupWriter.DATA_LETTER -> {
                    crc.update(next.payload());
                    bytes += next.payload().length;
                    visitor.data(next.payload());
                }
                case BackupWriter.ENTRY_LETTER -> {
                    entries++;
                    visitor.entry(TreeEntry.fromTree(tree(next)));
                }
                default -> throw new BackupException("the backup holds what nobody wrote");
            }
        }
        Fields end = tree(next);
        if (end.integer("entries", -1) != entries
                || end.integer("bytes", -1) != bytes
                || (!end.has("sha256") && end.integer("crc32c", -1) != crc.getValue())) {
            throw new BackupException("a disk in the backup is not what was written");
        }
        visitor.end();
        disks++;
        next = frame();
    }

    private static Fields tree(Frame frame) throws BackupException {
        try {
            return Fields.of(Json.parse(frame.payload()), "backup");
        } catch (IllegalArgumentException e) {
            throw new BackupException("the backup holds what nobody wrote", e);
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
