package dev.berth.director;

import dev.berth.model.YamlDocument;
import java.util.List;

final class Diffs {
    private Diffs() {}

    static List<Object> of(YamlDocument before, YamlDocument after, boolean redact) {
        return List.of();
    }
}
