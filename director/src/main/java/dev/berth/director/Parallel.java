package dev.berth.director;

import java.util.ArrayList;
import java.util.Collection;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** How work for many items is run. */
public interface Parallel {
    /** Work that may fail. */
    interface Work<T> {
        void accept(T item) throws Exception;
    }

    /**
     * Returns when all are through, at most {@code limit} at a time. After the first failure no
     * more are started, those under way finish, and the first failure is thrown.
     */
    <T> void forEach(Collection<T> items, int limit, Work<T> work) throws Exception;

    /** One after the other: a seeded run must not depend on a scheduler. */
    Parallel IN_ORDER =
            new Parallel() {
                @Override
                public <T> void forEach(Collection<T> items, int limit, Work<T> work)
                        throws Exception {
                    for (T item : items) {
                        work.accept(item);
                    }
                }
            };

    /** A virtual thread each. */
    Parallel VIRTUAL_THREADS =
            new Parallel() {
                @Override
                public <T> void forEach(Collection<T> items, int limit, Work<T> work)
                        throws Exception {
                    if (items.size() == 1) {
                        work.accept(items.iterator().next());
                        return;
                    }
                    var places = new Semaphore(Math.max(1, limit));
                    var failure = new AtomicReference<@Nullable Exception>();
                    var threads = new ArrayList<Thread>();
                    try {
                        for (T item : items) {
                            places.acquire();
                            if (failure.get() != null) {
                                break;
                            }
                            threads.add(
                                    Thread.startVirtualThread(
                                            () -> run(item, work, failure, places)));
                        }
                        for (Thread thread : threads) {
                            thread.join();
                        }
                    } catch (InterruptedException e) {
                        threads.forEach(Thread::interrupt);
                        throw e;
                    }
                    Exception first = failure.get();
                    if (first != null) {
                        throw first;
                    }
                }

                private <T> void run(
                        T item,
                        Work<T> work,
                        AtomicReference<@Nullable Exception> failure,
                        Semaphore places) {
                    try {
                        work.accept(item);
                    } catch (Exception e) {
                        failure.compareAndSet(null, e);
                    } finally {
                        places.release();
                    }
                }
            };
}
