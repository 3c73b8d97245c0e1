package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.planner.Desired;
import dev.berth.planner.Recorded;
import dev.berth.store.Rows;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The options of a disk's row: what they mean to the planner, and what the agent is told of them.
 */
final class DiskRecords {
    private static final String FILE_SYSTEM = "file_system";
    private static final String CHOSEN = "file_system_chosen";
    private static final String MOUNT_OPTIONS = "mount_options";
    private static final String RAW = "raw";
    private static final String REVIVE = "revive";
    private static final String MANIFEST_MB = "manifest_mb";

    private DiskRecords() {}

    /** What is recorded of a disk that is made as wished. */
    static Map<String, Object> options(Desired.DiskWish wish) {
        Map<String, Object> options = Json.of();
        if (wish.raw()) {
            options.put(RAW, true);
        } else {
            options.put(FILE_SYSTEM, wish.fileSystem());
            if (wish.fileSystemChosen()) {
                options.put(CHOSEN, true);
            }
        }
        return given(mounted(options, wish.mountOptions()), wish.manifestMb());
    }

    static Map<String, Object> mounted(Map<String, Object> options, List<String> mountOptions) {
        return with(options, MOUNT_OPTIONS, mountOptions.isEmpty() ? null : mountOptions);
    }

    /**
     * @param manifestMb what the manifest asks for where a person gave the disk its size or
     *     attached it; 0: the manifest rules
     */
    static Map<String, Object> given(Map<String, Object> options, long manifestMb) {
        return with(options, MANIFEST_MB, manifestMb == 0 ? null : manifestMb);
    }

    /**
     * @param revive a person has said that this is the live one, whatever is written on it
     */
    static Map<String, Object> revived(Map<String, Object> options, boolean revive) {
        return with(options, REVIVE, revive ? true : null);
    }

    static boolean isRevived(Rows.Disk row) {
        return fields(row).flag(REVIVE, false);
    }

    private static Map<String, Object> with(
            Map<String, Object> options,
            String key,
            @org.jspecify.annotations.Nullable Object value) {
        var changed = new LinkedHashMap<>(options);
        changed.remove(key);
        if (value != null) {
            changed.put(key, value);
        }
        return changed;
    }

    static long manifestMb(Rows.Disk row) {
        return fields(row).integer(MANIFEST_MB, 0);
    }

    static boolean isRaw(Rows.Disk row) {
        return fields(row).flag(RAW, false);
    }

    private static Fields fields(Rows.Disk row) {
        return Fields.of(row.options(), "disk options");
    }

    /**
     * @param usualFileSystem of disks about whose file system nothing is recorded
     */
    static Recorded.Disk recorded(Rows.Disk row, String usualFileSystem) {
        Fields options = fields(row);
        return new Recorded.Disk(
                row.cid(),
                row.name(),
                row.sizeMb(),
                row.cloudProperties(),
                row.type(),
                options.string(FILE_SYSTEM, usualFileSystem),
                options.has(MOUNT_OPTIONS) ? options.strings(MOUNT_OPTIONS) : List.of(),
                isRaw(row),
                row.active(),
                manifestMb(row),
                row.attachedTo());
    }

    /** Whether the data is where it should be, whatever the mount options. */
    static boolean isAsWished(Rows.Disk row, Desired.DiskWish wish) {
        return recorded(row, "").isMadeAs(wish);
    }

    /** The agent's {@code add_persistent_disk} options; empty where there is nothing to say. */
    static Map<String, Object> told(Rows.Disk row) {
        Fields options = fields(row);
        Map<String, Object> told = Json.of();
        if (!row.name().isEmpty()) {
            told.put("name", row.name());
        }
        if (options.flag(CHOSEN, false)) {
            told.put("file_system", options.string(FILE_SYSTEM));
        }
        if (options.has(MOUNT_OPTIONS)) {
            told.put("mount_options", options.strings(MOUNT_OPTIONS));
        }
        if (isRaw(row)) {
            told.put("raw", true);
        }
        return told;
    }
}
