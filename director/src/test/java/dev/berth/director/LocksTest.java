package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LocksTest {
    private static final Locks.Name SHOP = new Locks.Name("deployment", List.of("shop"));

    private final Locks locks = new Locks(Clock.SYSTEM, Duration.ZERO);

    private Locks.Ticket ask(long task, String... parts) {
        return locks.request(SHOP, task, "task " + task, Set.of(parts));
    }

    private static boolean holds(Locks.Ticket ticket) throws InterruptedException {
        try {
            ticket.await();
            return true;
        } catch (ProblemException e) {
            return false; // and has left the queue
        }
    }

    @Test
    void repairsOfDifferentInstancesHoldADeploymentTogether() throws Exception {
        Locks.Ticket one = ask(1, "a", "b");
        Locks.Ticket two = ask(2, "c");
        assertThat(holds(one)).isTrue();
        assertThat(holds(two)).isTrue();
        assertThat(holds(ask(3, "b", "d"))).as("b is the first one's").isFalse();
        one.close();
        assertThat(holds(ask(4, "b", "d"))).isTrue();
    }

    @Test
    void aDeployWaitsForAllRepairsAndKeepsLaterOnesWaiting() throws Exception {
        Locks.Ticket one = ask(1, "a");
        Locks.Ticket deploy = ask(2);
        Locks.Ticket late = ask(3, "b");
        one.close();
        assertThat(holds(deploy)).isTrue();
        assertThatThrownBy(late::await)
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("Locking task id is 2");
        deploy.close();
        assertThat(locks.held()).isEmpty();
    }
}
