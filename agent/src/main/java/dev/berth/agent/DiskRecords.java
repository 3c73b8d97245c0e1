package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the agent remembers of persistent disks: which device each is and what is wanted of it,
 * which one was mounted last at each place, and which one it began to format. Kept in files, for
 * the next life of the agent and of the VM.
 */
final class DiskRecords {
    private final Layout layout;
    private final Map<String, Object> fromSettings;

    DiskRecords(Layout layout, Map<String, Object> fromSettings) {
        this.layout = layout;
        this.fromSettings = fromSettings;
    }

    /** Disk cid to hint; what a director told wins over the settings document. */
    Map<String, Object> hints() {
        var all = new LinkedHashMap<>(fromSettings);
        all.putAll(map(layout.diskHints()));
        return all;
    }

    private static Map<String, Object> map(Path file) {
        return DurableFile.read(file).map(Json::object).orElse(Map.of());
    }

    DiskOptions options(DiskCid cid) {
        Object told = map(layout.diskOptions()).get(cid.value());
        return told == null
                ? DiskOptions.NONE
                : DiskOptions.fromTree(Fields.of(told, "options of disk " + cid));
    }

    void add(DiskCid cid, Object hint, DiskOptions options) {
        change(
                layout.diskOptions(),
                cid,
                options.equals(DiskOptions.NONE) ? null : options.toTree());
        change(layout.diskHints(), cid, hint); // last: it is what makes the disk known
    }

    void remove(DiskCid cid) {
        change(layout.diskHints(), cid, null);
        change(layout.diskOptions(), cid, null);
        superseded(cid, null);
    }

    private static void change(Path file, DiskCid cid, @Nullable Object value) {
        var all = new LinkedHashMap<>(map(file));
        Object before = value == null ? all.remove(cid.value()) : all.put(cid.value(), value);
        if (!Objects.equals(before, value)) {
            DurableFile.write(file, Json.write(all));
        }
    }

    /** The device node a hint names. */
    Path device(DiskCid cid) {
        Object hint = hints().get(cid.value());
        Object path =
                hint instanceof Map<?, ?> map
                        ? map.containsKey("path") ? map.get("path") : map.get("volume_id")
                        : hint;
        if (path instanceof String text && text.startsWith("/")) {
            return Path.of(text);
        }
        throw new ActionException(
                hint == null
                        ? "Persistent disk with volume id '" + cid + "' could not be found"
                        : "the hint for disk '" + cid + "' names no device path");
    }

    /** Name of each disk that belongs at its place now, and its cid. */
    Map<String, DiskCid> mounted() {
        var all = new TreeMap<String, DiskCid>();
        DurableFile.read(layout.lastMountedDisk())
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .ifPresent(text -> all.put("", new DiskCid(text)));
        map(layout.lastMountedNamedDisks())
                .forEach((name, cid) -> all.put(name, new DiskCid(String.valueOf(cid))));
        return all;
    }

    Optional<DiskCid> mounted(String name) {
        return Optional.ofNullable(mounted().get(name));
    }

    void mounted(String name, DiskCid cid) {
        if (mounted(name).equals(Optional.of(cid))) {
            return;
        }
        if (name.isEmpty()) {
            DurableFile.write(layout.lastMountedDisk(), cid.value());
        } else {
            writeNamed(name, cid.value());
        }
    }

    void unmounted(String name, DiskCid cid) {
        if (!mounted(name).equals(Optional.of(cid))) {
            return;
        }
        if (name.isEmpty()) {
            DurableFile.delete(layout.lastMountedDisk());
        } else {
            writeNamed(name, null);
        }
    }

    /** What a disk that need not be mounted any more was seen to say of itself. */
    Optional<String> supersededBy(DiskCid cid) {
        return Optional.ofNullable(map(layout.supersededDisks()).get(cid.value()))
                .map(String::valueOf);
    }

    void superseded(DiskCid cid, @Nullable String by) {
        change(layout.supersededDisks(), cid, by);
    }

    private void writeNamed(String name, @Nullable String cid) {
        var all = new LinkedHashMap<>(map(layout.lastMountedNamedDisks()));
        if (cid == null) {
            all.remove(name);
        } else {
            all.put(name, cid);
        }
        DurableFile.write(layout.lastMountedNamedDisks(), Json.write(all));
    }

    boolean isBeingFormatted(DiskCid cid) {
        return DurableFile.read(layout.formattingDisk()).equals(Optional.of(cid.value()));
    }

    void formatting(DiskCid cid) {
        DurableFile.write(layout.formattingDisk(), cid.value());
    }

    void formatted() {
        DurableFile.delete(layout.formattingDisk());
    }
}
