package dev.berth.director;

import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * A store that says when it was written, and how long that took in nanoseconds. As thread-safe as
 * the one it wraps.
 */
record NotingStore(Store inner, Runnable written, LongConsumer took) implements Store {
    @Override
    public <T> T read(Function<StoreSession, T> block) {
        return inner.read(block);
    }

    @Override
    public <T> T write(Function<StoreSession, T> block) {
        long begun = System.nanoTime();
        T result = inner.write(block);
        took.accept(System.nanoTime() - begun);
        written.run();
        return result;
    }

    @Override
    public void close() {
        inner.close();
    }
}
