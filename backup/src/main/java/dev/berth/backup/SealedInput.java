package dev.berth.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/**
 * Opens what {@link SealedOutput} sealed, and gives nothing out that is not authentic. Not
 * thread-safe.
 */
final class SealedInput extends InputStream {
    private final PushbackInputStream in;
    private final Sealing sealing;
    private final byte[] sealed = new byte[Sealing.CHUNK + Sealing.TAG];
    private byte[] plain = new byte[0];
    private int at;
    private boolean ended;

    SealedInput(InputStream in, BackupKey key) throws IOException {
        this.in = new PushbackInputStream(in, 1);
        this.sealing = Sealing.of(key, in.readNBytes(Sealing.HEAD));
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        while (at == plain.length) {
            if (ended) {
                return -1;
            }
            next();
        }
        int part = Math.min(length, plain.length - at);
        System.arraycopy(plain, at, bytes, offset, part);
        at += part;
        return part;
    }

    private void next() throws IOException {
        int length = in.readNBytes(sealed, 0, sealed.length);
        int more = length < sealed.length ? -1 : in.read();
        if (more >= 0) {
            in.unread(more);
        }
        plain = sealing.open(sealed, length, more < 0);
        at = 0;
        ended = more < 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
