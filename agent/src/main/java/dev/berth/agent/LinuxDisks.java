package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
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
 * {@link DiskTools} by the kernel's tables and the programs of e2fsprogs, xfsprogs, btrfs-progs and
 * util-linux.
 */
final class LinuxDisks implements DiskTools {
    private static final int EDGE = 1024 * 1024;
    private static final Duration SHORT = Duration.ofSeconds(30);
    private static final Duration CHECK = Duration.ofMinutes(30);
    private static final System.Logger LOG = System.getLogger(LinuxDisks.class.getName());

    /** What blkid says of the table that a partition is in, not of what it holds. */
    private static final String PARTITION_FACTS = "PART_ENTRY_[A-Z]+=\"[^\"]*\"";

    private static final int UNMOUNT_TRIES = 24;

    private final Layout layout;
    private final Programs programs;
    private final Partitions partitions;

    LinuxDisks(Layout layout, Programs programs) {
        this.layout = layout;
        this.programs = programs;
        this.partitions = new Partitions(layout, programs);
    }

    @Override
    public Optional<Device> device(Path path) {
        try {
            int mode = (Integer) Files.getAttribute(path, "unix:mode");
            if ((mode & 0170000) != 0060000) {
                return Optional.empty();
            }
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                return Optional.of(new Device(Partitions.numberOf(path), channel.size()));
            }
        } catch (IOException e) {
            return Optional.empty(); // no node yet, or a node whose device is not there yet
        }
    }

    @Override
    public Content look(Path device) {
        try (FileChannel channel = FileChannel.open(device, StandardOpenOption.READ)) {
            ByteBuffer head = read(channel, 0);
            Optional<Content.FileSystem> known = Superblocks.read(head);
            if (known.isPresent()) {
                return known.get();
            }
            Programs.Result signature = programs.run(SHORT, "blkid", "-p", device.toString());
            String found = signature.output().replaceAll(PARTITION_FACTS, "").strip();
            boolean nothing = signature.ok() && found.equals(device + ":");
            if (!nothing && signature.code() != 2 && signature.code() != 127) {
                return new Content.Foreign(found);
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
    public Optional<Path> partition(Path device) {
        return partitions.only(device);
    }

    @Override
    public void growPartition(Path device) {
        partitions.grow(device);
    }

    @Override
    public void format(Path device, String fileSystem) {
        DiskOptions.checkFileSystem("persistent_disk_fs", fileSystem);
        requireKernelKnows(fileSystem);
        // No program is forced: each refuses a device on which it finds a signature itself.
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
                    default -> List.of("mkfs." + fileSystem, "-q", device.toString());
                };
        String ignored =
                programs.run(command, Duration.ofMinutes(10)).orFail("cannot format " + device);
    }

    /** Before anything is written: what cannot be mounted is not made either. */
    private void requireKernelKnows(String fileSystem) {
        if (kernelKnows(fileSystem)) {
            return;
        }
        Programs.Result ignored = programs.run(SHORT, "modprobe", fileSystem);
        if (!kernelKnows(fileSystem)) {
            throw new ActionException(
                    "the kernel of this VM has no "
                            + fileSystem
                            + ": choose another file system for the disk");
        }
    }

    private boolean kernelKnows(String fileSystem) {
        return DurableFile.read(layout.proc().resolve("filesystems"))
                .orElse("")
                .lines()
                .anyMatch(line -> line.strip().endsWith(fileSystem));
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
                                number(fields[2], fields[dash + 1], unescape(fields[dash + 2])),
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

    /** Btrfs shows a number of its own instead of its device's. */
    private String number(String shown, String fileSystem, String source) {
        return fileSystem.equals("btrfs")
                ? device(Path.of(source)).map(Device::number).orElse(shown)
                : shown;
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
                        .orFail(
                                "cannot mount "
                                        + device
                                        + " at "
                                        + at
                                        + " as "
                                        + fileSystem
                                        + (all.isEmpty() ? "" : " with " + String.join(",", all)));
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
        Optional<String> shown = shownNumber(at);
        for (int i = 1; shown.isPresent(); i++) {
            String holders = processes(process -> holdsElsewhere(process, shown.get()));
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

    /** As mount tables show it, which is not the device's for every file system. */
    private Optional<String> shownNumber(Path at) {
        return DurableFile.read(layout.mountInfo())
                .orElse("")
                .lines()
                .map(line -> line.split(" ", 6))
                .filter(fields -> Path.of(unescape(fields[4])).equals(at))
                .map(fields -> fields[2])
                .reduce((a, b) -> b);
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
    public void bindReadOnly(Path from, Path at) {
        try {
            Files.createDirectories(at);
        } catch (IOException e) {
            throw new ActionException("cannot make " + at + ": " + ActionException.words(e), e);
        }
        String bound =
                programs.run(SHORT, "mount", "--bind", from.toString(), at.toString())
                        .orFail("cannot show " + from + " at " + at);
        String readOnly =
                programs.run(SHORT, "mount", "-o", "remount,bind,ro", at.toString())
                        .orFail("cannot make " + at + " read-only");
        LOG.log(System.Logger.Level.DEBUG, "{0}{1}", bound, readOnly);
    }

    @Override
    public void sync(Path at) {
        String ignored =
                programs.run(CHECK, "sync", "-f", at.toString()).orFail("cannot sync " + at);
    }

    @Override
    public Space space(Path at) {
        try {
            FileStore store = Files.getFileStore(at);
            long total = store.getTotalSpace();
            return new Space(total, total - store.getUnallocatedSpace(), store.getUsableSpace());
        } catch (IOException e) {
            throw new ActionException(
                    "cannot ask for the space at " + at + ": " + ActionException.words(e), e);
        }
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
        // XFS and btrfs grow only while they are mounted.
    }

    @Override
    public Growth growMounted(Path device, Path at, String fileSystem) {
        if (fileSystem.equals("xfs")) {
            String words =
                    programs.run(CHECK, "xfs_growfs", "-d", at.toString())
                            .orFail("cannot grow the file system at " + at);
            return words.contains("data blocks changed") ? Growth.GREW : Growth.NOTHING_TO_DO;
        }
        if (fileSystem.equals("btrfs")) {
            return growBtrfs(device, at);
        }
        Programs.Result result = programs.run(CHECK, "resize2fs", device.toString());
        if (result.ok()) {
            return result.output().contains("Nothing to do") ? Growth.NOTHING_TO_DO : Growth.GREW;
        }
        return Growth.NOT_WHILE_MOUNTED;
    }

    /** It says nothing of whether there was anything to do. */
    private Growth growBtrfs(Path device, Path at) {
        long before = look(device) instanceof Content.FileSystem fs ? fs.bytes() : 0;
        String ignored =
                programs.run(CHECK, "btrfs", "filesystem", "resize", "max", at.toString())
                        .orFail("cannot grow the file system at " + at);
        sync(at); // its superblock tells the new size
        return look(device) instanceof Content.FileSystem fs && fs.bytes() > before
                ? Growth.GREW
                : Growth.NOTHING_TO_DO;
    }

    @Override
    public Optional<String> cannotWrite(Path at) {
        if (DiskFreezer.isFrozen(layout, at)) {
            return Optional.empty(); // a write would wait; it could be written until just now
        }
        Path file = at.resolve(DiskMarks.PROBE_FILE);
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
