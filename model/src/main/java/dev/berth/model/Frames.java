package dev.berth.model;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the command line and the director say to each other in a session: a letter, four bytes of
 * length (big-endian), so many bytes. {@code docs/looking-inside.md} lists the letters.
 */
public final class Frames {
    /** First from the client: what to run, as JSON. */
    public static final byte OPEN = 'o';

    public static final byte INPUT = 'i';
    public static final byte INPUT_END = 'e';

    /** Columns and rows, two bytes each. */
    public static final byte WINDOW = 'w';

    /** First from the director: the command runs. */
    public static final byte STARTED = 's';

    public static final byte OUTPUT = '1';
    public static final byte ERRORS = '2';

    /** Last from the director: four bytes of exit code. */
    public static final byte EXIT = 'x';

    /** Last from the director: why the session ended otherwise, in words. */
    public static final byte FAILURE = 'f';

    /** Nothing, but said. */
    public static final byte ALIVE = 'a';

    /** Of a payload. */
    public static final int LONGEST = 256 * 1024;

    private static final int HEAD = 5;

    private Frames() {}

    /** One of them. */
    public record Frame(byte kind, byte[] payload) {
        public Frame(byte kind) {
            this(kind, new byte[0]);
        }

        /** With one number of four bytes. */
        public static Frame ofInt(byte kind, int value) {
            return new Frame(kind, ByteBuffer.allocate(4).putInt(value).array());
        }

        public static Frame window(int columns, int rows) {
            return new Frame(
                    WINDOW,
                    ByteBuffer.allocate(4)
                            .putShort((short) columns)
                            .putShort((short) rows)
                            .array());
        }

        public int intValue() {
            return payload.length == 4 ? ByteBuffer.wrap(payload).getInt() : 0;
        }

        public int columns() {
            return payload.length == 4 ? ByteBuffer.wrap(payload).getShort(0) & 0xffff : 0;
        }

        public int rows() {
            return payload.length == 4 ? ByteBuffer.wrap(payload).getShort(2) & 0xffff : 0;
        }

        /** As it stands on the wire. */
        public byte[] bytes() {
            return ByteBuffer.allocate(HEAD + payload.length)
                    .put(kind)
                    .putInt(payload.length)
                    .put(payload)
                    .array();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Frame f && f.kind == kind && Arrays.equals(f.payload, payload);
        }

        @Override
        public int hashCode() {
            return 31 * kind + Arrays.hashCode(payload);
        }

        /** Kind and size only: what people type is nobody's. */
        @Override
        public String toString() {
            return (char) kind + "[" + payload.length + "]";
        }
    }

    /** Writes one in one piece. */
    public static void write(OutputStream out, Frame frame) throws IOException {
        out.write(frame.bytes());
        out.flush();
    }

    /**
     * The next one; null at the end.
     *
     * @throws IOException for one that is cut off or longer than {@link #LONGEST}
     */
    public static @Nullable Frame read(InputStream in) throws IOException {
        byte[] head = some(in, HEAD);
        if (head.length == 0) {
            return null;
        }
        if (head.length < HEAD) {
            throw new EOFException("a frame ends in its head");
        }
        int length = ByteBuffer.wrap(head).getInt(1);
        if (length < 0 || length > LONGEST) {
            throw new IOException("a frame of " + length + " bytes");
        }
        byte[] payload = some(in, length);
        if (payload.length < length) {
            throw new EOFException("a frame ends early");
        }
        return new Frame(head[0], payload);
    }

    /**
     * So many bytes, or what there is before the end. Asks for no byte more, and never for none: a
     * stream that is still open may wait for the next one even then.
     */
    private static byte[] some(InputStream in, int count) throws IOException {
        byte[] bytes = new byte[count];
        int had = 0;
        while (had < count) {
            int got = in.read(bytes, had, count - had);
            if (got < 0) {
                return Arrays.copyOf(bytes, had);
            }
            had += got;
        }
        return bytes;
    }
}
