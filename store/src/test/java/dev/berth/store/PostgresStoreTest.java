package dev.berth.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on a real PostgreSQL, and what a server adds: several directors, a lost server. */
class PostgresStoreTest extends StoreContract {
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static EmbeddedPostgres server;
    private String url = "";

    @BeforeAll
    static void startServer() throws IOException {
        server = EmbeddedPostgres.builder().setServerConfig("fsync", "off").start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @Override
    Store open() {
        String name = "berth" + DATABASES.incrementAndGet();
        try (var connection = server.getPostgresDatabase().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name);
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
        url = server.getJdbcUrl("postgres", name);
        return SqlStore.postgres(url, "postgres", "");
    }

    @Test
    void twoDirectorsWriteOneAfterTheOther() throws Exception {
        store().update(s -> s.putSetting("n", "0"));
        try (Store second = SqlStore.postgres(url, "postgres", "")) {
            Thread a = Thread.startVirtualThread(() -> countTo50(store()));
            Thread b = Thread.startVirtualThread(() -> countTo50(second));
            a.join();
            b.join();
        }
        assertThat(found(store(), s -> s.setting("n"))).contains("100");
    }

    private static void countTo50(Store store) {
        for (int i = 0; i < 50; i++) {
            store.update(s ->
                    s.putSetting(
                            "n",
                            String.valueOf(Integer.parseInt(s.setting("n").orElseThrow()) + 1)));
        }
    }

    @Test
    void aBrokenConnectionIsToldAndReplaced() throws Exception {
        assertThatThrownBy(() ->
                        store().update(s -> {
                            s.putSetting("k", "half");
                            killOthers();
                            s.putSetting("k", "more");
                        }))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("does not answer");
        store().update(s -> s.putSetting("other", "v"));
        assertThat(found(store(), s -> s.setting("k"))).isEmpty();
    }

    private static void killOthers() {
        try (var connection = server.getPostgresDatabase().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            + " WHERE application_name = 'berth-director'");
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
