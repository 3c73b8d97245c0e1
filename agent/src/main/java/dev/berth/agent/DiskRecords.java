package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the agent remembers of persistent disks: which device each is, which one was mounted last
 * and which one it began to format. Kept in files, for the next life of the agent and of the VM.
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
        all.putAll(told());
        return all;
    }

    private Map<String, Object> told() {
        return DurableFile.read(layout.diskHints()).map(Json::object).orElse(Map.of());
    }

    void add(DiskCid cid, Object hint) {
        var all = new LinkedHashMap<>(told());
        all.put(cid.value(), hint);
        DurableFile.write(layout.diskHints(), Json.write(all));
    }

    void remove(DiskCid cid) {
        var all = new LinkedHashMap<>(told());
        if (all.remove(cid.value()) != null) {
            DurableFile.write(layout.diskHints(), Json.write(all));
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

    Optional<DiskCid> lastMounted() {
        return DurableFile.read(layout.lastMountedDisk())
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .map(DiskCid::new);
    }

    void mounted(DiskCid cid) {
        if (!lastMounted().equals(Optional.of(cid))) {
            DurableFile.write(layout.lastMountedDisk(), cid.value());
        }
    }

    void unmounted(DiskCid cid) {
        if (lastMounted().equals(Optional.of(cid))) {
            DurableFile.delete(layout.lastMountedDisk());
        }
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
