package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a director wants of one disk beside its place in the VM.
 *
 * @param name of the disk within its instance; "": the managed one, at {@code store}
 * @param fileSystem for a blank disk; null: what the VM's settings say
 * @param mountOptions null: what the VM's settings say
 * @param raw whether the device is given to a job as it is, without a file system of ours
 */
record DiskOptions(
        String name,
        @Nullable String fileSystem,
        @Nullable List<String> mountOptions,
        boolean raw) {
    static final DiskOptions NONE = new DiskOptions("", null, null, false);

    /** File systems that can be made, mounted and grown. */
    static final Set<String> FILE_SYSTEMS = Set.of("ext4", "xfs", "btrfs");

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.\\-]{0,127}");
    private static final Pattern OPTION =
            Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.:=+/@%\\-]{0,99}");
    private static final int MOST_OPTIONS = 32;

    /** They would change what a mount is, not how it behaves. */
    private static final Set<String> REFUSED =
            Set.of("bind", "rbind", "move", "remount", "loop", "ro", "defaults", "rw");

    /** Reads what came with {@code add_persistent_disk}. */
    static DiskOptions fromTree(Fields tree) {
        String name = tree.string("name", "");
        if (!name.isEmpty() && !NAME.matcher(name).matches()) {
            throw new ActionException("'" + shortened(name) + "' is no name for a disk");
        }
        String fileSystem = tree.optionalString("file_system");
        List<String> mountOptions =
                tree.has("mount_options") ? tree.strings("mount_options") : null;
        var options =
                new DiskOptions(
                        name,
                        fileSystem == null || fileSystem.isBlank() ? null : fileSystem,
                        mountOptions,
                        tree.flag("raw", false));
        if (options.fileSystem != null) {
            checkFileSystem("file_system", options.fileSystem);
        }
        if (mountOptions != null) {
            checkMountOptions("mount_options", mountOptions);
        }
        return options;
    }

    Map<String, Object> toTree() {
        Map<String, Object> tree = Json.of("name", name, "raw", raw);
        if (fileSystem != null) {
            tree.put("file_system", fileSystem);
        }
        if (mountOptions != null) {
            tree.put("mount_options", mountOptions);
        }
        return tree;
    }

    /** The same where the settings fill in what was not said; checked. */
    Chosen chosen(Settings settings) {
        String type = fileSystem != null ? fileSystem : settings.diskFileSystem();
        List<String> options = mountOptions != null ? mountOptions : settings.diskMountOptions();
        checkFileSystem("persistent_disk_fs", type);
        checkMountOptions("persistent_disk_mount_options", options);
        return new Chosen(type, options);
    }

    /** With everything decided. */
    record Chosen(String fileSystem, List<String> mountOptions) {}

    static void checkFileSystem(String key, String type) {
        if (!FILE_SYSTEMS.contains(type)) {
            throw new ActionException(
                    key + " '" + shortened(type) + "' is not known: use ext4, xfs or btrfs");
        }
    }

    private static void checkMountOptions(String key, List<String> options) {
        if (options.size() > MOST_OPTIONS) {
            throw new ActionException(key + " has more than " + MOST_OPTIONS + " entries");
        }
        for (String option : options) {
            if (!OPTION.matcher(option).matches() || REFUSED.contains(option)) {
                throw new ActionException(
                        key
                                + " '"
                                + shortened(option)
                                + "' cannot be used: give options of the file system one by one,"
                                + " such as noatime");
            }
        }
    }

    private static String shortened(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }
}
