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
    private Finding copies = Finding.NOTHING;

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
        synchronized (this) {
            number = next++;
            doubtful.add(number); // until it is answered
        }
        ledger.append(number);
        synchronized (this) {
            doubtful.remove(number);
            acknowledged.add(number);
            long now = System.nanoTime();
            longestWait = Math.max(longestWait, now - lastAnswer);
            lastAnswer = now;
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
     * The database was put back to a copy that was taken after the mark, and was written since.
     * What the copy did not have is taken back: from now on it must not be there. A copy is of one
     * moment, so this is one unbroken run of numbers; any other that is not there is lost.
     *
     * @throws BenchException it was not put back: nothing is missing
     */
    void takeBack(Mark mark) {
        List<Long> since;
        synchronized (this) {
            since = List.copyOf(acknowledged.subList(mark.acknowledged, acknowledged.size()));
        }
        Set<Long> taken = Set.copyOf(Finding.takenBack(since, Set.copyOf(read())));
        if (taken.isEmpty()) {
            throw new BenchException(name + " was not put back, or lost all that came after");
        }
        synchronized (this) {
            acknowledged.removeIf(taken::contains);
        }
    }

    /**
     * Compares a copy of the data that was taken after the mark; its damage counts as the
     * database's own.
     */
    void compare(Mark mark, List<Long> there) {
        synchronized (this) {
            List<Long> had = acknowledged.subList(0, mark.acknowledged);
            List<Long> since = acknowledged.subList(mark.acknowledged, acknowledged.size());
            copies =
                    copies.and(
                            Finding.of(had, acknowledged, doubtful, there)
                                    .withLost(Finding.holes(since, Set.copyOf(there))));
        }
    }

    /** Compares what is in the database, and was in copies of it, with what it answered. */
    Finding check() {
        List<Long> had;
        synchronized (this) {
            had = List.copyOf(acknowledged);
        }
        List<Long> there = read();
        synchronized (this) {
            return Finding.of(had, acknowledged, doubtful, there).and(copies);
        }
    }

    private List<Long> read() {
        for (int i = 0; ; i++) {
            try (Ledger ledger = door.open()) {
                return ledger.all();
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
