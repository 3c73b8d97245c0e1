package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Clock;
import dev.berth.monitor.JudgeSettings;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.store.StoreException;
import dev.berth.store.StoreSession;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** How the judge comes to know what the director has recorded. */
class FleetWatchTest {
    private final Unsteady store = new Unsteady();
    private final FleetWatch watch =
            new FleetWatch(store, Clock.SYSTEM, Threads.VIRTUAL, JudgeSettings.DEFAULT);

    /** A full disk, a database that is started anew: afterwards the judge must not be blind. */
    @Test
    void whatCouldNotBeReadIsToldWhenTheStoreIsBack() throws Exception {
        store.away = true;
        Thread telling = Thread.ofVirtual().start(watch::tell);
        try {
            within10s(() -> store.refused.get() > 0);
            assertThat(watch.waitingSignals()).isZero();
            store.away = false;
            within10s(() -> watch.waitingSignals() > 1);
        } finally {
            telling.interrupt();
            telling.join();
            store.close();
        }
    }

    private static void within10s(BooleanSupplier condition) throws InterruptedException {
        Instant end = Instant.now().plusSeconds(10);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).isBefore(end);
            Thread.sleep(5);
        }
    }

    /** Real, and away when the test says so. */
    private static final class Unsteady implements Store {
        private final Store inner = SqlStore.sqliteInMemory();
        private final AtomicInteger refused = new AtomicInteger();
        private volatile boolean away;

        @Override
        public <T> T read(Function<StoreSession, T> block) {
            if (away) {
                refused.incrementAndGet();
                throw new StoreException("the database is away", new java.io.IOException("gone"));
            }
            return inner.read(block);
        }

        @Override
        public <T> T write(Function<StoreSession, T> block) {
            return inner.write(block);
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
