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

    boolean isClean() {
        return lost + twice + disordered + invented == 0;
    }
}
