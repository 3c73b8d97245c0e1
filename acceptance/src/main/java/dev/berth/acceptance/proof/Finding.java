package dev.berth.acceptance.proof;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a comparison of a ledger with its client's memory found.
 *
 * @param acknowledged numbers the client was answered
 * @param doubtful numbers it was not: there or not, both are right
 * @param lost acknowledged, and not there
 * @param twice there more than once
 * @param disordered acknowledged, and there before one that was acknowledged earlier
 * @param invented there, and never sent
 */
record Finding(int acknowledged, int doubtful, int lost, int twice, int disordered, int invented) {
    static final Finding NOTHING = new Finding(0, 0, 0, 0, 0, 0);

    /**
     * @param had acknowledged before the database was read
     * @param have acknowledged after that
     */
    static Finding of(List<Long> had, List<Long> have, Set<Long> doubtful, List<Long> there) {
        Map<Long, Integer> times = new HashMap<>();
        there.forEach(n -> times.merge(n, 1, Integer::sum));
        Set<Long> answered = new HashSet<>(have);
        int disordered = 0;
        long highest = 0;
        for (long n : there) {
            if (answered.contains(n)) {
                disordered += n < highest ? 1 : 0;
                highest = Math.max(highest, n);
            }
        }
        return new Finding(
                have.size(),
                doubtful.size(),
                (int) had.stream().filter(n -> !times.containsKey(n)).count(),
                (int) times.values().stream().filter(count -> count > 1).count(),
                disordered,
                (int)
                        times.keySet().stream()
                                .filter(n -> !answered.contains(n) && !doubtful.contains(n))
                                .count());
    }

    /**
     * Of a database that was put back to a copy and written since: the numbers that only the
     * writing between the two had.
     *
     * @param since acknowledged since before the copy was taken, in their order
     * @return the first run of numbers that are not there; empty when there is none, or when
     *     nothing follows it
     */
    static List<Long> takenBack(List<Long> since, Set<Long> there) {
        int from = 0;
        while (from < since.size() && there.contains(since.get(from))) {
            from++;
        }
        int to = from;
        while (to < since.size() && !there.contains(since.get(to))) {
            to++;
        }
        return to == since.size() ? List.of() : since.subList(from, to);
    }

    /**
     * Of a copy of one moment: how many numbers it lacks although it has a later one.
     *
     * @param since acknowledged since before the copy was taken, in their order
     */
    static int holes(List<Long> since, Set<Long> there) {
        int last = since.size() - 1;
        while (last >= 0 && !there.contains(since.get(last))) {
            last--;
        }
        return (int) since.subList(0, last + 1).stream().filter(n -> !there.contains(n)).count();
    }

    /** With that many lost ones more. */
    Finding withLost(int more) {
        return new Finding(acknowledged, doubtful, lost + more, twice, disordered, invented);
    }

    /** With the damage of another as well. */
    Finding and(Finding damage) {
        return new Finding(
                acknowledged,
                doubtful,
                lost + damage.lost,
                twice + damage.twice,
                disordered + damage.disordered,
                invented + damage.invented);
    }

    boolean isClean() {
        return lost + twice + disordered + invented == 0;
    }
}
