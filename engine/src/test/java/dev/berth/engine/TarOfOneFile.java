package dev.berth.engine;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** A tar that is made while it is read: one file, of given bytes or of many zeros. */
final class TarOfOneFile extends InputStream {
    private static final int BLOCK = 512;
    private final InputStream head;
    private long left;

    TarOfOneFile(long zeros) {
        this("big", new byte[0], zeros);
    }

    TarOfOneFile(String name, byte[] content) {
        this(name, content, 0);
    }

    private TarOfOneFile(String name, byte[] content, long zeros) {
        long size = content.length + zeros;
        byte[] start = new byte[BLOCK + content.length];
        put(start, 0, name);
        put(start, 100, "0000644\0");
        put(start, 124, String.format("%011o", size) + "\0");
        put(start, 136, "00000000000\0");
        put(start, 148, "        ");
        put(start, 156, "0");
        put(start, 257, "ustar\00000");
        int sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += start[i];
        }
        put(start, 148, String.format("%06o", sum) + "\0 ");
        System.arraycopy(content, 0, start, BLOCK, content.length);
        head = new ByteArrayInputStream(start);
        left = zeros + (BLOCK - size % BLOCK) % BLOCK + 2 * BLOCK;
    }

    private static void put(byte[] block, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }

    @Override
    public int read() {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
        try {
            int count = head.read(buffer, offset, length);
            if (count > 0) {
                return count;
            }
        } catch (java.io.IOException e) {
            throw new IllegalStateException("reading from memory", e);
        }
        if (left == 0) {
            return -1;
        }
        int count = (int) Math.min(length, left);
        java.util.Arrays.fill(buffer, offset, offset + count, (byte) 0);
        left -= count;
        return count;
    }
}
