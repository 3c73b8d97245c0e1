package dev.berth.acceptance.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A check that cannot fail proves nothing: each kind of damage is found. */
class FindingTest {
    private static Finding find(List<Long> acknowledged, Set<Long> doubtful, Long... there) {
        return Finding.of(acknowledged, acknowledged, doubtful, List.of(there));
    }

    @Test
    void whatIsInDoubtMayBeThereOrNot() {
        assertThat(find(List.of(1L, 3L), Set.of(2L, 4L), 1L, 2L, 3L).isClean()).isTrue();
        assertThat(find(List.of(1L, 3L), Set.of(2L, 4L), 1L, 3L, 4L).isClean()).isTrue();
    }

    @Test
    void anAcknowledgedNumberThatIsNotThereIsLost() {
        Finding finding = find(List.of(1L, 2L, 3L), Set.of(), 1L, 3L);
        assertThat(finding.lost()).isEqualTo(1);
        assertThat(finding.isClean()).isFalse();
    }

    @Test
    void whatIsThereTwiceIsSeenWhetherItWasAcknowledgedOrNot() {
        assertThat(find(List.of(1L, 2L), Set.of(), 1L, 2L, 2L).twice()).isEqualTo(1);
        assertThat(find(List.of(1L), Set.of(2L), 1L, 2L, 2L).twice()).isEqualTo(1);
    }

    @Test
    void acknowledgedNumbersStandInTheirOrder() {
        assertThat(find(List.of(1L, 2L, 3L), Set.of(), 1L, 3L, 2L).disordered()).isEqualTo(1);
        assertThat(find(List.of(1L, 3L), Set.of(2L), 1L, 3L, 2L).isClean())
                .as("one in doubt may have been late")
                .isTrue();
    }

    @Test
    void whatNobodySentIsSeen() {
        assertThat(find(List.of(1L), Set.of(2L), 1L, 7L).invented()).isEqualTo(1);
    }

    @Test
    void whatIsAcknowledgedWhileTheDatabaseIsReadIsNotMissed() {
        Finding finding = Finding.of(List.of(1L), List.of(1L, 2L, 3L), Set.of(), List.of(1L, 2L));
        assertThat(finding.isClean()).isTrue();
        assertThat(finding.acknowledged()).isEqualTo(3);
    }

    @Test
    void oneRunOfNumbersMayBeTakenBackWhenSomethingFollowsIt() {
        List<Long> since = List.of(1L, 2L, 3L, 4L, 5L);
        assertThat(Finding.takenBack(since, Set.of(1L, 4L, 5L))).containsExactly(2L, 3L);
        assertThat(Finding.takenBack(since, Set.of(1L, 3L, 5L)))
                .as("4 is lost: no copy of one moment has 3 without 2")
                .containsExactly(2L);
        assertThat(Finding.takenBack(since, Set.of(1L, 2L))).as("nothing was written").isEmpty();
        assertThat(Finding.takenBack(since, Set.copyOf(since))).isEmpty();
    }

    @Test
    void aCopyThatHasALaterNumberHasTheEarlierOnes() {
        List<Long> since = List.of(1L, 2L, 3L, 4L);
        assertThat(Finding.holes(since, Set.of(1L, 2L))).isZero();
        assertThat(Finding.holes(since, Set.of(1L, 4L))).isEqualTo(2);
        assertThat(Finding.holes(since, Set.of())).isZero();
    }

    @Test
    void damageOfACopyCounts() {
        Finding lost = Finding.NOTHING.withLost(1);
        assertThat(find(List.of(1L), Set.of(), 1L).and(lost).isClean()).isFalse();
    }
}
