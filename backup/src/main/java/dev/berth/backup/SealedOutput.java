package dev.berth.backup;

import java.io.IOException;
import java.io.OutputStream;

/** Seals what is written to it; closing it seals the end. Not thread-safe. */
final class SealedOutput extends OutputStream {
    private final OutputStream out;
    private final Sealing sealing;
    private final byte[] chunk = new byte[Sealing.CHUNK];
    private int filled;
    private boolean closed;

    SealedOutput(OutputStream out, BackupKey key) throws IOException {
        this.out = out;
        this.sealing = Sealing.fresh(key);
        out.write(sealing.head());
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        if (closed) {
            return; // the compressor's last words about what was given up
        }
        int at = offset;
        int left = length;
        while (left > 0) {
            if (filled == chunk.length) {
                // Only now is it known that it is not the last one.
                out.write(sealing.seal(chunk, filled, false));
                filled = 0;
            }
            int part = Math.min(left, chunk.length - filled);
            System.arraycopy(bytes, at, chunk, filled, part);
            filled += part;
            at += part;
            left -= part;
        }
    }

    /** Takes no more, and seals no end: nobody can take what was written for a whole. */
    void abandon() {
        closed = true;
    }

    /** Seals the end; the stream below stays open. */
    void finish() throws IOException {
        if (!closed) {
            closed = true;
            out.write(sealing.seal(chunk, filled, true));
            out.flush();
        }
    }

    @Override
    public void close() throws IOException {
        finish();
    }
}
