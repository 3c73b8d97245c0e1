package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * Remembers how disks fill, over restarts of the agent, and tells before one is full. Thread-safe.
 */
final class DiskFills {
    private static final double FULL_PERCENT = 98;
    private static final long MIB = 1024 * 1024;

    private final Layout layout;
    private final Clock clock;
    private final Map<String, DiskFill> fills = new TreeMap<>();

    DiskFills(Layout layout, Clock clock) {
        this.layout = layout;
        this.clock = clock;
        try {
            DurableFile.read(layout.diskFills())
                    .map(Json::object)
                    .orElse(Map.of())
                    .forEach((cid, tree) -> fills.put(cid, fromTree(Fields.of(tree, cid))));
        } catch (IllegalArgumentException e) {
            fills.clear(); // a day's worth of samples is no loss to stop for
        }
    }

    /**
     * One look at a live disk.
     *
     * @return what to tell: a trouble while there is one, its end each time there is none
     */
    synchronized Workload.Trouble look(String name, DiskCid cid, DiskTools.Space space) {
        DiskFill before = fills.getOrDefault(cid.value(), DiskFill.NEW);
        DiskFill after = before.seen(clock.now(), space);
        if (!after.equals(before)) {
            fills.put(cid.value(), after);
            write();
        }
        return trouble(name, cid, after, space);
    }

    synchronized OptionalDouble daysToFull(DiskCid cid, DiskTools.Space space) {
        return fills.getOrDefault(cid.value(), DiskFill.NEW).daysToFull(space);
    }

    synchronized void forget(DiskCid cid) {
        if (fills.remove(cid.value()) != null) {
            write();
        }
    }

    private static Workload.Trouble trouble(
            String name, DiskCid cid, DiskFill fill, DiskTools.Space space) {
        String key = key(name);
        String disk = "persistent disk" + (name.isEmpty() ? "" : " '" + name + "'");
        double percent = DiskFill.percent(space);
        String words =
                String.format(
                        Locale.ROOT,
                        "disk %s: %.0f %% of %d MiB are used, %d MiB are left%s",
                        cid,
                        percent,
                        (space.used() + space.available()) / MIB,
                        space.available() / MIB,
                        pace(fill.daysToFull(space)));
        if (!fill.alarmed()) {
            return new Workload.Trouble(key, 4, true, disk + " has room again", words);
        }
        return percent >= FULL_PERCENT
                ? new Workload.Trouble(key, 2, false, disk + " is full", words)
                : new Workload.Trouble(key, 4, false, disk + " is filling up", words);
    }

    static String key(String name) {
        return name.isEmpty() ? "disk space" : "disk space " + name;
    }

    private static String pace(OptionalDouble days) {
        return days.isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", at the pace of the last day full in %.1f days",
                        days.getAsDouble());
    }

    private void write() {
        var all = new LinkedHashMap<String, Object>();
        fills.forEach((cid, fill) -> all.put(cid, toTree(fill)));
        DurableFile.write(layout.diskFills(), Json.write(all));
    }

    private static Map<String, Object> toTree(DiskFill fill) {
        return Json.of(
                "alarmed",
                fill.alarmed(),
                "samples",
                fill.samples().stream()
                        .map(s -> Json.of("at", s.at().toEpochMilli(), "used", s.used()))
                        .toList());
    }

    private static DiskFill fromTree(Fields tree) {
        return new DiskFill(
                tree.objects("samples").stream()
                        .map(s ->
                                new DiskFill.Sample(
                                        Instant.ofEpochMilli(s.integer("at")), s.integer("used")))
                        .toList(),
                tree.flag("alarmed", false));
    }
}
