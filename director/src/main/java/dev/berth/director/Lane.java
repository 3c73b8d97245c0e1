package dev.berth.director;

import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Runs work on threads of its own, so many at a time, in the order of its ranks. What must happen
 * in that order too (asking for locks) is done in {@link Work#admit} before the thread starts.
 * Thread-safe.
 */
final class Lane {
    /** A piece of work; lower ranks go first. */
    interface Work {
        long rank();

        /** Called in order, must not block. */
        void admit();

        void run();
    }

    private final String name;
    private final int bound;
    private final Threads threads;
    private final PriorityQueue<Work> waiting =
            new PriorityQueue<>(Comparator.comparingLong(Work::rank));
    private int running;
    private boolean open = true;

    Lane(String name, int bound, Threads threads) {
        this.name = name;
        this.bound = bound;
        this.threads = threads;
    }

    synchronized void submit(Work work) {
        waiting.add(work);
        pump();
    }

    /** True when the work had not begun and now never will. */
    synchronized boolean withdraw(Work work) {
        return waiting.remove(work);
    }

    /** Begins nothing any more. */
    synchronized void close() {
        open = false;
        waiting.clear();
    }

    private synchronized void pump() {
        while (open && running < bound && !waiting.isEmpty()) {
            Work work = waiting.remove();
            running++;
            work.admit();
            threads.start(name + "-" + work.rank(), () -> perform(work));
        }
    }

    private void perform(Work work) {
        try {
            work.run();
        } finally {
            synchronized (this) {
                running--;
            }
            pump();
        }
    }
}
