package dev.berth.backup;

import com.github.luben.zstd.ZstdOutputStream;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Writes a backup as it comes, holding no more of it than a chunk: a head, the disks one after
 * another, an end. Frames are those of sessions ({@link Frames}): {@value #HEAD_LETTER} JSON of the
 * head, in as many frames as it needs; for each disk {@value #DISK_LETTER} JSON, {@value
 * #DATA_LETTER} blocks of its tar archive, {@value #ENTRY_LETTER} JSON of each file once it is
 * over, {@value #DISK_END_LETTER} JSON of counts and the archive's CRC-32C (SHA-256 in backups of
 * before, at a quarter of the pace); {@value #END_LETTER} at the end. All of it is one zstd stream,
 * sealed. Not thread-safe.
 */
public final class BackupWriter implements AutoCloseable {
    static final char HEAD_LETTER = 'H';
    static final char DISK_LETTER = 'D';
    static final char DATA_LETTER = 'B';
    static final char ENTRY_LETTER = 'I';
    static final char DISK_END_LETTER = 'E';
    static final char END_LETTER = 'Z';

    /** Fast and already far better than gzip; disks of databases hold much that repeats. */
    private static final int LEVEL = 3;

    private static final int BLOCK = 128 * 1024;

    /**
     * Threads of the compressor beside the caller's, which reads, digests, seals and writes
     * meanwhile. Each holds some 20 MB.
     */
    private static final int WORKERS =
            Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 4);

    private final SealedOutput sealed;
    private final ZstdOutputStream out;
    private long disks;

    /**
     * @param sink stays the caller's
     */
    public BackupWriter(OutputStream sink, BackupKey key, Map<String, Object> head)
            throws IOException {
        sealed = new SealedOutput(sink, key);
        out = new ZstdOutputStream(sealed, LEVEL);
        out.setChecksum(true);
        out.setWorkers(WORKERS);
        byte[] text = Json.write(head).getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at < text.length; at += BLOCK) {
            write(HEAD_LETTER, Arrays.copyOfRange(text, at, Math.min(text.length, at + BLOCK)));
        }
    }

    private void write(char letter, byte[] payload) throws IOException {
        out.write(new Frame((byte) letter, payload).bytes());
    }

    private void write(char letter, Map<String, Object> tree) throws IOException {
        write(letter, Json.write(tree).getBytes(StandardCharsets.UTF_8));
    }

    /** What a disk turned out to hold. */
    public record Written(long entries, long bytes) {}

    /** Reads the archive to its end. */
    public Written disk(Map<String, Object> about, InputStream tar) throws IOException {
        write(DISK_LETTER, about);
        var tee = new Tee(tar);
        long[] count = new long[1];
        TarTree.read(
                tee,
                entry -> {
                    tee.flush();
                    write(ENTRY_LETTER, entry.toTree());
                    count[0]++;
                });
        tee.flush();
        write(
                DISK_END_LETTER,
                Json.of("entries", count[0], "bytes", tee.bytes, "crc32c", tee.digest.getValue()));
        disks++;
        return new Written(count[0], tee.bytes);
    }

    /** Writes the end, without which nobody takes it for a backup. */
    public void finish() throws IOException {
        write(END_LETTER, Json.of("disks", disks));
        out.close(); // ends the compression and, below it, the sealing
    }

    /** Gives up what is not finished; what was written has no end and is worth nothing. */
    @Override
    public void close() throws IOException {
        sealed.abandon();
        out.close(); // its threads and their memory
    }

    /** Passes the archive on as blocks while it is looked into. */
    private final class Tee extends FilterInputStream {
        // Against mistakes of ours: what is sealed is authentic, and each file has its SHA-256.
        private final CRC32C digest = new CRC32C();
        private final byte[] block = new byte[BLOCK];
        private int filled;
        private long bytes;

        Tee(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int n = super.read(into, offset, length);
            for (int done = 0; done < n; ) {
                int part = Math.min(n - done, block.length - filled);
                System.arraycopy(into, offset + done, block, filled, part);
                filled += part;
                done += part;
                if (filled == block.length) {
                    flush();
                }
            }
            return n;
        }

        /** What is skipped must be passed on as well. */
        @Override
        public long skip(long n) throws IOException {
            return readNBytes((int) Math.min(n, BLOCK)).length;
        }

        @Override
        public boolean markSupported() {
            return false;
        }

        void flush() throws IOException {
            if (filled > 0) {
                digest.update(block, 0, filled);
                bytes += filled;
                write(DATA_LETTER, Arrays.copyOf(block, filled));
                filled = 0;
            }
        }
    }
}
