package dev.berth.backup;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Map;

/**
 * One file, directory or link of a disk, as it is to be again.
 *
 * @param kind {@code file}, {@code dir}, {@code link}, {@code hard}, {@code device} or {@code fifo}
 * @param modified seconds; 0 for what changes its time by itself
 * @param target of a link; empty otherwise
 * @param sha256 of a file's content, hex; empty otherwise
 */
public record TreeEntry(
        String path,
        String kind,
        int mode,
        long user,
        long group,
        long size,
        long modified,
        String target,
        String sha256) {
    Map<String, Object> toTree() {
        return Json.of(
                "p", path, "k", kind, "m", mode, "u", user, "g", group, "s", size, "t", modified,
                "l", target, "h", sha256);
    }

    static TreeEntry fromTree(Fields f) {
        return new TreeEntry(
                f.string("p"),
                f.string("k"),
                (int) f.integer("m"),
                f.integer("u"),
                f.integer("g"),
                f.integer("s"),
                f.integer("t"),
                f.string("l", ""),
                f.string("h", ""));
    }
}
