package dev.berth.supervisor;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Images that were ever wished in a VM, by how near they are to being needed.
 *
 * @param present of the wish that holds
 * @param before of the one before it: there a person goes back to
 * @param older all others, those wished last first
 */
record KnownImages(Set<String> present, Set<String> before, List<String> older) {
    static final KnownImages NONE = new KnownImages(Set.of(), Set.of(), List.of());

    /** How many stay beside those of the present wish and the one before. */
    static final int KEPT = 5;

    private static final int MOST_REMEMBERED = 200;

    /** After a wish for these; the same images again change nothing. */
    KnownImages wishing(Collection<String> images) {
        var now = new LinkedHashSet<>(images);
        if (now.equals(present)) {
            return this;
        }
        var rest = new LinkedHashSet<String>();
        Stream.of(before, older).forEach(rest::addAll);
        rest.removeAll(now);
        rest.removeAll(present);
        return new KnownImages(now, present, rest.stream().limit(MOST_REMEMBERED).toList());
    }

    KnownImages without(String image) {
        return new KnownImages(
                present, before, older.stream().filter(i -> !i.equals(image)).toList());
    }

    /**
     * What may go now.
     *
     * @param staying images that are needed for other reasons
     * @param tight the disk is nearly full: none is kept for its own sake
     */
    List<String> unneeded(Set<String> staying, boolean tight) {
        return older.stream().skip(tight ? 0 : KEPT).filter(i -> !staying.contains(i)).toList();
    }

    String text() {
        return Json.write(
                Json.of(
                        "present",
                        List.copyOf(present),
                        "before",
                        List.copyOf(before),
                        "older",
                        older));
    }

    /**
     * @throws IllegalArgumentException it is no {@link #text}
     */
    static KnownImages parse(String text) {
        Fields f = Fields.of(Json.parse(text), "images");
        return new KnownImages(
                new LinkedHashSet<>(f.strings("present")),
                new LinkedHashSet<>(f.strings("before")),
                f.strings("older"));
    }
}
