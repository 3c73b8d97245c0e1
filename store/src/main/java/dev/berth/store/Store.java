package dev.berth.store;

import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The director's memory. Work runs in transactions: all of a block is kept, or nothing. Blocking;
 * thread-safe; a failure of the database is a {@link StoreException}. Blocks must not call agents,
 * CPIs or the store again.
 */
public interface Store extends AutoCloseable {
    <T> T read(Function<StoreSession, T> block);

    /** Durable when it returns. */
    <T> T write(Function<StoreSession, T> block);

    default void update(Consumer<StoreSession> block) {
        write(session -> {
            block.accept(session);
            return true;
        });
    }

    @Override
    void close();
}
