package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchException;
import dev.berth.acceptance.BenchTools;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A client that writes the numbers 1, 2, 3, … without a pause worth the name and remembers which
 * were acknowledged. A number without an answer is in doubt, and never tried again. Thread-safe.
 */
final class Writer implements AutoCloseable {
    private static final long PACE_MILLIS = 5;
    private static final long RETRY_NANOS = 20_000_000;
    private static final int SOON_SECONDS = 180;

    /** Written before a fault strikes, so that it strikes in the middle of something. */
    private static final int SOME = 50;

    private final String name;
    private final Ledger.Door door;
    private final Thread thread;

    // Guarded by this.
    private final List<Long> acknowledged = new ArrayList<>();
    private final Set<Long> doubtful = new HashSet<>();
    private long next = 1;
    private long lastAnswer = System.nanoTime();
    private long longestWait;
    private long epoch;

    private volatile boolean closed;

    Writer(String name, Ledger.Door door) {
        this.name = name;
        this.door = door;
        this.thread = Thread.ofVirtual().name("writes to " + name).start(this::write);
    }

    String name() {
        return name;
    }

    private void write() {
        Ledger ledger = null;
        while (!closed) {
            try {
                if (ledger == null) {
                    ledger = door.open();
                }
                append(ledger);
                Thread.sleep(PACE_MILLIS);
            } catch (IOException e) {
                close(ledger);
                ledger = null;
                LockSupport.parkNanos(RETRY_NANOS);
            } catch (InterruptedException e) {
                break;
            }
        }
        close(ledger);
    }

    private void append(Ledger ledger) throws IOException {
        long number;
        long round;
        synchronized (this) {
            number = next++;
            round = epoch;
            doubtful.add(number); // until it is answered
        }
        ledger.append(number);
        synchronized (this) {
            if (round == epoch) {
                doubtful.remove(number);
                acknowledged.add(number);
                long now = System.nanoTime();
                longestWait = Math.max(longestWait, now - lastAnswer);
                lastAnswer = now;
            }
        }
    }

    private static void close(@Nullable Ledger ledger) {
        if (ledger != null) {
            ledger.close();
        }
    }

    synchronized int count() {
        return acknowledged.size();
    }

    /** From now on the longest wait counts anew. */
    synchronized void startsWaiting() {
        longestWait = 0;
        lastAnswer = System.nanoTime();
    }

    /** Between two answers since {@link #startsWaiting}, the one that still lasts included. */
    synchronized Duration longestWait() {
        return Duration.ofNanos(Math.max(longestWait, System.nanoTime() - lastAnswer));
    }

    /** Waits until some more numbers are acknowledged. */
    void awaitSome() {
        int before = count();
        BenchTools.await("answers of " + name, SOON_SECONDS, 10, () -> count() >= before + SOME);
    }

    /** Waits until a number that was sent after this call is acknowledged. */
    void awaitAnswer() {
        int before = count();
        // Two more: the first may have been under way.
        BenchTools.await("an answer of " + name, SOON_SECONDS, 10, () -> count() > before + 1);
    }

    /**
     * All that was acknowledged by now. To be kept before a copy of the data is taken, which must
     * have at least these.
     */
    synchronized Mark mark() {
        return new Mark(acknowledged.size());
    }

    /**
     * A moment in the life of the ledger.
     *
     * @param acknowledged how many numbers were, in their order
     */
    record Mark(int acknowledged) {}

    /**
     * The database was put back to a copy that was taken after the mark: what was acknowledged
     * since is taken back on purpose, and may be there or not.
     */
    synchronized void putBackTo(Mark mark) {
        List<Long> since = acknowledged.subList(mark.acknowledged, acknowledged.size());
        doubtful.addAll(since);
        since.clear();
        epoch++; // an answer still under way is one of before
    }

    /** Compares what is in the database with what it answered. */
    Finding check() {
        for (int i = 0; ; i++) {
            List<Long> had;
            synchronized (this) {
                had = List.copyOf(acknowledged);
            }
            try (Ledger ledger = door.open()) {
                List<Long> there = ledger.all();
                synchronized (this) {
                    return Finding.of(had, acknowledged, doubtful, there);
                }
            } catch (IOException e) {
                if (i == 50) {
                    throw new BenchException(name + " cannot be read: " + e.getMessage(), e);
                }
                BenchTools.pause(100);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            throw BenchTools.interrupted(e);
        }
    }
}
