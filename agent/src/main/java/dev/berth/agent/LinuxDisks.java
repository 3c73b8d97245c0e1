package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/**
 * {@link DiskTools} by the kernel's tables and the programs of e2fsprogs, xfsprogs and util-linux.
 */
final class LinuxDisks implements DiskTools {
    private static final int EDGE = 1024 * 1024;
    private static final Duration SHORT = Duration.ofSeconds(30);
    private static final Duration CHECK = Duration.ofMinutes(30);
    private static final Duration COPY = Duration.ofDays(2);
    private static final int UNMOUNT_TRIES = 24;

    private final Layout layout;
    private final Programs programs;

    LinuxDisks(Layout layout, Programs programs) {
        this.layout = layout;
        this.programs = programs;
    }

    @Override
    public Optional<Device> device(Path path) {
        try {
            int mode = (Integer) Files.getAttribute(path, "unix:mode");
            if ((mode & 0170000) != 0060000) {
                return Optional.empty();
            }
            long rdev = (Long) Files.getAttribute(path, "unix:rdev");
            long major = ((rdev >>> 8) & 0xfff) | ((rdev >>> 32) & ~0xfffL);
            long minor = (rdev & 0xff) | ((rdev >>> 12) & ~0xffL);
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                return Optional.of(new Device(major + ":" + minor, channel.size()));
            }
        } catch (IOException e) {
            return Optional.empty(); // no node yet, or a node whose device is not there yet
        }
    }

    @Override
    public Content look(Path device) {
        try (FileChannel channel = FileChannel.open(device, StandardOpenOption.READ)) {
            ByteBuffer head = read(channel, 0);
            if (head.limit() > 0x438 + 2
                    && head.order(ByteOrder.LITTLE_ENDIAN).getShort(0x438) == (short) 0xef53) {
                long blocks = Integer.toUnsignedLong(head.getInt(0x404));
                boolean wide = (head.getInt(0x460) & 0x80) != 0;
                blocks |= wide ? Integer.toUnsignedLong(head.getInt(0x550)) << 32 : 0;
                return new Content.FileSystem("ext4", blocks << (10 + head.getInt(0x418)));
            }
            if (head.limit() > 16 && head.order(ByteOrder.BIG_ENDIAN).getInt(0) == 0x58465342) {
                return new Content.FileSystem("xfs", head.getLong(8) * head.getInt(4));
            }
            Programs.Result signature = programs.run(SHORT, "blkid", "-p", device.toString());
            if (signature.code() != 2 && signature.code() != 127) {
                return new Content.Foreign(signature.output().strip());
            }
            boolean zeros =
                    allZero(head) && allZero(read(channel, Math.max(0, channel.size() - EDGE)));
            return zeros ? new Content.Blank() : new Content.Foreign("data of an unknown kind");
        } catch (IOException e) {
            throw new ActionException("cannot read " + device + ": " + ActionException.words(e), e);
        }
    }

    private static ByteBuffer read(FileChannel channel, long from) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(EDGE);
        while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) > 0) {
            // until the edge or the end is reached
        }
        return buffer.flip();
    }

    private static boolean allZero(ByteBuffer buffer) {
        while (buffer.hasRemaining()) {
            if (buffer.get() != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void format(Path device, String fileSystem) {
        // Neither program is forced: each refuses a device on which it finds a signature itself.
        List<String> command =
                switch (fileSystem) {
                    case "ext4" ->
                            List.of(
                                    "mkfs.ext4",
                                    "-q",
                                    "-m",
                                    "0",
                                    "-E",
                                    "lazy_itable_init=1,lazy_journal_init=1",
                                    device.toString());
                    case "xfs" -> List.of("mkfs.xfs", "-q", device.toString());
                    default ->
                            throw new ActionException(
                                    "persistent_disk_fs '"
                                            + fileSystem
                                            + "' is not known: use ext4 or xfs");
                };
        String ignored =
                programs.run(command, Duration.ofMinutes(10)).orFail("cannot format " + device);
    }

    @Override
    public List<Mount> mounts() {
        try {
            var mounts = new ArrayList<Mount>();
            for (String line : Files.readAllLines(layout.mountInfo())) {
                String[] fields = line.split(" ");
                int dash = List.of(fields).indexOf("-");
                String options = "," + fields[5] + "," + fields[dash + 3] + ",";
                mounts.add(
                        new Mount(
                                fields[2],
                                Path.of(unescape(fields[4])),
                                fields[dash + 1],
                                options.contains(",ro,")));
            }
            return mounts;
        } catch (IOException e) {
            throw new ActionException(
                    "cannot read the mount table: " + ActionException.words(e), e);
        }
    }

    private static String unescape(String text) {
        return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    }

    @Override
    public void mount(Path device, Path at, String fileSystem, List<String> options) {
        var all = new ArrayList<>(options);
        if (fileSystem.equals("ext4") && options.stream().noneMatch(o -> o.startsWith("errors="))) {
            all.add("errors=remount-ro"); // a failing disk must show, and stop taking writes
        }
        var command = new ArrayList<>(List.of("mount", "-t", fileSystem));
        if (!all.isEmpty()) {
            command.addAll(List.of("-o", String.join(",", all)));
        }
        command.addAll(List.of(device.toString(), at.toString()));
        try {
            Files.createDirectories(at);
        } catch (IOException e) {
            throw new ActionException("cannot make " + at + ": " + ActionException.words(e), e);
        }
        String ignored =
                programs.run(command, Duration.ofMinutes(10))
                        .orFail("cannot mount " + device + " at " + at);
    }

    @Override
    public void unmount(Path at) {
        awaitNobodyElsewhere(at);
        for (int i = 1; ; i++) {
            Programs.Result result = programs.run(Duration.ofMinutes(5), "umount", at.toString());
            if (result.ok()) {
                return;
            }
            if (!result.output().toLowerCase(Locale.ROOT).contains("busy") || i == UNMOUNT_TRIES) {
                throw new ActionException(
                        "cannot unmount "
                                + at
                                + ": "
                                + result.output().strip()
                                + "; open files: "
                                + processes(process -> holds(process, at)));
            }
            pause(i, at);
        }
    }

    /**
     * A container keeps the file system mounted in a name space of its own, where our unmounting
     * does not reach: it would seem free and be written to all the same.
     */
    private void awaitNobodyElsewhere(Path at) {
        Optional<Mount> mount =
                mounts().stream().filter(m -> m.at().equals(at)).reduce((a, b) -> b);
        for (int i = 1; mount.isPresent(); i++) {
            String holders = processes(process -> holdsElsewhere(process, mount.get().number()));
            if (holders.isEmpty()) {
                return;
            }
            if (i == UNMOUNT_TRIES) {
                throw new ActionException(
                        "cannot unmount " + at + ": it is mounted in the name space of " + holders);
            }
            pause(i, at);
        }
    }

    private boolean holdsElsewhere(Path process, String number) {
        try {
            Path own = Files.readSymbolicLink(layout.proc().resolve("self/ns/mnt"));
            return !Files.readSymbolicLink(process.resolve("ns/mnt")).equals(own)
                    && Files.readString(process.resolve("mountinfo")).contains(" " + number + " ");
        } catch (IOException e) {
            return false; // ended meanwhile
        }
    }

    private static void pause(int tries, Path at) {
        try {
            Thread.sleep(tries < 10 ? 25 : 250); // what has just been stopped may still be going
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted while unmounting " + at, e);
        }
    }

    private String processes(java.util.function.Predicate<Path> wanted) {
        var names = new TreeSet<String>();
        try (var processes = Files.newDirectoryStream(layout.proc(), "[0-9]*")) {
            for (Path process : processes) {
                if (wanted.test(process)) {
                    names.add(name(process) + " (pid " + process.getFileName() + ")");
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            throw new ActionException(
                    "cannot read the process table: " + ActionException.words(e), e);
        }
        return String.join(", ", names);
    }

    private static String name(Path process) {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (IOException e) {
            return "a process that has just ended";
        }
    }

    private static boolean holds(Path process, Path at) {
        try (var files = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path file : files) {
                if (Files.readSymbolicLink(file).startsWith(at)) {
                    return true;
                }
            }
            return Files.readSymbolicLink(process.resolve("cwd")).startsWith(at);
        } catch (IOException | RuntimeException e) {
            return false; // ended meanwhile
        }
    }

    @Override
    public void remountReadOnly(Path at) {
        String ignored =
                programs.run(SHORT, "mount", "-o", "remount,ro", at.toString())
                        .orFail("cannot make " + at + " read-only");
    }

    @Override
    public void growUnmounted(Path device, String fileSystem) {
        if (fileSystem.equals("ext4")) {
            Programs.Result check = programs.run(CHECK, "e2fsck", "-fp", device.toString());
            if (check.code() > 1) { // 1: mended
                throw new ActionException(
                        "the file system on "
                                + device
                                + " needs repair: e2fsck exit status "
                                + check.code()
                                + ": "
                                + check.output().strip());
            }
            String ignored =
                    programs.run(CHECK, "resize2fs", device.toString())
                            .orFail("cannot grow the file system on " + device);
        }
        // XFS grows only while it is mounted.
    }

    @Override
    public Growth growMounted(Path device, Path at, String fileSystem) {
        if (fileSystem.equals("xfs")) {
            String words =
                    programs.run(CHECK, "xfs_growfs", "-d", at.toString())
                            .orFail("cannot grow the file system at " + at);
            return words.contains("data blocks changed") ? Growth.GREW : Growth.NOTHING_TO_DO;
        }
        Programs.Result result = programs.run(CHECK, "resize2fs", device.toString());
        if (result.ok()) {
            return result.output().contains("Nothing to do") ? Growth.NOTHING_TO_DO : Growth.GREW;
        }
        return Growth.NOT_WHILE_MOUNTED;
    }

    @Override
    public void copy(Path from, Path to, List<String> leftOut) {
        var leave = new StringBuilder();
        leftOut.forEach(name -> leave.append(" --exclude=./").append(name));
        String pipe =
                "set -o pipefail; tar -C \"$1\" --one-file-system --sparse --xattrs --acls"
                        + " --numeric-owner"
                        + leave
                        + " -cf - . | tar -C \"$2\" --xattrs --acls --numeric-owner -xpf -";
        String ignored =
                programs.run(
                                List.of("bash", "-c", pipe, "copy", from.toString(), to.toString()),
                                COPY)
                        .orFail("cannot copy " + from + " to " + to);
    }

    @Override
    public Optional<String> cannotWrite(Path at) {
        Path file = at.resolve(Disks.PROBE_FILE);
        if (Files.isSymbolicLink(file)) {
            return Optional.of(file + " is a link");
        }
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        java.util.Set.of(
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE,
                                LinkOption.NOFOLLOW_LINKS))) {
            int ignored =
                    channel.write(
                            ByteBuffer.wrap((System.currentTimeMillis() + "\n").getBytes(UTF_8)),
                            0);
            channel.force(false);
            return Optional.empty();
        } catch (IOException e) {
            String words = ActionException.words(e);
            return words.contains("No space left") || words.contains("quota")
                    ? Optional.empty()
                    : Optional.of(words);
        }
    }
}
