package dev.berth.engine;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The framing of a container's two streams in one: 8 bytes of header (stream number, three zeros,
 * length big-endian), then the bytes.
 */
final class LogFrames {
    private LogFrames() {}

    /** Copies frames in order until the end; a frame cut short by the end keeps what came. */
    static void copy(InputStream in, OutputStream stdout, OutputStream stderr) throws IOException {
        byte[] header = new byte[8];
        byte[] buffer = new byte[8192];
        while (true) {
            int got = in.readNBytes(header, 0, 8);
            if (got == 0) {
                return;
            }
            if (got < 8) {
                throw new EOFException("a log frame ends in its header");
            }
            OutputStream out =
                    switch (header[0]) {
                        case 0, 1 -> stdout;
                        case 2 -> stderr;
                        default -> throw new IOException("not a log frame: " + header[0]);
                    };
            long left = length(header);
            while (left > 0) {
                int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (count < 0) {
                    return;
                }
                out.write(buffer, 0, count);
                left -= count;
            }
            out.flush();
        }
    }

    static long length(byte[] header) {
        return (header[4] & 0xffL) << 24
                | (header[5] & 0xffL) << 16
                | (header[6] & 0xffL) << 8
                | (header[7] & 0xffL);
    }
}
