package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Devices that carry a partition table, as clouds and the stock agent make them. One with one
 * partition is used through it; the kernel is told of it, and gets a node for it, where nobody else
 * does that. Thread-safe.
 */
final class Partitions {
    private static final Duration SHORT = Duration.ofSeconds(30);
    private static final int SECTOR = 512;

    private final Layout layout;
    private final Programs programs;

    Partitions(Layout layout, Programs programs) {
        this.layout = layout;
        this.programs = programs;
    }

    /** The node of the only partition; empty when the device has no table or no partition. */
    Optional<Path> only(Path device) {
        if (!hasTable(device)) {
            return Optional.empty();
        }
        List<Fields> found = table(device);
        if (found.size() != 1) {
            return Optional.empty();
        }
        return Optional.of(node(device, found.getFirst()));
    }

    /** A look at two sectors, so that the common case costs no program. */
    private static boolean hasTable(Path device) {
        try (FileChannel channel = FileChannel.open(device, StandardOpenOption.READ)) {
            ByteBuffer head = ByteBuffer.allocate(2 * SECTOR);
            if (channel.read(head, 0) < head.capacity()) {
                return false;
            }
            boolean mbr = (head.get(510) & 0xff) == 0x55 && (head.get(511) & 0xff) == 0xaa;
            boolean gpt = head.getLong(SECTOR) == 0x4546492050415254L; // EFI PART
            return mbr || gpt;
        } catch (IOException e) {
            return false;
        }
    }

    private List<Fields> table(Path device) {
        // Its warnings, such as of a device that has grown, would stand amid the JSON.
        String quietly = "sfdisk --json \"$1\" 2> /dev/null";
        Programs.Result result =
                programs.run(SHORT, "bash", "-c", quietly, "sfdisk", device.toString());
        if (!result.ok()) {
            return List.of(); // no table that anybody could read: the look at its content will tell
        }
        try {
            return Fields.of(Json.object(result.output()), "sfdisk")
                    .object("partitiontable")
                    .objects("partitions");
        } catch (IllegalArgumentException e) {
            return List.of();
        }
    }

    private Path node(Path device, Fields partition) {
        Path path = Path.of(partition.string("node"));
        String number =
                number(device)
                        .or(() -> told(device))
                        .orElseThrow(() ->
                                new ActionException(
                                        "the kernel does not show the partition of " + device));
        if (!isNode(path, number)) {
            DurableFile.delete(path); // of an earlier device of that name
            String[] parts = number.split(":", 2);
            Programs.Result made =
                    programs.run(SHORT, "mknod", path.toString(), "b", parts[0], parts[1]);
            if (!isNode(path, number)) { // where the kernel makes nodes, it may have been first
                String ignored = made.orFail("cannot make " + path);
            }
        }
        return path;
    }

    private static boolean isNode(Path path, String number) {
        try {
            return numberOf(path).equals(number);
        } catch (IOException e) {
            return false;
        }
    }

    /** {@code major:minor}. */
    static String numberOf(Path node) throws IOException {
        long rdev = (Long) Files.getAttribute(node, "unix:rdev");
        long major = ((rdev >>> 8) & 0xfff) | ((rdev >>> 32) & ~0xfffL);
        long minor = (rdev & 0xff) | ((rdev >>> 12) & ~0xffL);
        return major + ":" + minor;
    }

    /** After the kernel has been told to look. */
    private Optional<String> told(Path device) {
        Programs.Result ignored = programs.run(SHORT, "partx", "--add", device.toString());
        return number(device);
    }

    /** Of the first partition, as the kernel shows it below its device. */
    private Optional<String> number(Path device) {
        try {
            Path shown = layout.sys().resolve("dev/block/" + numberOf(device));
            try (var entries = Files.newDirectoryStream(shown)) {
                for (Path entry : entries) {
                    if (Files.exists(entry.resolve("partition"))) {
                        return DurableFile.read(entry.resolve("dev")).map(String::strip);
                    }
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Lets the partition reach to the end of a device that has grown; nothing where it does. */
    void grow(Path device) {
        if (only(device).isEmpty()) {
            return;
        }
        Programs.Result result =
                programs.run(
                        SHORT,
                        "bash",
                        "-c",
                        "echo ', +' | sfdisk --no-reread --force -q -N 1 \"$1\"",
                        "sfdisk",
                        device.toString());
        String ignored = result.orFail("cannot grow the partition of " + device);
        String told =
                programs.run(SHORT, "partx", "--update", "--nr", "1", device.toString())
                        .orFail("cannot tell the kernel of the new size of " + device);
    }
}
