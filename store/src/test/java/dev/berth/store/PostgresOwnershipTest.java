package dev.berth.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One process alone writes to a PostgreSQL store, and stops at once when it may no longer. */
class PostgresOwnershipTest {
    private static final StoreHolder FIRST = new StoreHolder("alpha", 11, Instant.EPOCH);
    private static final StoreHolder SECOND = new StoreHolder("beta", 22, Instant.EPOCH);
    private static EmbeddedPostgres server;
    private static int databases;
    private final CountDownLatch replaced = new CountDownLatch(1);
    private String url = "";

    @BeforeAll
    static void start() throws IOException {
        server = EmbeddedPostgres.builder().setServerConfig("fsync", "off").start();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @BeforeEach
    void database() throws SQLException {
        String name = "owned" + ++databases;
        sql("CREATE DATABASE " + name);
        url = server.getJdbcUrl("postgres", name);
    }

    private static void sql(String statement) throws SQLException {
        try (var connection = server.getPostgresDatabase().getConnection();
                var one = connection.createStatement()) {
            one.execute(statement);
        }
    }

    /**
     * As a restart of the server or a cut line would: the lock is free from then on, for the server
     * waits (here at most 20 s) until the session has ended.
     */
    private static void cutOwner(StoreHolder holder) throws SQLException {
        sql(
                "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE application_name = '"
                        + PostgresOwnership.connectionName(holder)
                        + "'");
    }

    private SqlStore store(StoreHolder holder) {
        return SqlStore.postgresAlone(url, "postgres", "", holder, replaced::countDown);
    }

    @Test
    void theSecondIsToldWhoTheFirstIs() {
        try (SqlStore first = store(FIRST)) {
            first.update(s -> s.putSetting("k", "v"));
            assertThatThrownBy(() -> store(SECOND))
                    .isInstanceOf(StoreHeldException.class)
                    .hasMessageContainingAll("process 11 on host alpha, since 20", url);
        }
        store(SECOND).close();
    }

    /** It goes on by itself: nobody acted meanwhile. */
    @Test
    void whoLosesTheLockAndGetsItBackGoesOn() throws Exception {
        try (SqlStore store = store(FIRST)) {
            cutOwner(FIRST);
            store.update(s -> s.putSetting("k", "after"));
            assertThat(store.<String>read(s -> s.setting("k").orElseThrow())).isEqualTo("after");
            assertThat(replaced.getCount()).isEqualTo(1);
        }
    }

    /** While another has it nothing is written; and when that one has gone, nothing either. */
    @Test
    void whoLosesTheLockToAnotherWritesNothingEverAgain() throws Exception {
        SqlStore first = store(FIRST);
        try {
            cutOwner(FIRST);
            SqlStore second = store(SECOND);
            CompletableFuture<Void> write =
                    CompletableFuture.runAsync(
                            () -> first.update(s -> s.putSetting("k", "stale")),
                            work -> Thread.ofVirtual().start(work));
            second.update(s -> s.putSetting("k", "second"));
            assertThat(write).isNotDone();
            second.close();
            replaced.await();
            assertThat(write).failsWithin(java.time.Duration.ofSeconds(20));
            assertThatThrownBy(() -> first.update(s -> s.putSetting("k", "stale")))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("started anew");
            assertThat(first.<String>read(s -> s.setting("k").orElseThrow())).isEqualTo("second");
        } finally {
            first.close();
        }
    }
}
