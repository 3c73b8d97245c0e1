package dev.berth.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two ends of a session with a bus between them that loses, doubles and waits as a test wants. */
class StreamEndTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private final UUID session = UUID.randomUUID();
    private volatile Predicate<StreamFrame> passes = frame -> true;
    private final List<StreamEnd> ends = new ArrayList<>();
    private final List<ExecutorService> bus =
            List.of(Executors.newSingleThreadExecutor(), Executors.newSingleThreadExecutor());
    private final StreamEnd director = new StreamEnd(session, bytes -> deliver(1, bytes));
    private final StreamEnd agent = new StreamEnd(session, bytes -> deliver(0, bytes));

    StreamEndTest() {
        ends.add(director);
        ends.add(agent);
    }

    @AfterEach
    void close() {
        passes = frame -> false;
        ends.forEach(StreamEnd::close);
        bus.forEach(ExecutorService::shutdown);
    }

    private boolean deliver(int to, byte[] bytes) {
        StreamFrame frame = StreamFrame.parse(bytes).orElseThrow();
        if (passes.test(frame)) {
            // As a bus: whoever sends has gone on when it arrives.
            bus.get(to).execute(() -> ends.get(to).accept(frame));
        }
        return true;
    }

    private static Frame input(int size) {
        return new Frame(Frames.INPUT, new byte[size]);
    }

    @Test
    void framesArriveInOrderAndAsTheyAre() throws Exception {
        for (int i = 0; i < 100; i++) {
            director.send(new Frame(Frames.INPUT, new byte[] {(byte) i, 0, -1}));
        }
        for (int i = 0; i < 100; i++) {
            Frame frame = Objects.requireNonNull(agent.take(SOON));
            assertThat(frame.payload()).containsExactly(i, 0, -1);
            agent.taken(frame);
        }
        assertThat(agent.take(Duration.ZERO)).isNull();
    }

    /** A reader that does not read holds its writer up, within the window. */
    @Test
    void noMoreIsUnderWayThanTheWindow() throws Exception {
        var sent = new AtomicInteger();
        var done = new CountDownLatch(1);
        int blocks = 3 * StreamEnd.WINDOW / StreamEnd.LONGEST;
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        for (int i = 0; i < blocks; i++) {
                            director.send(input(StreamEnd.LONGEST));
                            sent.incrementAndGet();
                        }
                    } catch (StreamEnd.Broken | InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    done.countDown();
                });
        int most = StreamEnd.WINDOW / StreamEnd.LONGEST;
        while (sent.get() < most - 1) {
            Thread.onSpinWait();
        }
        assertThat(sent.get()).isLessThanOrEqualTo(most);
        assertThat(done.getCount()).isEqualTo(1);
        for (int i = 0; i < blocks; i++) {
            agent.taken(Objects.requireNonNull(agent.take(SOON)));
            assertThat(sent.get()).isLessThanOrEqualTo(i + 1 + most);
        }
        assertThat(done.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    /** What the receiver admits, the sender may use, in longer messages; nobody may go beyond. */
    @Test
    void aWiderWindowIsWhatTheReceiverSays() throws Exception {
        agent.admit(Integer.MAX_VALUE);
        int block = director.widen(Integer.MAX_VALUE);
        assertThat(block).isEqualTo(StreamEnd.BLOCK);
        int most = StreamEnd.WIDE / (block + StreamEnd.OVERHEAD);
        for (int i = 0; i < most; i++) {
            director.send(input(block)); // none of them waits for a reader
        }
        for (int i = 0; i < most; i++) {
            agent.taken(Objects.requireNonNull(agent.take(SOON)));
        }
        assertThat(director.widen(0)).isEqualTo(StreamEnd.LONGEST);
    }

    @Test
    void whatIsLostEndsTheSessionForBoth() throws Exception {
        passes = frame -> frame.sequence() != 1;
        director.send(input(1));
        director.send(input(2));
        director.send(input(3));
        assertThat(agent.take(SOON)).as("what came before").isNotNull();
        assertThatThrownBy(() -> agent.take(SOON)).hasMessageContaining("lost on the bus");
        assertThatThrownBy(() -> director.send(input(4))).hasMessageContaining("lost on the bus");
    }

    @Test
    void whatComesTwiceIsTakenOnce() throws Exception {
        var again = new ArrayList<StreamFrame>();
        passes = again::add;
        director.send(input(1));
        again.forEach(agent::accept);
        director.send(input(2));
        assertThat(Objects.requireNonNull(agent.take(SOON)).payload()).hasSize(1);
        assertThat(Objects.requireNonNull(agent.take(SOON)).payload()).hasSize(2);
    }

    /** The reason travels, and comes after all that was said before it. */
    @Test
    void theEndIsHeardAfterTheRest() throws Exception {
        director.send(input(1));
        director.close("the caller went away");
        assertThat(agent.take(SOON)).isNotNull();
        assertThatThrownBy(() -> agent.take(SOON)).hasMessage("the caller went away");
    }

    @Test
    void aBusThatIsAwayEndsTheSession() {
        var alone = new StreamEnd(session, bytes -> false);
        assertThatThrownBy(() -> alone.send(input(1))).hasMessageContaining("bus is away");
    }

    @Test
    void whoIgnoresTheWindowIsCutOff() {
        int sequence = 0;
        for (int i = 0; i < 4 * StreamEnd.WINDOW / StreamEnd.LONGEST; i++) {
            agent.accept(new StreamFrame(session, sequence++, input(StreamEnd.LONGEST)));
        }
        assertThatThrownBy(() -> director.send(input(1)))
                .hasMessageContaining("more than was agreed");
    }
}
