package dev.berth.store;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Where transactions run, so many at a time; the rest wait in order. */
abstract class Lane implements AutoCloseable {
    abstract <T> T run(Supplier<T> work);

    @Override
    public void close() {}

    /** One at a time on the caller's own thread. */
    static Lane onCaller() {
        var lock = new ReentrantLock();
        return new Lane() {
            @Override
            <T> T run(Supplier<T> work) {
                if (lock.isHeldByCurrentThread()) {
                    throw nested();
                }
                lock.lock();
                try {
                    return work.get();
                } finally {
                    lock.unlock();
                }
            }
        };
    }

    static Lane threads(String name, int count) {
        return new Threads(name, count);
    }

    private static IllegalStateException nested() {
        return new IllegalStateException("a store block must not call the store again");
    }

    private static final class Threads extends Lane {
        private final ExecutorService executor;

        Threads(String name, int count) {
            executor =
                    Executors.newFixedThreadPool(
                            count, Thread.ofPlatform().daemon().name(name + "-", 1).factory());
        }

        @Override
        <T> T run(Supplier<T> work) {
            if (Thread.currentThread().getName().startsWith("store-")) {
                throw nested();
            }
            var task = new FutureTask<>(work::get);
            try {
                executor.execute(task);
            } catch (RejectedExecutionException e) {
                throw new IllegalStateException("the store is closed", e);
            }
            return await(task);
        }

        /** Never gives up: whether a transaction happened must not depend on an interrupt. */
        private static <T> T await(FutureTask<T> task) {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return task.get();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } catch (ExecutionException e) {
                throw rethrow(e.getCause());
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private static RuntimeException rethrow(@Nullable Throwable cause) {
            return switch (cause) {
                case null -> new IllegalStateException("a transaction failed without a reason");
                case RuntimeException e -> e;
                case Error e -> throw e;
                default -> new IllegalStateException(cause);
            };
        }

        @Override
        public void close() {
            executor.close();
        }
    }
}
