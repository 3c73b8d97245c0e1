package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * How a persistent disk is formatted and mounted, where a disk type says so. Berth's own; BOSH
 * knows only {@code env.persistent_disk_fs}.
 *
 * @param fileSystem {@code ext4}, {@code xfs} or {@code btrfs}; empty: as the VM's env says, else
 *     ext4
 * @param mountOptions as {@code mount -o} takes them, one each
 */
public record DiskFormat(String fileSystem, List<String> mountOptions) {
    public static final DiskFormat DEFAULT = new DiskFormat("", List.of());
    public static final Set<String> FILE_SYSTEMS = Set.of("ext4", "xfs", "btrfs");

    private static final int MOST_OPTIONS = 32;
    private static final Pattern OPTION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.:=/+@%-]{0,127}");

    /** With these a disk could not be proven, or would not be mounted where it belongs. */
    private static final Map<String, String> REFUSED =
            Map.of(
                    "ro", "the disk is proven by writing to it",
                    "noauto", "the agent mounts the disk at each boot",
                    "bind", "the agent says where the disk is mounted",
                    "rbind", "the agent says where the disk is mounted",
                    "move", "the agent says where the disk is mounted",
                    "remount", "the agent says when the disk is mounted",
                    "loop", "the disk is a device already",
                    "user", "only the agent mounts the disk",
                    "users", "only the agent mounts the disk");

    /** Reads {@code file_system} and {@code mount_options} of a disk type. */
    static DiskFormat read(Section type) {
        return new DiskFormat(fileSystem(type), mountOptions(type));
    }

    private static String fileSystem(Section type) {
        String name = type.has("file_system") ? type.string("file_system") : "";
        if (!name.isEmpty() && !FILE_SYSTEMS.contains(name)) {
            type.at("file_system")
                    .error("the file system '" + name + "' is not known", "ext4, xfs or btrfs");
            return "";
        }
        return name;
    }

    private static List<String> mountOptions(Section type) {
        var options = new ArrayList<String>();
        for (Spot item : type.items("mount_options")) {
            String option = item.string();
            String refused = REFUSED.get(option);
            if (refused != null) {
                item.error("the mount option '" + option + "' is not possible: " + refused, null);
            } else if (!OPTION.matcher(option).matches()) {
                item.error(
                        "'" + option + "' is no mount option",
                        "one option for each item, such as noatime");
            } else if (options.contains(option)) {
                item.error("the mount option '" + option + "' is listed twice", null);
            } else {
                options.add(option);
            }
        }
        if (options.size() > MOST_OPTIONS) {
            type.at("mount_options").error("more than " + MOST_OPTIONS + " mount options", null);
        }
        return List.copyOf(options);
    }
}
