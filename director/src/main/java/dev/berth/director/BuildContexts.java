package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Contexts of builds as the command line has uploaded them: tar files by their SHA-256. Once an
 * image is built nobody needs its context, so only the newest are kept. Thread-safe.
 */
final class BuildContexts {
    static final long LARGEST = 1024L << 20;
    private static final int KEPT = 40;

    private final Path folder;
    private final Clock clock;

    BuildContexts(Path folder, Clock clock) {
        this.folder = folder;
        this.clock = clock;
    }

    private Path file(String digest) {
        if (!digest.matches("sha256:[a-f0-9]{64}")) {
            throw new ProblemException(
                    40005, "'" + digest + "' is no digest: sha256: and 64 digits");
        }
        return folder.resolve(digest.replace(':', '-') + ".tar");
    }

    /** Whether it is here; if so, it counts as new. */
    boolean has(String digest) {
        try {
            Files.setLastModifiedTime(file(digest), FileTime.from(clock.now()));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Takes one in.
     *
     * @throws ProblemException it is too large, or has another digest
     */
    void save(String digest, InputStream tar, long length) throws IOException {
        Path whole = file(digest);
        Path draft = folder.resolve("upload-" + UUID.randomUUID());
        MessageDigest sum = Spool.digest("SHA-256");
        try {
            long ignored = Spool.write(tar, length, LARGEST, draft, sum, "the context of a build");
            String came = "sha256:" + HexFormat.of().formatHex(sum.digest());
            if (!came.equals(digest)) {
                throw new ProblemException(
                        40005, "The context came as " + came + ", not as " + digest);
            }
            Files.move(draft, whole, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(draft);
        }
        prune();
    }

    private synchronized void prune() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            List<Path> old =
                    all.filter(p -> p.toString().endsWith(".tar"))
                            .sorted(Comparator.comparing(BuildContexts::age).reversed())
                            .skip(KEPT)
                            .toList();
            for (Path path : old) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static FileTime age(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            return FileTime.fromMillis(0); // another has just removed it
        }
    }

    /**
     * The tar.
     *
     * @throws IOException it is not here
     */
    Path open(String digest) throws IOException {
        if (!has(digest)) {
            throw new IOException(
                    "the context "
                            + digest.substring(0, 19)
                            + " is not at the director any more; deploy again with 'berth deploy', which"
                            + " uploads it");
        }
        return file(digest);
    }
}
