package dev.berth.wire;

import dev.berth.model.Frames.Frame;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;

/**
 * One message of a session on the bus: a zero byte, which no JSON begins with, an {@code S}, the
 * session (16 bytes), a number that counts the messages of a direction (4), a letter, the payload.
 *
 * @param frame of {@link dev.berth.model.Frames}, or {@link #TAKEN}
 */
public record StreamFrame(UUID session, int sequence, Frame frame) {
    /** Four bytes: so much of what was sent has been used, and may be sent again. */
    public static final byte TAKEN = 't';

    private static final int HEAD = 2 + 16 + 4 + 1;

    /** Whether a message of the bus is of a session, not a request or its answer. */
    public static boolean is(byte[] message) {
        return message.length >= HEAD && message[0] == 0 && message[1] == 'S';
    }

    public byte[] bytes() {
        return ByteBuffer.allocate(HEAD + frame.payload().length)
                .put((byte) 0)
                .put((byte) 'S')
                .putLong(session.getMostSignificantBits())
                .putLong(session.getLeastSignificantBits())
                .putInt(sequence)
                .put(frame.kind())
                .put(frame.payload())
                .array();
    }

    /** Empty: it is something else. */
    public static Optional<StreamFrame> parse(byte[] message) {
        if (!is(message)) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(message, 2, message.length - 2);
        var session = new UUID(in.getLong(), in.getLong());
        int sequence = in.getInt();
        byte kind = in.get();
        byte[] payload = new byte[in.remaining()];
        in.get(payload);
        return Optional.of(new StreamFrame(session, sequence, new Frame(kind, payload)));
    }
}
