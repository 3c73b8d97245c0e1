package dev.berth.agent;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * Walks two trees that nobody changes and names what differs: type, owner, mode, time, size, device
 * number, target of links, which names are one file, and each byte of files written since a moment.
 * Those are read past the cache, so that it is the disk that is compared. Used once, by one thread.
 */
final class TreeComparison {
    private static final int MOST_DIFFERENCES = 5;
    private static final int BLOCK = 1024 * 1024;
    private static final int ALIGNMENT = 4096;
    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int DIRECTORY = 0040000;
    private static final int LINK = 0120000;

    private final Path from;
    private final Path to;
    private final Instant since;
    private final List<String> differences = new ArrayList<>();
    private final Map<Object, Object> sameFile = new HashMap<>();
    private final ByteBuffer one = aligned();
    private final ByteBuffer other = aligned();
    private long files;

    TreeComparison(Path from, Path to, Instant since) {
        this.from = from;
        this.to = to;
        this.since = since;
    }

    private static ByteBuffer aligned() {
        return ByteBuffer.allocateDirect(BLOCK + ALIGNMENT).alignedSlice(ALIGNMENT).limit(BLOCK);
    }

    TreeCopier.Compared run() {
        Deque<Path> folders = new ArrayDeque<>();
        folders.add(Path.of(""));
        try {
            Object device = Files.getAttribute(from, "unix:dev");
            while (!folders.isEmpty() && differences.size() < MOST_DIFFERENCES) {
                folder(folders.remove(), folders, device);
            }
        } catch (IOException e) {
            throw new ActionException(
                    "cannot compare " + from + " with " + to + ": " + ActionException.words(e), e);
        }
        return new TreeCopier.Compared(files, List.copyOf(differences));
    }

    private void folder(Path folder, Deque<Path> folders, Object device) throws IOException {
        Set<Path> here = names(from.resolve(folder));
        Set<Path> there = names(to.resolve(folder));
        if (folder.toString().isEmpty()) {
            DiskMarks.OWN.forEach(name -> {
                here.remove(Path.of(name));
                there.remove(Path.of(name));
            });
        }
        Set<Path> extra = new TreeSet<>(there);
        extra.removeAll(here);
        extra.forEach(name -> differs(folder.resolve(name), "is only in the copy"));
        for (Path entry : here) {
            Path name = folder.resolve(entry);
            if (!there.contains(entry)) {
                differs(name, "is missing in the copy");
            } else if (entry(name, device)) {
                folders.add(name);
            }
            if (differences.size() >= MOST_DIFFERENCES) {
                return;
            }
        }
    }

    /** By their bytes: not every name is text. */
    private static Set<Path> names(Path folder) throws IOException {
        var names = new TreeSet<Path>();
        try (var entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                names.add(Objects.requireNonNull(entry.getFileName()));
            }
        }
        return names;
    }

    /** Whether it is a directory to go into. */
    private boolean entry(Path name, Object device) throws IOException {
        files++;
        Map<String, Object> a = facts(from.resolve(name));
        Map<String, Object> b = facts(to.resolve(name));
        int type = mode(a) & TYPE;
        if (mode(a) != mode(b)) {
            differs(name, "mode %o, in the copy %o".formatted(mode(a), mode(b)));
            return false;
        }
        compare(name, "uid", a, b);
        compare(name, "gid", a, b);
        time(name, a, b);
        if (type == DIRECTORY) {
            return sameFileSystem(name, a, device);
        }
        compare(name, "nlink", a, b);
        compare(name, "rdev", a, b);
        if (type != REGULAR && type != LINK) {
            return false;
        }
        compare(name, "size", a, b);
        if (type == LINK) {
            Path target = Files.readSymbolicLink(from.resolve(name));
            if (!target.equals(Files.readSymbolicLink(to.resolve(name)))) {
                differs(name, "is a link to another place");
            }
            return false;
        }
        boolean known = number(a, "nlink") > 1 && linked(name, a, b);
        if (!known && !moment(b, "ctime").isBefore(since)) {
            bytes(name);
        }
        return false;
    }

    private static Map<String, Object> facts(Path path) throws IOException {
        return Files.readAttributes(
                path,
                "unix:mode,uid,gid,size,nlink,rdev,ino,dev,ctime,lastModifiedTime",
                LinkOption.NOFOLLOW_LINKS);
    }

    private static long number(Map<String, Object> facts, String key) {
        return facts.get(key) instanceof Number n ? n.longValue() : 0;
    }

    private static Instant moment(Map<String, Object> facts, String key) {
        return facts.get(key) instanceof FileTime time ? time.toInstant() : Instant.MAX;
    }

    private static int mode(Map<String, Object> facts) {
        return (Integer) Objects.requireNonNull(facts.get("mode"));
    }

    private void compare(Path name, String what, Map<String, Object> a, Map<String, Object> b) {
        if (!Objects.equals(a.get(what), b.get(what))) {
            differs(name, what + " " + a.get(what) + ", in the copy " + b.get(what));
        }
    }

    private void time(Path name, Map<String, Object> a, Map<String, Object> b) {
        Instant mine = moment(a, "lastModifiedTime");
        Instant theirs = moment(b, "lastModifiedTime");
        boolean whole = theirs.getNano() == 0; // a file system that knows seconds only
        if (whole ? mine.getEpochSecond() != theirs.getEpochSecond() : !mine.equals(theirs)) {
            differs(name, "time " + mine + ", in the copy " + theirs);
        }
    }

    /** Nothing mounted below is copied; what is there must not be lost unnoticed. */
    private boolean sameFileSystem(Path name, Map<String, Object> facts, Object device)
            throws IOException {
        if (Objects.equals(facts.get("dev"), device)) {
            return true;
        }
        if (!names(from.resolve(name)).isEmpty()) {
            differs(
                    name,
                    "is a file system of its own (a mount or a btrfs subvolume), which is not copied");
        }
        return false;
    }

    /** Whether the bytes of this file were compared under another of its names. */
    private boolean linked(Path name, Map<String, Object> a, Map<String, Object> b) {
        Object before = sameFile.putIfAbsent(a.get("ino"), b.get("ino"));
        if (before != null && !before.equals(b.get("ino"))) {
            differs(name, "is no hard link to the same file in the copy");
        }
        return before != null;
    }

    private void bytes(Path name) throws IOException {
        try (FileChannel mine = direct(from.resolve(name));
                FileChannel theirs = direct(to.resolve(name))) {
            for (long at = 0; ; at += BLOCK) {
                int n = fill(mine, one, at);
                if (n != fill(theirs, other, at) || !one.flip().equals(other.flip())) {
                    differs(name, "its content differs after byte " + at);
                    return;
                }
                if (n < BLOCK) {
                    return;
                }
            }
        }
    }

    private static int fill(FileChannel file, ByteBuffer buffer, long at) throws IOException {
        buffer.clear().limit(BLOCK);
        while (buffer.hasRemaining()) {
            int n = file.read(buffer, at + buffer.position());
            // Past the cache only whole blocks can be read: a broken one is the end of the file.
            if (n <= 0 || buffer.position() % ALIGNMENT != 0) {
                break;
            }
        }
        return buffer.position();
    }

    /** Past the cache, where the file system lets us. */
    private static FileChannel direct(Path file) throws IOException {
        try {
            return FileChannel.open(
                    file,
                    Set.<OpenOption>of(
                            StandardOpenOption.READ,
                            ExtendedOpenOption.DIRECT,
                            LinkOption.NOFOLLOW_LINKS));
        } catch (IOException | UnsupportedOperationException e) {
            return FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        }
    }

    private void differs(Path name, String how) {
        if (differences.size() < MOST_DIFFERENCES) {
            differences.add("'" + name + "' " + how);
        }
    }
}
