package dev.berth.supervisor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The parts that the containers of one name play. For a while there may be several: the one that
 * runs, one of the wished spec that is to take its place, and the one that ran before.
 *
 * @param current stands for the name; null: there is none
 * @param next of the wished spec, made and not started, while one of another spec runs
 * @param extras all others
 */
record Cast(@Nullable Observed current, @Nullable Observed next, List<Observed> extras) {
    static final Cast NOBODY = new Cast(null, null, List.of());

    /**
     * @param fits whether a container is of the wished spec
     * @param runningId the container that is remembered to run
     */
    static Cast of(List<Observed> all, Predicate<Observed> fits, @Nullable String runningId) {
        if (all.isEmpty()) {
            return NOBODY;
        }
        var rest = new ArrayList<>(all);
        rest.sort(
                Comparator.comparing(Observed::running)
                        .thenComparing(o -> o.running() && o.id().equals(runningId))
                        .thenComparing(fits::test)
                        .thenComparing(o -> o.engineName().equals(o.name()))
                        .thenComparing(Observed::id)
                        .reversed());
        Observed current = rest.removeFirst();
        Observed next = null;
        if (current.running() && !fits.test(current)) {
            next = rest.stream().filter(o -> !o.running() && fits.test(o)).findFirst().orElse(null);
            rest.remove(next);
        }
        return new Cast(current, next, List.copyOf(rest));
    }

    /** A second one that runs: it can only be a mistake, and it goes first. */
    List<Observed> runningExtras() {
        return extras.stream().filter(Observed::running).toList();
    }
}
