package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.AlertsConfig;
import dev.berth.model.Clock;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What every sink promises, shown with a real other side. */
abstract class SinkContract {
    static final Duration SOON = Duration.ofSeconds(20);
    private static final Courier.Patience QUICK =
            new Courier.Patience(
                    Duration.ofSeconds(5),
                    Duration.ofMillis(20),
                    Duration.ofMillis(100),
                    3,
                    Duration.ofDays(1));

    private final List<AutoCloseable> opened = new ArrayList<>();

    /** The other side is there, and takes what comes; again after {@link #away}. */
    abstract void serve() throws Exception;

    /** Nobody is there. */
    abstract void away() throws Exception;

    /** The place of the other side; the same before and after it was away. */
    abstract AlertsConfig.Target target();

    /** Of each message that arrived, in order: what it says of action and title. */
    abstract List<String> arrived() throws Exception;

    /** What each message must hold that another system tells alerts apart by. */
    abstract String identity(Notice notice);

    /** Some say nothing to an acknowledgement. */
    boolean tellsAcknowledgements() {
        return true;
    }

    @AfterEach
    final void closeAll() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
        away();
    }

    <T extends AutoCloseable> T opened(T one) {
        opened.add(one);
        return one;
    }

    Sink sink() {
        return opened(new Sinks(Clock.SYSTEM, new PrintStream(System.out), "h1").of(target()));
    }

    @Test
    void theLifeOfAnAlertArrivesInOrderWithOneIdentity() throws Exception {
        serve();
        Sink sink = sink();
        List<Notice> life = Notices.life("db/9f is gone, naïvely \"quoted\"\r\nBcc: x@y");
        for (Notice notice : life) {
            assertThat(sink.deliver(List.of(notice))).isNotBlank();
        }
        Awaitility.await().atMost(SOON).until(() -> arrived().size() >= life.size());
        List<String> arrived = arrived();
        assertThat(arrived).hasSize(life.size());
        for (int i = 0; i < arrived.size(); i++) {
            assertThat(arrived.get(i)).contains(identity(life.get(i)));
        }
        assertThat(arrived.getFirst()).contains("db/9f is gone");
    }

    @Test
    void nobodyThereIsSaidAndAfterItsReturnNothingIsLostAndNothingDoubled() throws Exception {
        serve();
        target();
        away();
        var outbox = new MemoryOutbox();
        List<Notice> life = Notices.life("db/9f is gone");
        life.forEach(notice -> outbox.add(notice, Clock.SYSTEM.now()));
        var first = opened(new Courier("s", sink(), outbox, Clock.SYSTEM, QUICK, null));
        first.start();
        Awaitility.await().atMost(SOON).until(() -> first.status().failures() >= 2);
        assertThat(first.status().failingSince()).isNotNull();
        assertThat(first.status().said()).isNotBlank();
        assertThat(outbox.size()).isEqualTo(life.size());
        first.close(); // the director is started anew
        serve();
        var second = opened(new Courier("s", sink(), outbox, Clock.SYSTEM, QUICK, null));
        second.start();
        Awaitility.await().atMost(SOON).until(() -> outbox.log().size() == life.size());
        assertThat(outbox.log()).isEqualTo(life.stream().map(n -> "delivered " + n.id()).toList());
        Awaitility.await().atMost(SOON).until(() -> arrived().size() >= life.size());
        assertThat(arrived()).hasSize(life.size());
        assertThat(second.status().failingSince()).isNull();
    }

    /** Where the other side can be asked whether it is there at all. */
    final void assertAway(Sink sink, String... words) {
        assertThatThrownBy(() -> sink.deliver(List.of(Notices.test())))
                .isInstanceOfSatisfying(
                        SinkException.class,
                        e -> assertThat(e.kind()).isEqualTo(SinkException.Kind.AWAY))
                .hasMessageContainingAll(words);
    }
}
