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
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Streams of any size into files: bounded, all or nothing. A full disk is a problem with its
 * remedy, and leaves no part of a file.
 */
final class Spool {
    /** Kept free for the database and the logs, which must go on when a file does not fit. */
    private static final long RESERVE = 64L << 20;

    private static final int BLOCK = 256 * 1024;

    private Spool() {}

    /**
     * Writes the stream to a new file.
     *
     * @param announced length if known, else -1: a file that cannot fit is refused at once
     * @param digest fed on the way; null for none
     * @param what names the file in problems
     * @return the length
     */
    static long write(
            InputStream in,
            long announced,
            long most,
            Path file,
            @Nullable MessageDigest digest,
            String what)
            throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        if (announced > most) {
            throw tooLong(what, most);
        }
        boolean whole = false;
        try (var out = new FileOutputStream(file.toFile())) {
            long size = copy(in, announced, most, out, file, digest, what);
            whole = true;
            return size;
        } finally {
            if (!whole) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static long copy(
            InputStream in,
            long announced,
            long most,
            FileOutputStream out,
            Path file,
            @Nullable MessageDigest digest,
            String what)
            throws IOException {
        requireRoom(file, Math.max(announced, 0), what);
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
            if (digest != null) {
                digest.update(block, 0, got);
            }
            try {
                out.write(block, 0, got);
            } catch (IOException e) {
                requireRoom(file, 0, what); // says it better when the disk is full
                throw e;
            }
        }
        if (announced >= 0 && size != announced) {
            throw new IOException(what + " ended after " + size + " of " + announced + " bytes");
        }
        return size;
    }

    /**
     * Whether the strongest digest of a BOSH digest text is the file's: bare SHA-1, or {@code
     * algorithm:hex}, several joined by semicolons.
     */
    static boolean matches(Path file, String wanted) throws IOException {
        var parts = new TreeMap<String, String>(); // SHA-1 < SHA-256 < SHA-512
        for (String part : wanted.split(";")) {
            int colon = part.indexOf(':');
            String name = colon < 0 ? "sha1" : part.substring(0, colon).strip();
            parts.put(
                    name.toUpperCase(Locale.ROOT).replaceFirst("^SHA", "SHA-"),
                    part.substring(colon + 1).strip());
        }
        var strongest = parts.lastEntry();
        return List.of("SHA-1", "SHA-256", "SHA-512").contains(strongest.getKey())
                && strongest.getValue().equalsIgnoreCase(hex(file, strongest.getKey()));
    }

    /** The digest of a whole file, in hex. */
    static String hex(Path file, String algorithm) throws IOException {
        MessageDigest digest = digest(algorithm);
        byte[] block = new byte[BLOCK];
        try (InputStream in = Files.newInputStream(file)) {
            for (int got = in.read(block); got >= 0; got = in.read(block)) {
                digest.update(block, 0, got);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static MessageDigest digest(String algorithm) {
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

    private static ProblemException tooLong(String what, long most) {
        return new ProblemException(
                40003, what + " is longer than the " + (most >> 20) + " MiB that are accepted");
    }
}
