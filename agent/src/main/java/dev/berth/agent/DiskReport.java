package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What is known of each disk, on the wire. Thread-safe; waits for no operation. */
final class DiskReport {
    private static final long MIB = 1024 * 1024;
    private static final int SHORT_REASON = 200;

    private final Layout layout;
    private final DiskTools tools;
    private final DiskRecords records;
    private final DiskDevices devices;
    private final DiskWatch watch;
    private final Function<String, MountProof> proofs;

    DiskReport(
            Layout layout,
            DiskTools tools,
            DiskRecords records,
            DiskDevices devices,
            DiskWatch watch,
            Function<String, MountProof> proofs) {
        this.layout = layout;
        this.tools = tools;
        this.records = records;
        this.devices = devices;
        this.watch = watch;
        this.proofs = proofs;
    }

    /** All known disks. */
    List<Map<String, Object>> all() {
        var all = new ArrayList<Map<String, Object>>();
        for (String cid : records.hints().keySet()) {
            all.add(disk(new DiskCid(cid)));
        }
        return all;
    }

    /** Those that belong at a live place, in few words: it travels with every heartbeat. */
    List<Map<String, Object>> brief() {
        var all = new ArrayList<Map<String, Object>>();
        records.mounted()
                .forEach((name, cid) -> {
                    Map<String, Object> whole = disk(cid);
                    var few = new LinkedHashMap<String, Object>();
                    for (String key : List.of("cid", "name", "proof", "reason", "days_to_full")) {
                        Object value = whole.get(key);
                        if (value != null && !(key.equals("reason") && value.equals(""))) {
                            few.put(
                                    key,
                                    value instanceof String s
                                            ? WireText.first(s, SHORT_REASON)
                                            : value);
                        }
                    }
                    if (whole.get("used_bytes") instanceof Long used
                            && whole.get("available_bytes") instanceof Long available) {
                        few.put(
                                "percent",
                                Math.round(
                                        DiskFill.percent(new DiskTools.Space(0, used, available))));
                    }
                    all.add(few);
                });
        return all;
    }

    private Map<String, Object> disk(DiskCid cid) {
        String name = records.options(cid).name();
        Optional<DiskTools.Mount> mount = mount(cid);
        Path at = mount.map(DiskTools.Mount::at).orElse(null);
        boolean live = records.mounted(name).equals(Optional.of(cid));
        MountProof proof = live ? proofs.apply(name) : new MountProof.None();
        Map<String, Object> tree =
                Json.of(
                        "cid",
                        cid.value(),
                        "name",
                        name,
                        "mounted",
                        at == null ? null : place(name, at),
                        "path",
                        at == null ? null : at.toString(),
                        "proof",
                        word(proof),
                        "reason",
                        proof instanceof MountProof.Unproven bad ? bad.reason() : "",
                        "superseded_by",
                        successor(cid, at),
                        "file_system",
                        mount.map(DiskTools.Mount::fileSystem).orElse(null));
        devices(cid).ifPresent(found -> tree.put("size_mb", found.device().bytes() / MIB));
        if (at != null) {
            room(tree, cid, at);
        }
        return tree;
    }

    private void room(Map<String, Object> tree, DiskCid cid, Path at) {
        try {
            DiskTools.Space space = tools.space(at);
            OptionalDouble days = watch.daysToFull(cid, space);
            tree.put("used_bytes", space.used());
            tree.put("available_bytes", space.available());
            tree.put("days_to_full", days.isEmpty() ? null : tenth(days.getAsDouble()));
        } catch (ActionException e) {
            // A disk that cannot be asked has a reason, which tells more.
        }
    }

    private @Nullable String successor(DiskCid cid, @Nullable Path at) {
        return (at == null ? records.supersededBy(cid) : DiskMarks.successor(at)).orElse(null);
    }

    private static double tenth(double days) {
        return Math.round(days * 10) / 10.0;
    }

    private Optional<DiskTools.Mount> mount(DiskCid cid) {
        try {
            return devices.mountOf(cid);
        } catch (ActionException e) {
            return Optional.empty(); // a hint without a device
        }
    }

    private Optional<DiskDevices.Found> devices(DiskCid cid) {
        try {
            return devices.look(cid);
        } catch (ActionException e) {
            return Optional.empty();
        }
    }

    private String place(String name, Path at) {
        if (!at.equals(layout.place(name))) {
            return "aside";
        }
        return name.isEmpty() ? "store" : "named";
    }

    private static String word(MountProof proof) {
        return switch (proof) {
            case MountProof.Proven p -> "proven";
            case MountProof.Unproven bad -> "unproven";
            case MountProof.None none -> "none";
        };
    }
}
