package dev.berth.director;

import dev.berth.model.DiffLine;
import dev.berth.model.ManifestDiff;
import dev.berth.model.YamlDocument;
import java.util.List;

/** Diffs in the shape of the API. */
final class Diffs {
    private Diffs() {}

    /** Two-element arrays: text and {@code added}, {@code removed} or null. */
    static List<List<Object>> of(YamlDocument before, YamlDocument after, boolean redact) {
        return ManifestDiff.between(before.tree(), after.tree(), redact).stream()
                .map(DiffLine::toTree)
                .toList();
    }
}
