package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;

/**
 * Named locks between tasks, first come first served. They live in the process: a director that
 * dies releases them, and its successor gives them to the tasks it resumes before any other.
 * Thread-safe.
 */
public final class Locks {
    /** What listings show as the time a lock would run out at if its holder fell silent. */
    private static final Duration EXPIRY = Duration.ofSeconds(240);

    private static final Duration POLL = Duration.ofMillis(20);

    private final Clock clock;
    private final Duration wait;
    private final Map<Name, Deque<Ticket>> queues = new LinkedHashMap<>();

    /**
     * @param wait how long a task waits for a lock before it fails
     */
    public Locks(Clock clock, Duration wait) {
        this.clock = clock;
        this.wait = wait;
    }

    /** One lock: {@code deployment [name]}, {@code stemcells [name, version]}, ... */
    public record Name(String kind, List<String> resource) {
        @Override
        public String toString() {
            return "lock:" + kind + ":" + String.join(":", resource);
        }
    }

    /** A line of {@code GET /locks}. */
    public record Entry(Name name, Instant timeout, long task) {}

    /** A lock that is held; closing it twice is harmless. */
    public interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /** Locks held now, oldest first. */
    public synchronized List<Entry> held() {
        var entries = new ArrayList<Entry>();
        Instant timeout = clock.now().plus(EXPIRY);
        queues.forEach(
                (name, queue) -> entries.add(new Entry(name, timeout, queue.getFirst().task)));
        return entries;
    }

    public boolean isHeld(String kind, List<String> resource) {
        synchronized (this) {
            return queues.containsKey(new Name(kind, resource));
        }
    }

    /**
     * Joins the queue of a lock without waiting: who asks first gets it first, whatever thread
     * waits.
     */
    Ticket request(Name name, long task, String description) {
        return request(name, task, description, Set.of());
    }

    /**
     * The same for some parts of what the lock stands for: those who want other parts of it hold it
     * at the same time. Nobody overtakes one who asked before and whom they would have to wait for.
     *
     * @param parts empty: all of it
     */
    Ticket request(Name name, long task, String description, Set<String> parts) {
        synchronized (this) {
            var ticket = new Ticket(name, task, description, Set.copyOf(parts));
            Deque<Ticket> queue = queues.computeIfAbsent(name, ignored -> new ArrayDeque<>());
            queue.addLast(ticket);
            grant(queue);
            return ticket;
        }
    }

    private static void grant(Deque<Ticket> queue) {
        var before = new HashSet<String>();
        for (Ticket ticket : queue) {
            boolean first = ticket == queue.getFirst();
            boolean apart = !ticket.parts.isEmpty() && Collections.disjoint(before, ticket.parts);
            if (first || apart) {
                ticket.granted.countDown();
            }
            if (ticket.parts.isEmpty()) {
                return;
            }
            before.addAll(ticket.parts);
        }
    }

    /** A place in the queue of a lock. */
    final class Ticket implements Held {
        private final Name name;
        private final long task;
        private final String description;
        private final Set<String> parts;
        private final String uid = UUID.randomUUID().toString();
        private final CountDownLatch granted = new CountDownLatch(1);

        private Ticket(Name name, long task, String description, Set<String> parts) {
            this.name = name;
            this.task = task;
            this.description = description;
            this.parts = parts;
        }

        /** Waits for the lock; gives the place up when it throws. */
        Held await() throws InterruptedException {
            boolean got = false;
            try {
                got = granted();
            } finally {
                if (!got) {
                    close();
                }
            }
            if (!got) {
                throw new ProblemException(100, refusal());
            }
            return this;
        }

        /** Asks again and again, by the clock of the director: who waits, waits for seconds. */
        private boolean granted() throws InterruptedException {
            Instant end = clock.now().plus(wait);
            while (granted.getCount() > 0) {
                if (!clock.now().isBefore(end)) {
                    return false;
                }
                clock.sleep(POLL);
            }
            return true;
        }

        private String refusal() {
            String text = "Failed to acquire lock for " + name + " uid: " + uid + ".";
            synchronized (Locks.this) {
                Deque<Ticket> queue = queues.get(name);
                Ticket holder = queue == null ? null : queue.peekFirst();
                return holder == null
                        ? text
                        : text
                                + " Locking task id is "
                                + holder.task
                                + ", description: '"
                                + holder.description
                                + "'";
            }
        }

        /** Releases the lock, or leaves the queue. */
        @Override
        public void close() {
            synchronized (Locks.this) {
                Deque<Ticket> queue = queues.get(name);
                if (queue == null || !queue.remove(this)) {
                    return;
                }
                if (queue.isEmpty()) {
                    queues.remove(name);
                } else {
                    grant(queue);
                }
            }
        }
    }
}
