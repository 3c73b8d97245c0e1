package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The way of a notice: in order within its alert, past those that are refused. */
class CourierTest {
    private Instant now = Notices.T0.plusSeconds(60);
    private final List<String> told = new ArrayList<>();
    private final MemoryOutbox outbox = new MemoryOutbox();
    private String away = "";
    private String refused = "";
    private final Clock clock =
            new Clock() {
                @Override
                public Instant now() {
                    return now;
                }

                @Override
                public void sleep(Duration time) {
                    now = now.plus(time);
                }
            };
    private final Sink sink =
            notices -> {
                String id = notices.getFirst().id();
                if (!away.isEmpty()) {
                    throw new SinkException(SinkException.Kind.AWAY, away);
                }
                if (id.contains(refused) && !refused.isEmpty()) {
                    throw new SinkException(SinkException.Kind.REFUSED, "no");
                }
                told.add(id);
                return "taken";
            };

    private Courier courier() {
        return new Courier("s", sink, outbox, clock, Courier.Patience.USUAL, null);
    }

    private void turns(Courier courier, int count) throws InterruptedException {
        for (int i = 0; i < count; i++) {
            Instant next = courier.turn();
            now = next.isAfter(now) ? next : now;
        }
    }

    private void two() {
        for (String key : List.of("a", "b")) {
            for (Notice n : Notices.life("gone")) {
                Incident one = n.incident();
                // Another number for the second alert.
                var tree = one.toTree();
                tree.put("id", key.equals("a") ? "1" : "2");
                outbox.add(Notices.of(new Change(Incident.fromTree(tree), n.kind()), key), now);
            }
        }
    }

    @Test
    void whatIsRefusedHoldsUpItsOwnAlertAloneAndIsGivenUpInTheEnd() throws Exception {
        two();
        refused = "a-open";
        var courier = courier();
        turns(courier, 5);
        assertThat(told).containsExactly("b-open", "b-acknowledge", "b-resolve");
        turns(courier, 20);
        assertThat(outbox.log())
                .containsSubsequence(
                        "dropped a-open", "delivered a-acknowledge", "delivered a-resolve");
        assertThat(courier.status().dropped()).isEqualTo(1);
        assertThat(courier.status().delivered()).isEqualTo(5);
    }

    @Test
    void whoIsAwayIsAskedLessAndLessOftenAndGetsAllInOrder() throws Exception {
        two();
        away = "no route";
        var courier = courier();
        Instant from = now;
        turns(courier, 20);
        assertThat(Duration.between(from, now)).isGreaterThan(Duration.ofMinutes(3));
        assertThat(courier.status().said()).isEqualTo("no route");
        assertThat(courier.status().failingSince()).isEqualTo(from);
        away = "";
        turns(courier, 10);
        assertThat(told)
                .containsExactly(
                        "a-open",
                        "a-acknowledge",
                        "a-resolve",
                        "b-open",
                        "b-acknowledge",
                        "b-resolve");
        assertThat(courier.status().failingSince()).isNull();
    }

    @Test
    void whatNobodyTakesForAWeekIsGivenUpAndSaid() throws Exception {
        two();
        away = "no route";
        var courier = courier();
        turns(courier, 1);
        now = now.plus(Duration.ofDays(8));
        turns(courier, 1);
        assertThat(outbox.size()).isZero();
        assertThat(outbox.log()).hasSize(6).allMatch(line -> line.startsWith("dropped "));
        assertThat(courier.status().dropped()).isEqualTo(6);
    }
}
