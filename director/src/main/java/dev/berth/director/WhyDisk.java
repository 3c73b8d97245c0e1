package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.util.Locale;
import java.util.Map;

/** What is recorded of a disk, beside what its agent tells of it. */
final class WhyDisk {
    private WhyDisk() {}

    /**
     * @param told one entry of the agent's {@code disk_report}, whole or as in heartbeats
     */
    static Map<String, Object> of(Rows.Disk disk, Fields told) {
        boolean proven = told.string("proof", "").equals("proven");
        String reason = told.string("reason", "");
        Map<String, Object> tree =
                recorded(
                        disk,
                        proven,
                        proven ? room(told) : reason.isEmpty() ? "it is not mounted" : reason);
        for (String key : new String[] {"name", "path", "file_system", "superseded_by"}) {
            tree.put(key, told.optionalString(key));
        }
        tree.put("days_to_full", told.tree().get("days_to_full"));
        return tree;
    }

    /** Nothing is mounted of it, so that there is nothing to prove. */
    static Map<String, Object> raw(Rows.Disk disk) {
        Map<String, Object> tree =
                recorded(
                        disk, false, "its container has the device for itself; nothing is mounted");
        tree.put("raw", true);
        return tree;
    }

    /** Of the record alone; the caller may add to it. */
    static Map<String, Object> recorded(Rows.Disk disk, boolean proven, String reason) {
        return Json.of(
                "cid",
                disk.cid().value(),
                "size_mb",
                disk.sizeMb(),
                "attached_to",
                disk.attachedTo() == null ? null : String.valueOf(disk.attachedTo()),
                "proven",
                proven,
                "reason",
                reason);
    }

    private static String room(Fields told) {
        Object days = told.tree().get("days_to_full");
        return days instanceof Number n
                ? String.format(
                        Locale.ROOT,
                        "at the pace of the last day full in %.1f days",
                        n.doubleValue())
                : "";
    }
}
