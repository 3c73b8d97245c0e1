package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.Digests;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.UUID;

/**
 * Blobs in a local folder, laid out as BOSH's DAV store, with signed URLs through which agents
 * fetch and leave them. A blob is whole or absent, and its digest, kept beside it, is checked
 * whenever it is given out. Thread-safe.
 */
public final class Blobs {
    private static final long LARGEST = 4L << 30;
    private static final Duration VALIDITY = Duration.ofHours(24);
    private static final String DIGEST = ".sha256";

    private final Path folder;
    private final String endpoint;
    private final SecretBox box;
    private final Clock clock;

    /**
     * @param endpoint under which agents reach {@code /blobs}: {@code https://ADDRESS:PORT/blobs}
     */
    public Blobs(Path folder, String endpoint, SecretBox box, Clock clock) {
        this.folder = folder;
        this.endpoint = endpoint;
        this.box = box;
        this.clock = clock;
    }

    /**
     * A stored blob.
     *
     * @param sha256 hex
     */
    public record Blob(String id, Path file, long size, String sha256) {}

    /** An id for a blob that someone will store later. */
    public String newId() {
        return UUID.randomUUID().toString();
    }

    /** Stores a stream under a new id. */
    public Blob put(InputStream in) throws IOException {
        return put(newId(), in, -1);
    }

    /**
     * Stores a stream under an id, replacing what was there.
     *
     * @param announced length if known, else -1
     * @throws ProblemException too long, or the disk is full (500001); nothing is kept then
     */
    public Blob put(String id, InputStream in, long announced) throws IOException {
        Path file = file(id);
        Path fresh = file.resolveSibling(id + "." + UUID.randomUUID() + ".new");
        MessageDigest sha256 = Spool.digest("SHA-256");
        long size = Spool.write(in, announced, LARGEST, fresh, sha256, "blob " + id);
        String hex = HexFormat.of().formatHex(sha256.digest());
        try {
            Path digest = file.resolveSibling(id + DIGEST);
            Files.deleteIfExists(digest);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            Files.writeString(digest, hex);
            return new Blob(id, file, size, hex);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /**
     * @throws ProblemException 100002 when there is no such blob, 100001 when it was damaged
     */
    public Blob get(String id) throws IOException {
        Path file = file(id);
        String wanted;
        try {
            wanted = Files.readString(file.resolveSibling(id + DIGEST)).strip();
        } catch (NoSuchFileException e) {
            throw new ProblemException(100002, "Resource with id '" + id + "' was not found");
        }
        String got;
        try {
            got = Spool.hex(file, "SHA-256");
        } catch (NoSuchFileException e) {
            throw new ProblemException(100002, "Resource with id '" + id + "' was not found");
        }
        if (!got.equals(wanted)) {
            throw new ProblemException(
                    100001, "Blob " + id + " is damaged: its digest is not what was stored");
        }
        return new Blob(id, file, Files.size(file), wanted);
    }

    /** Gone already is success. */
    public void delete(String id) throws IOException {
        Files.deleteIfExists(file(id));
        Files.deleteIfExists(file(id).resolveSibling(id + DIGEST));
    }

    /** Where an agent may fetch the blob for a day. */
    public String getUrl(String id) {
        return url("GET", id);
    }

    /** Where an agent may leave the blob within a day. */
    public String putUrl(String id) {
        return url("PUT", id);
    }

    private String url(String verb, String id) {
        String ts = Long.toString(clock.now().getEpochSecond());
        String e = Long.toString(VALIDITY.toSeconds());
        return endpoint
                + "/signed/"
                + path(id)
                + "?st="
                + signature(verb, path(id), ts, e)
                + "&ts="
                + ts
                + "&e="
                + e;
    }

    /** Whether a URL of {@link #getUrl} or {@link #putUrl} holds for this call, now. */
    boolean holds(String verb, String path, String st, String ts, String e) {
        if (!ts.matches("\\d{1,12}") || !e.matches("\\d{1,9}")) {
            return false;
        }
        boolean genuine =
                MessageDigest.isEqual(
                        signature(verb, path, ts, e).getBytes(StandardCharsets.UTF_8),
                        st.getBytes(StandardCharsets.UTF_8));
        long end = Long.parseLong(ts) + Long.parseLong(e);
        return genuine && clock.now().getEpochSecond() < end;
    }

    private String signature(String verb, String path, String ts, String e) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(box.sign("blob urls", verb + path + ts + e));
    }

    private static String path(String id) {
        return Digests.sha1(id.getBytes(StandardCharsets.UTF_8)).substring(0, 2) + "/" + id;
    }

    private Path file(String id) {
        if (!id.matches("[0-9a-fA-F-]{36}")) {
            throw new ProblemException(100002, "Resource with id '" + id + "' was not found");
        }
        return folder.resolve(path(id));
    }
}
