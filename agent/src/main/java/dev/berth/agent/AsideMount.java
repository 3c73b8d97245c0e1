package dev.berth.agent;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * How a copy of a disk is mounted beside its original, which may be mounted in the same kernel: two
 * file systems with one UUID.
 */
final class AsideMount {
    private static final Duration CHANGE = Duration.ofMinutes(5);

    private AsideMount() {}

    /**
     * Read-only; the journal is replayed all the same, on what is ours alone.
     *
     * @return options of the mount
     */
    static List<String> options(Programs programs, Path device, String fileSystem) {
        return switch (fileSystem.toLowerCase(Locale.ROOT)) {
            case "xfs" -> List.of("ro", "nouuid");
            case "btrfs" -> {
                // The kernel takes file systems of one UUID for one of several devices, and would
                // mix the copy up with the original: it gets a name of its own first.
                String ignored =
                        programs.run(CHANGE, "btrfstune", "-f", "-m", device.toString())
                                .orFail("cannot tell the copy on " + device + " from its original");
                yield List.of("ro");
            }
            default -> List.of("ro");
        };
    }
}
