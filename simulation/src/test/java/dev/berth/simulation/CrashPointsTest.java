package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** All changes, and each with a second crash: {@code ./berth sim --crash-points}. */
class CrashPointsTest {
    private static final Set<String> SHORT_ENOUGH =
            Set.of(
                    "container changed",
                    "container changed, taken back",
                    "disk grown",
                    "scaled down",
                    "instance: detached",
                    "deployment deleted",
                    "VM lost, repaired");

    /** Copies of disks have many moments: here some of each change, all of them in the command. */
    private static final Map<String, Integer> IN_STEPS =
            Map.of(
                    "disk shrunk", 6,
                    "two disks, one grown, one copied", 6,
                    "disk resized by command", 15,
                    "disk attached", 15,
                    "moved to another az", 15,
                    "group renamed", 10,
                    "VM lost, a spare one taken", 4,
                    "first deploy, on spare VMs", 6,
                    "pool given up", 6);

    private static final Logger ROOT = Logger.getLogger("");

    @BeforeAll
    static void quiet() {
        ROOT.setLevel(Level.OFF);
    }

    @AfterAll
    static void loud() {
        ROOT.setLevel(Level.INFO);
    }

    /**
     * A director killed before or after any write of its store, call of the cloud or call of an
     * agent: its successor goes on, the task ends well, nothing is left over, and nothing stopped
     * that was not to change (R4, R5, R6).
     */
    @Test
    void aChangeGoesOnWhereverTheDirectorIsKilled() {
        List<CrashPoints.Outcome> outcomes =
                CrashPoints.changes().parallelStream()
                        .filter(change ->
                                SHORT_ENOUGH.contains(change.name())
                                        || IN_STEPS.containsKey(change.name()))
                        .map(change -> CrashPoints.killAtEvery(step(change), change, false))
                        .toList();
        assertThat(outcomes).hasSize(SHORT_ENOUGH.size() + IN_STEPS.size());
        assertThat(outcomes)
                .allSatisfy(outcome -> {
                    assertThat(outcome.moments()).as(outcome.change()).isGreaterThan(20);
                    assertThat(outcome.broken()).as(outcome.change()).isEmpty();
                });
    }

    /** The update that fails is looked at all the time until its limit is over. */
    private static int step(CrashPoints.Change change) {
        return change.takenBack() ? 5 : IN_STEPS.getOrDefault(change.name(), 1);
    }
}
