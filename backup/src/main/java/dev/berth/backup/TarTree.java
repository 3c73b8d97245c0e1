package dev.berth.backup;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Reads a tar archive as what it says of each file, contents by their digest. */
public final class TarTree {
    private TarTree() {}

    /** Told of each in the archive's order. */
    @FunctionalInterface
    public interface Visitor {
        void entry(TreeEntry entry) throws IOException;
    }

    /** Reads to the end of the stream, past the archive's own end. */
    public static void read(InputStream in, Visitor visitor) throws IOException {
        // Not closed: that would close what is not ours.
        @SuppressWarnings("resource")
        var tar = new TarArchiveInputStream(new Full(in), "UTF-8");
        byte[] block = new byte[1 << 16];
        for (TarArchiveEntry entry = tar.getNextEntry();
                entry != null;
                entry = tar.getNextEntry()) {
            visitor.entry(entry(entry, tar, block));
        }
        while (in.read(block) >= 0) {
            // what pads the last record
        }
    }

    /**
     * Gives all that was asked for until the end. A read that brings less is taken by the archive's
     * reader for the end of a part of a file with holes: it goes on to the next part too early.
     */
    private static final class Full extends FilterInputStream {
        Full(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int n = in.readNBytes(into, offset, length);
            return n == 0 && length > 0 ? -1 : n;
        }
    }

    private static TreeEntry entry(TarArchiveEntry e, InputStream content, byte[] block)
            throws IOException {
        boolean file = e.isFile() && !e.isLink();
        boolean root = e.getName().equals("./");
        String kind =
                e.isDirectory()
                        ? "dir"
                        : e.isSymbolicLink()
                                ? "link"
                                : e.isLink()
                                        ? "hard"
                                        : e.isFIFO()
                                                ? "fifo"
                                                : file
                                                                && !e.isBlockDevice()
                                                                && !e.isCharacterDevice()
                                                        ? "file"
                                                        : "device";
        boolean data = kind.equals("file");
        return new TreeEntry(
                e.getName(),
                kind,
                e.getMode(),
                e.getLongUserId(),
                e.getLongGroupId(),
                data ? e.getRealSize() : 0,
                root ? 0 : e.getLastModifiedTime().toInstant().getEpochSecond(),
                e.isSymbolicLink() || e.isLink() ? e.getLinkName() : "",
                data ? digest(content, block) : "");
    }

    private static String digest(InputStream content, byte[] block) throws IOException {
        MessageDigest sha256 = sha256();
        for (int n = content.read(block); n >= 0; n = content.read(block)) {
            sha256.update(block, 0, n);
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks SHA-256", e);
        }
    }
}
