package dev.berth.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Packs the folder an image is built from. The same content is the same tar to the bit, whoever
 * packs it and whenever: entries are sorted, and carry neither times nor owners.
 */
final class BuildContext {
    /** The director takes no more. */
    private static final long LARGEST = 1024L << 20;

    private static final int MOST_FILES = 200_000;

    private final Path folder;
    private final String dockerfile;
    private final DockerIgnore ignore;

    /** A packed context: the caller removes the file. */
    record Packed(Path file, String digest, long bytes, int files) {}

    /**
     * @param dockerfile path within the folder; it comes along whatever is ignored
     */
    BuildContext(Path folder, String dockerfile) throws IOException {
        this.folder = folder;
        this.dockerfile = Path.of(dockerfile).normalize().toString();
        Path own = folder.resolve(dockerfile + ".dockerignore");
        Path usual = folder.resolve(".dockerignore");
        this.ignore =
                new DockerIgnore(
                        Files.isRegularFile(own)
                                ? Files.readString(own)
                                : Files.isRegularFile(usual) ? Files.readString(usual) : "");
    }

    Packed pack() throws IOException {
        Map<String, Path> entries = entries();
        Path file = Files.createTempFile("berth-context", ".tar");
        boolean whole = false;
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (OutputStream plain = new BufferedOutputStream(Files.newOutputStream(file));
                    var tar = new TarArchiveOutputStream(new DigestOutputStream(plain, digest))) {
                tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
                tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
                tar.setAddPaxHeadersForNonAsciiNames(true);
                for (Map.Entry<String, Path> entry : entries.entrySet()) {
                    add(tar, entry.getKey(), entry.getValue());
                }
            }
            whole = true;
            return new Packed(
                    file,
                    "sha256:" + HexFormat.of().formatHex(digest.digest()),
                    Files.size(file),
                    entries.size());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        } finally {
            if (!whole) {
                Files.deleteIfExists(file);
            }
        }
    }

    private Map<String, Path> entries() throws IOException {
        var entries = new TreeMap<String, Path>();
        var bytes = new long[1];
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes a) {
                        String name = name(dir);
                        if (!name.isEmpty() && ignore.ignores(name)) {
                            // a '!' or the Dockerfile may want something from inside
                            return ignore.hasExceptions() || dockerfile.startsWith(name + "/")
                                    ? FileVisitResult.CONTINUE
                                    : FileVisitResult.SKIP_SUBTREE;
                        }
                        if (!name.isEmpty()) {
                            entries.put(name + "/", dir);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes a) {
                        String name = name(file);
                        boolean wanted = name.equals(dockerfile) || !ignore.ignores(name);
                        if (wanted && (a.isRegularFile() || a.isSymbolicLink())) {
                            entries.put(name, file);
                            bytes[0] += a.size();
                            bounded(bytes[0], entries.size());
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
        return entries;
    }

    private void bounded(long bytes, int files) {
        if (bytes > LARGEST || files > MOST_FILES) {
            throw new CliException(
                    "the build context "
                            + folder
                            + " is larger than "
                            + (bytes > LARGEST ? "1 GiB" : MOST_FILES + " files")
                            + "; name what the build does not need in "
                            + folder.resolve(".dockerignore"));
        }
    }

    private String name(Path path) {
        return folder.relativize(path).toString();
    }

    private static void add(TarArchiveOutputStream tar, String name, Path path) throws IOException {
        boolean link = Files.isSymbolicLink(path);
        var entry =
                link
                        ? new TarArchiveEntry(name, TarConstants.LF_SYMLINK)
                        : new TarArchiveEntry(name);
        entry.setModTime(0);
        entry.setIds(0, 0);
        entry.setNames("", "");
        if (link) {
            entry.setLinkName(Files.readSymbolicLink(path).toString());
            entry.setMode(0777);
            tar.putArchiveEntry(entry);
        } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            entry.setMode(0755);
            tar.putArchiveEntry(entry);
        } else {
            // No more than whether it can be run: the rest differs from checkout to checkout.
            entry.setMode(
                    Files.getPosixFilePermissions(path).contains(PosixFilePermission.OWNER_EXECUTE)
                            ? 0755
                            : 0644);
            entry.setSize(Files.size(path));
            tar.putArchiveEntry(entry);
            long ignored = Files.copy(path, tar);
        }
        tar.closeArchiveEntry();
    }
}
