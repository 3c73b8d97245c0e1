package dev.berth.model;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code x-berth.backups} of a deployment: how often it is backed up by itself, and how many of
 * those backups are kept.
 *
 * @param to a folder of the director's host, an {@code s3://} URL, or nothing: the director's own
 */
public record BackupPolicy(Duration every, int keep, String to) {
    private static final int MOST_KEPT = 1000;
    private static final int LONGEST = 1000;

    /** Of a manifest as it was deployed; null: none are made. */
    public static @Nullable BackupPolicy of(Fields manifest) {
        return read(new Spot(manifest.tree(), "", Mark.NONE, new Findings()).section());
    }

    /** Reports what is wrong with it. */
    static @Nullable BackupPolicy read(Section manifest) {
        Section own = manifest.section("x-berth");
        if (!own.has("backups")) {
            return null;
        }
        Section backups = own.section("backups");
        backups.checkKeys(Set.of("every", "keep", "to"), Map.of());
        Duration every = SnapshotPolicy.period(backups.at("every"), backups.string("every"));
        long keep = backups.integer("keep");
        if (keep < 1 || keep > MOST_KEPT) {
            backups.at("keep").error(40001, "'keep' is from 1 to " + MOST_KEPT, null);
        }
        String to = backups.has("to") ? backups.string("to") : "";
        if (to.length() > LONGEST
                || !to.isEmpty() && !to.startsWith("/") && !to.startsWith("s3://")) {
            backups.at("to")
                    .error(
                            40001,
                            "'to' is an absolute path on the director's host or"
                                    + " s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]",
                            null);
        }
        return new BackupPolicy(every, (int) Math.clamp(keep, 1, MOST_KEPT), to);
    }
}
