package dev.berth.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract on SQLite in memory. */
class InMemoryStoreTest extends StoreContract {
    @Override
    Store open() {
        return SqlStore.sqliteInMemory();
    }

    @Test
    void theSchemaIsThatOfAFile(@TempDir Path folder) {
        try (SqlStore memory = SqlStore.sqliteInMemory();
                SqlStore file = SqlStore.sqlite(folder.resolve("berth.db"))) {
            assertThat(memory.schema()).isEqualTo(file.schema()).hasSizeGreaterThan(20);
        }
    }

    @Test
    void eachIsAStoreOfItsOwnAndTransactionsStayOnTheCallersThread() {
        try (SqlStore other = SqlStore.sqliteInMemory()) {
            other.update(s -> s.putSetting("k", "v"));
            assertThat(found(store(), s -> s.setting("k"))).isEmpty();
            Thread caller = Thread.currentThread();
            assertThat(other.<List<Thread>>write(s -> List.of(Thread.currentThread())))
                    .containsExactly(caller);
        }
    }
}
