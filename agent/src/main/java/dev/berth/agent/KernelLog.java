package dev.berth.agent;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel says of disks. A write that fails after the program that made it was told of its
 * success shows nowhere else. Where the kernel's messages cannot be read, nothing is known.
 * Thread-safe.
 */
final class KernelLog {
    private static final System.Logger LOG = System.getLogger(KernelLog.class.getName());
    private static final Pattern BLOCK =
            Pattern.compile("error, dev (\\S+), sector \\d+ op 0x[0-9a-f]+:\\((\\w+)\\)");
    private static final Pattern BUFFER =
            Pattern.compile("Buffer I/O error on dev (\\S+), .*(lost|write)");
    private static final Pattern PAGES = Pattern.compile("^(\\S+): writeback error on inode");
    private static final Pattern EXT4 = Pattern.compile("EXT4-fs error \\(device (\\S+)\\)");
    private static final Pattern EXT4_PAGES =
            Pattern.compile("EXT4-fs warning \\(device (\\S+)\\): .*I/O error");
    private static final Pattern EXT4_STATE =
            Pattern.compile(
                    "EXT4-fs \\((\\S+)\\): (?:Remounting filesystem|failed to convert unwritten"
                            + "|previous I/O error|Delayed block allocation failed|I/O error)");
    private static final Pattern XFS =
            Pattern.compile(
                    "XFS \\((\\S+)\\): .*(?:I/O [Ee]rror|Corruption|shut down|writeback error)");
    private static final Pattern BTRFS =
            Pattern.compile("BTRFS (?:error|critical) \\(device ([^ )]+)");
    private static final int MOST_DEVICES = 256;

    /** One after the other: then it is no gap, and reading on would be in vain. */
    private static final int MOST_MISSED = 100;

    /**
     * Of one device since it was last forgotten.
     *
     * @param write the last words about a write; null: none
     */
    record Errors(@Nullable String write, @Nullable String read) {
        Optional<String> lastWrite() {
            return Optional.ofNullable(write);
        }

        Optional<String> lastRead() {
            return Optional.ofNullable(read);
        }
    }

    private final Layout layout;
    private final Programs programs;
    private final Map<String, Errors> errors = new HashMap<>();

    KernelLog(Layout layout, Programs programs) {
        this.layout = layout;
        this.programs = programs;
    }

    /** Listens for as long as the agent lives. */
    void start() {
        // Reading waits in the kernel, where no virtual thread can leave its carrier.
        Thread.ofPlatform().daemon().name("kernel log").start(this::listen);
    }

    private void listen() {
        long from = uptimeMicros();
        try (var in = new FileInputStream(place().toFile())) {
            byte[] record = new byte[8192];
            int missed = 0;
            while (true) {
                int n;
                try {
                    n = in.read(record);
                } catch (IOException e) {
                    if (++missed > MOST_MISSED) {
                        throw e;
                    }
                    continue; // records were overwritten before we came to them
                }
                if (n < 0) {
                    return;
                }
                missed = 0;
                record(new String(record, 0, n, StandardCharsets.UTF_8), from);
            }
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.INFO,
                    "the kernel''s messages cannot be read, errors of disks show later: {0}",
                    ActionException.words(e));
        }
    }

    /** A VM that is a container has no such node; it may make one. */
    private Path place() throws IOException {
        Path usual = Path.of("/dev/kmsg");
        if (Files.exists(usual)) {
            return usual;
        }
        Path own = layout.memory().resolve("kmsg");
        if (!Files.exists(own)) {
            Files.createDirectories(layout.memory());
            Programs.Result ignored =
                    programs.run(
                            Duration.ofSeconds(5),
                            "mknod",
                            "-m",
                            "600",
                            own.toString(),
                            "c",
                            "1",
                            "11");
        }
        return own;
    }

    private long uptimeMicros() {
        String text = DurableFile.read(layout.proc().resolve("uptime")).orElse("0 ");
        return (long) (Double.parseDouble(text.split(" ", 2)[0]) * 1_000_000);
    }

    /** One message: {@code priority,sequence,microseconds,flags;text}. */
    void record(String record, long from) {
        int semicolon = record.indexOf(';');
        String[] head = semicolon < 0 ? new String[0] : record.substring(0, semicolon).split(",");
        if (head.length < 3 || !head[2].matches("\\d{1,18}") || Long.parseLong(head[2]) < from) {
            return; // told before this life of the agent: of a disk that may be another one by now
        }
        message(record.substring(semicolon + 1).lines().findFirst().orElse(""));
    }

    private void message(String text) {
        if (text.contains("operation not supported")) {
            return; // asked in vain for what few devices can do; done another way then
        }
        Matcher block = BLOCK.matcher(text);
        if (block.find()) {
            switch (block.group(2)) {
                case "WRITE", "FLUSH", "ZONE_APPEND" -> note(block.group(1), text, true);
                case "READ" -> note(block.group(1), text, false);
                default -> {
                    // what a device need not be able to do, such as to discard
                }
            }
            return;
        }
        for (Pattern pattern : List.of(BUFFER, PAGES, EXT4, EXT4_PAGES, EXT4_STATE, XFS, BTRFS)) {
            Matcher matcher = pattern.matcher(text);
            if (matcher.find()) {
                note(matcher.group(1), text, true);
                return;
            }
        }
    }

    private synchronized void note(String device, String text, boolean write) {
        if (errors.size() >= MOST_DEVICES && !errors.containsKey(device)) {
            return;
        }
        Errors before = errors.getOrDefault(device, new Errors(null, null));
        errors.put(
                device, write ? new Errors(text, before.read()) : new Errors(before.write(), text));
    }

    synchronized Optional<Errors> errors(DiskDevices.Found disk) {
        return names(disk).stream().map(errors::get).filter(e -> e != null).findFirst();
    }

    synchronized void forget(DiskDevices.Found disk) {
        names(disk).forEach(errors::remove);
    }

    /** The kernel's names of a device and of the one it is a partition of. */
    private List<String> names(DiskDevices.Found disk) {
        var names = new ArrayList<String>();
        try {
            Path shown = layout.sys().resolve("dev/block/" + disk.device().number()).toRealPath();
            names.add(String.valueOf(shown.getFileName()));
            Path whole = shown.getParent();
            if (whole != null && Files.exists(shown.resolve("partition"))) {
                names.add(String.valueOf(whole.getFileName()));
            }
        } catch (IOException e) {
            names.add(String.valueOf(disk.path().getFileName()));
        }
        return names;
    }
}
