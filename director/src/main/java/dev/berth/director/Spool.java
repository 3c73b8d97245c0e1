package dev.berth.director;

import dev.berth.model.ProblemException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Streams of any size into files: bounded, with digests taken on the way, all or nothing. A full
 * disk is a problem with its remedy, and leaves no part of a file.
 */
final class Spool {
    /** Kept free for the database and the logs, which must go on when a file does not fit. */
    private static final long RESERVE = 64L << 20;

    private static final int BLOCK = 256 * 1024;

    private Spool() {}

    /**
     * What was written.
     *
     * @param digests hex by name: {@code sha1}, {@code sha256}, {@code sha512}
     */
    record Written(long size, Map<String, String> digests) {
        String sha256() {
            return String.valueOf(digests.get("sha256"));
        }

        /**
         * Whether the strongest digest of a BOSH digest text is right: bare SHA-1, or {@code
         * algorithm:hex}, several joined by semicolons.
         */
        boolean matches(String wanted) {
            var parts = new TreeMap<String, String>(); // sha1 < sha256 < sha512
            for (String part : wanted.split(";")) {
                int colon = part.indexOf(':');
                parts.put(
                        colon < 0 ? "sha1" : part.substring(0, colon).strip(),
                        part.substring(colon + 1).strip());
            }
            var strongest = parts.lastEntry();
            return strongest.getValue().equalsIgnoreCase(digests.get(strongest.getKey()));
        }
    }

    /**
     * Writes the stream to a new file.
     *
     * @param announced length if known, else -1: a file that cannot fit is refused at once
     * @param what names the file in problems
     */
    static Written write(InputStream in, long announced, long most, Path file, String what)
            throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        if (announced > most) {
            throw tooLong(what, most);
        }
        boolean whole = false;
        try (var out = new FileOutputStream(file.toFile())) {
            Written written = copy(in, announced, most, out, file, what);
            out.getFD().sync();
            whole = true;
            return written;
        } finally {
            if (!whole) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static Written copy(
            InputStream in, long announced, long most, FileOutputStream out, Path file, String what)
            throws IOException {
        requireRoom(file, Math.max(announced, 0), what);
        Map<String, MessageDigest> digests =
                Map.of(
                        "sha1",
                        digest("SHA-1"),
                        "sha256",
                        digest("SHA-256"),
                        "sha512",
                        digest("SHA-512"));
        byte[] block = new byte[BLOCK];
        long size = 0;
        long checked = 0;
        for (int got = in.read(block); got >= 0; got = in.read(block)) {
            size += got;
            if (size > most) {
                throw tooLong(what, most);
            }
            if (announced < 0 && size - checked > RESERVE / 2) {
                requireRoom(file, 0, what);
                checked = size;
            }
            for (MessageDigest digest : digests.values()) {
                digest.update(block, 0, got);
            }
            try {
                out.write(block, 0, got);
            } catch (IOException e) {
                throw noRoom(file, what, e);
            }
        }
        if (announced >= 0 && size != announced) {
            throw new IOException(what + " ended after " + size + " of " + announced + " bytes");
        }
        var hex = new TreeMap<String, String>();
        digests.forEach((name, digest) -> hex.put(name, HexFormat.of().formatHex(digest.digest())));
        return new Written(size, hex);
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks " + algorithm, e);
        }
    }

    private static void requireRoom(Path file, long bytes, String what) throws IOException {
        long free = Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace();
        if (free - RESERVE < bytes) {
            throw new ProblemException(
                    500001,
                    "Not enough disk space for "
                            + what
                            + ": "
                            + (bytes > 0 ? (bytes >> 20) + " MiB are needed and " : "")
                            + (free >> 20)
                            + " MiB are free, of which "
                            + (RESERVE >> 20)
                            + " MiB are kept for the director; make room and repeat");
        }
    }

    private static IOException noRoom(Path file, String what, IOException cause)
            throws IOException {
        requireRoom(file, 0, what);
        return cause;
    }

    private static ProblemException tooLong(String what, long most) {
        return new ProblemException(
                40003, what + " is longer than the " + (most >> 20) + " MiB that are accepted");
    }
}
