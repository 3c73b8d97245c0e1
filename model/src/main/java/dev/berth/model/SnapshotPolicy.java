package dev.berth.model;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code x-berth.snapshots} of a deployment: how often snapshots of all its disks are taken by
 * themselves, and how many of those are kept of each disk.
 */
public record SnapshotPolicy(Duration every, int keep) {
    private static final Pattern PERIOD = Pattern.compile("([1-9]\\d{0,4})([mhd])");
    private static final int MOST_KEPT = 1000;

    /** Of a manifest as it was deployed; null: none are taken. */
    public static @Nullable SnapshotPolicy of(Fields manifest) {
        var findings = new Findings();
        return read(new Spot(manifest.tree(), "", Mark.NONE, findings).section());
    }

    /** Reports what is wrong with it. */
    static @Nullable SnapshotPolicy read(Section manifest) {
        Section own = manifest.section("x-berth");
        if (!own.has("snapshots")) {
            return null;
        }
        Section snapshots = own.section("snapshots");
        snapshots.checkKeys(Set.of("every", "keep"), Map.of());
        Duration every = period(snapshots.at("every"), snapshots.string("every"));
        long keep = snapshots.integer("keep");
        if (keep < 1 || keep > MOST_KEPT) {
            snapshots.at("keep").error(40001, "'keep' is from 1 to " + MOST_KEPT, null);
        }
        return new SnapshotPolicy(every, (int) Math.clamp(keep, 1, MOST_KEPT));
    }

    /** {@code every} in words such as {@code 6h}; reports what is none. */
    static Duration period(Spot at, String text) {
        Matcher match = PERIOD.matcher(text);
        if (!match.matches()) {
            at.error(
                    40001,
                    "'every' is a number with m, h or d, such as 6h, not '" + text + "'",
                    null);
            return Duration.ofDays(1);
        }
        long count = Long.parseLong(match.group(1));
        return switch (match.group(2)) {
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }
}
