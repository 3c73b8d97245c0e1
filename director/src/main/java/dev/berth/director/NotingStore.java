package dev.berth.director;

import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.function.Function;

/** A store that says when it was written. As thread-safe as the one it wraps. */
record NotingStore(Store inner, Runnable written) implements Store {
    @Override
    public <T> T read(Function<StoreSession, T> block) {
        return inner.read(block);
    }

    @Override
    public <T> T write(Function<StoreSession, T> block) {
        T result = inner.write(block);
        written.run();
        return result;
    }

    @Override
    public void close() {
        inner.close();
    }
}
