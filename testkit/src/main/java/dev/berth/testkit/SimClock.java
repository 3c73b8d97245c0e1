package dev.berth.testkit;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Semaphore;

/**
 * Virtual time, and threads that live in it. One thread runs at a time; it goes on until it sleeps,
 * and then whoever is due next runs, so that the same history happens each time. Nothing waits for
 * the machine's clock.
 *
 * <p>Whoever makes the clock is its first thread. Every thread that uses it must be that one or be
 * started here.
 */
public final class SimClock implements Clock {
    /** Threads of one simulated process: they die together. */
    public static final class Group {
        private final String name;
        private boolean dead;

        public Group(String name) {
            this.name = name;
        }

        public boolean isDead() {
            return dead;
        }

        /** Its threads unwind as soon as it is their turn. */
        public void kill() {
            dead = true;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static final class Fiber {
        final Group group;
        final Semaphore turn = new Semaphore(0);
        Thread thread = Thread.currentThread();
        boolean started;
        boolean ended;

        Fiber(Group group) {
            this.group = group;
        }
    }

    private record Due(Instant at, long number, Fiber fiber, Runnable event) {}

    private static final Runnable NOTHING = () -> {};

    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparing(Due::at).thenComparing(Due::number));
    private final List<Throwable> failures = new ArrayList<>();
    private final long mostTurns;
    private Instant now;
    private Fiber current = new Fiber(new Group("driver"));
    private final Fiber nobody = current;
    private boolean inEvent;
    private long turns;

    /**
     * @param mostTurns a world that needs more never comes to rest: an {@link
     *     IllegalStateException}
     */
    public SimClock(Instant start, long mostTurns) {
        this.now = start;
        this.mostTurns = mostTurns;
        current.started = true;
    }

    @Override
    public Instant now() {
        return now;
    }

    @Override
    public void sleep(Duration time) {
        if (inEvent) {
            throw new IllegalStateException("an event must not sleep");
        }
        Fiber me = current;
        checkAlive(me);
        due.add(new Due(now.plus(time.isNegative() ? Duration.ZERO : time), turns++, me, NOTHING));
        next(me);
        checkAlive(me);
    }

    private static void checkAlive(Fiber fiber) {
        if (fiber.group.dead) {
            throw new SimulatedCrash(fiber.group + " is dead");
        }
    }

    /** Happens then, on whatever thread is waiting; must not sleep. */
    public void in(Duration time, Runnable event) {
        due.add(new Due(now.plus(time), turns++, nobody, event));
    }

    /** A thread of the group, from now on. */
    public void start(Group group, Runnable work) {
        var fiber = new Fiber(group);
        fiber.thread = Thread.ofVirtual().unstarted(() -> live(fiber, work));
        due.add(new Due(now, turns++, fiber, NOTHING));
    }

    private void live(Fiber fiber, Runnable work) {
        try {
            if (!fiber.group.dead) {
                work.run();
            }
        } catch (SimulatedCrash e) {
            fiber.group.kill();
        } catch (RuntimeException | Error e) {
            failures.add(e);
        } finally {
            fiber.ended = true;
            next(fiber);
        }
    }

    /** Lets the threads of dead groups unwind, before anything else happens. */
    public void bury() {
        List<Due> all = new ArrayList<>(due);
        due.clear();
        for (Due each : all) {
            boolean dead = each.event == NOTHING && each.fiber.group.dead;
            due.add(dead ? new Due(Instant.MIN, each.number, each.fiber, NOTHING) : each);
        }
        sleep(Duration.ZERO);
    }

    /** Threads that ended by something else than a crash. */
    public List<Throwable> failures() {
        return failures;
    }

    private void next(Fiber me) {
        while (true) {
            Due first = due.poll();
            if (first == null) {
                throw new IllegalStateException("nobody is left to wait for");
            }
            if (turns > mostTurns) {
                failures.add(new IllegalStateException("no rest after " + turns + " turns"));
                throw new IllegalStateException("no rest after " + turns + " turns");
            }
            if (first.at.isAfter(now)) {
                now = first.at;
            }
            if (first.event != NOTHING) {
                happen(first.event);
            } else if (first.fiber == me) {
                return;
            } else {
                handOver(first.fiber, me);
                return;
            }
        }
    }

    private void happen(Runnable event) {
        inEvent = true;
        try {
            event.run();
        } catch (SimulatedCrash e) {
            // The group whose event it was is dead and will be seen to be.
        } finally {
            inEvent = false;
        }
    }

    private void handOver(Fiber to, Fiber me) {
        current = to;
        if (to.started) {
            to.turn.release();
        } else {
            to.started = true;
            to.thread.start();
        }
        if (!me.ended) {
            me.turn.acquireUninterruptibly();
        }
    }
}
