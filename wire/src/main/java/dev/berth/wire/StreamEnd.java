package dev.berth.wire;

import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One end of a session between director and agent. The bus neither waits for the slow nor repeats
 * what was lost, so the ends do: no more than {@link #WINDOW} is under way in one direction ({@link
 * #WIDE} where whoever receives has said that it may be), and a message that is missing ends the
 * session. Both say something every {@link #ALIVE}; an end that hears nothing for {@link #SILENCE}
 * ends the session as well. Thread-safe.
 */
public final class StreamEnd implements AutoCloseable {
    /** Bytes under way in one direction, {@link #OVERHEAD} for each message included. */
    public static final int WINDOW = 512 * 1024;

    /**
     * The same for what moves much: blocks of {@link #BLOCK} and their answers then fill a link of
     * some milliseconds, and an agent's small heap still holds the window of each disk it may move.
     */
    public static final int WIDE = 1024 * 1024;

    /** So that single bytes fill the bus no more than blocks do. */
    static final int OVERHEAD = 1024;

    /** Of one message; far below what the bus carries. */
    public static final int LONGEST = 32 * 1024;

    /** Of one message where the window is {@link #WIDE}. */
    public static final int BLOCK = 120 * 1024;

    static final Duration ALIVE = Duration.ofSeconds(5);
    static final Duration SILENCE = Duration.ofSeconds(20);

    /** Why a session ended; the message is for whoever used it. */
    public static final class Broken extends Exception {
        private static final long serialVersionUID = 1L;

        Broken(String message) {
            super(message);
        }
    }

    private final UUID session;
    private final Predicate<byte[]> publish;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Everything below belongs to the lock.
    private final Deque<Frame> arrived = new ArrayDeque<>();
    private int arrivedCost;
    private int mayArrive = WINDOW;
    private int mayBeSent = WINDOW;
    private int sent;
    private int heard;
    private int underWay;
    private long lastHeard = System.nanoTime();
    private @Nullable String broken;

    /**
     * @param publish sends a message to the other end and returns before it has arrived; false: it
     *     cannot
     */
    public StreamEnd(UUID session, Predicate<byte[]> publish) {
        this.session = session;
        this.publish = publish;
        Thread.ofVirtual().name("session " + session).start(this::stayAlive);
    }

    public UUID session() {
        return session;
    }

    /** So much may be under way to this end; the other one has to be told. */
    public void admit(int window) {
        lock.lock();
        try {
            mayArrive = within(window);
        } finally {
            lock.unlock();
        }
    }

    /**
     * The other end has said that so much may be under way to it.
     *
     * @return the longest payload that a message should have from now on
     */
    public int widen(long window) {
        lock.lock();
        try {
            mayBeSent = within(window);
            changed.signalAll();
            return mayBeSent == WIDE ? BLOCK : LONGEST;
        } finally {
            lock.unlock();
        }
    }

    private static int within(long window) {
        return (int) Math.clamp(window, WINDOW, WIDE);
    }

    /** Waits until there is room for it. */
    public void send(Frame frame) throws Broken, InterruptedException {
        int cost = cost(frame);
        lock.lockInterruptibly();
        try {
            while (broken == null && underWay > 0 && underWay + cost > mayBeSent) {
                changed.await();
            }
            refuseWhenBroken();
            underWay += cost;
            publish(frame);
            refuseWhenBroken();
        } finally {
            lock.unlock();
        }
    }

    /** The next frame, or null when none came in that time. */
    public @Nullable Frame take(Duration limit) throws Broken, InterruptedException {
        long left = limit.toNanos();
        lock.lockInterruptibly();
        try {
            while (arrived.isEmpty()) {
                refuseWhenBroken();
                if (left <= 0) {
                    return null;
                }
                left = changed.awaitNanos(left);
            }
            Frame frame = arrived.removeFirst();
            arrivedCost -= cost(frame);
            return frame;
        } finally {
            lock.unlock();
        }
    }

    /** Says that a frame has been used, so that another may come. */
    public void taken(Frame frame) {
        lock.lock();
        try {
            if (broken == null) {
                publish(Frame.ofInt(StreamFrame.TAKEN, cost(frame)));
            }
        } finally {
            lock.unlock();
        }
    }

    /** A message of the other end; never waits. */
    public void accept(StreamFrame message) {
        lock.lock();
        try {
            int ahead = message.sequence() - heard;
            if (ahead < 0 || broken != null) {
                return; // delivered twice, as happens while a link moves
            }
            if (ahead > 0) {
                end("a part of it was lost on the bus", true);
                return;
            }
            heard++;
            lastHeard = System.nanoTime();
            take(message.frame());
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void take(Frame frame) {
        switch (frame.kind()) {
            case StreamFrame.TAKEN -> underWay = Math.max(0, underWay - frame.intValue());
            case Frames.ALIVE -> {}
            case Frames.FAILURE -> end(new String(frame.payload(), StandardCharsets.UTF_8), false);
            default -> {
                arrived.addLast(frame);
                arrivedCost += cost(frame);
                if (arrivedCost > 2 * mayArrive) {
                    end("the other end sends more than was agreed", true);
                }
            }
        }
    }

    /** Ends the session for both ends, unless it has ended; what arrived can still be taken. */
    public void close(String reason) {
        lock.lock();
        try {
            end(reason, true);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        close("it was closed");
    }

    private void end(String reason, boolean tell) {
        if (broken != null) {
            return;
        }
        if (tell) {
            publish(new Frame(Frames.FAILURE, reason.getBytes(StandardCharsets.UTF_8)));
        }
        broken = broken == null ? reason : broken;
        changed.signalAll();
    }

    private void publish(Frame frame) {
        if (!publish.test(new StreamFrame(session, sent, frame).bytes())) {
            broken = "the bus is away";
            changed.signalAll();
        }
        sent++;
    }

    private void refuseWhenBroken() throws Broken {
        if (broken != null) {
            throw new Broken(broken);
        }
    }

    private void stayAlive() {
        try {
            while (true) {
                Thread.sleep(ALIVE);
                lock.lockInterruptibly();
                try {
                    if (broken != null) {
                        return;
                    }
                    long silent = System.nanoTime() - lastHeard;
                    if (silent > SILENCE.toNanos()) {
                        end(
                                "nothing was heard from the other end for "
                                        + TimeUnit.NANOSECONDS.toSeconds(silent)
                                        + " s",
                                true);
                        return;
                    }
                    publish(new Frame(Frames.ALIVE));
                } finally {
                    lock.unlock();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static int cost(Frame frame) {
        return frame.payload().length + OVERHEAD;
    }
}
