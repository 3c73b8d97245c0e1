package dev.berth.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * The store in SQL.
 *
 * <p>Writers run one after another, on both databases: SQLite has one writer anyway, and on
 * PostgreSQL an advisory lock gives directors that share a database the same simple meaning.
 * Readers run beside them, each on one snapshot. Transactions run on a few platform threads of the
 * store's own: SQLite's native calls would pin the carriers of virtual threads, and interrupting a
 * virtual thread that reads a socket closes it. A caller that is interrupted still learns how its
 * transaction ended; its interrupt is kept.
 */
public final class SqlStore implements Store {
    private static final int READERS = 4;

    private final Dialect dialect;
    private final Jdbi jdbi;
    private final Lane readers;
    private final Lane writer;
    private final List<AutoCloseable> resources;
    private final @Nullable PostgresOwnership ownership;

    private SqlStore(
            Dialect dialect,
            Jdbi jdbi,
            Lane readers,
            Lane writer,
            List<AutoCloseable> resources,
            @Nullable PostgresOwnership ownership) {
        this.dialect = dialect;
        this.jdbi = jdbi;
        this.readers = readers;
        this.writer = writer;
        this.resources = resources;
        this.ownership = ownership;
    }

    /**
     * A store in one file; made when missing, its schema brought up to date. Durable at commit: the
     * log is synced to disk each time.
     */
    public static SqlStore sqlite(Path file) {
        SQLiteDataSource source = sqliteSource();
        source.setUrl("jdbc:sqlite:" + file);
        return pooled(new Dialect.Sqlite(file.toString()), source, null);
    }

    /**
     * A store that ends with the process, for simulations: one connection, every transaction on the
     * caller's own thread.
     */
    public static SqlStore sqliteInMemory() {
        SQLiteDataSource source = sqliteSource();
        source.setUrl("jdbc:sqlite::memory:");
        var dialect = new Dialect.Sqlite("memory");
        try {
            Connection connection = source.getConnection();
            Schema.create(dialect, connection);
            Lane lane = Lane.onCaller();
            return new SqlStore(
                    dialect, Jdbi.create(connection), lane, lane, List.of(connection::close), null);
        } catch (SQLException e) {
            throw dialect.translate(e, false);
        }
    }

    /**
     * A store on a PostgreSQL database that may be shared by several directors.
     *
     * @param url {@code jdbc:postgresql://HOST:PORT/DATABASE}
     */
    public static SqlStore postgres(String url, String user, String password) {
        return pooled(
                new Dialect.Postgres(url), source(url, user, password, "berth-director"), null);
    }

    /**
     * The same for a process that alone acts on it. When it loses the right to, its writes wait
     * until it has it again.
     *
     * @param replaced told, on the thread that writes, when another process has had that right
     *     meanwhile: from then on each write is a {@link StoreException}, and this process is to be
     *     started anew
     * @throws StoreHeldException another process has it; nothing was changed
     */
    public static SqlStore postgresAlone(
            String url, String user, String password, StoreHolder self, Runnable replaced) {
        var dialect = new Dialect.Postgres(url);
        DataSource shared = source(url, user, password, "berth-director");
        Schema.bringUpToDate(dialect, shared);
        DataSource own = source(url, user, password, PostgresOwnership.connectionName(self));
        return pooled(dialect, shared, PostgresOwnership.take(own, url, replaced));
    }

    private static DataSource source(String url, String user, String password, String name) {
        var source = new PGSimpleDataSource();
        source.setUrl(url);
        source.setUser(user);
        source.setPassword(password);
        source.setApplicationName(name);
        source.setTcpKeepAlive(true);
        source.setConnectTimeout(10);
        // A server that went away without a word must not hold a task for ever.
        source.setSocketTimeout(60);
        return source;
    }

    private static SqlStore pooled(
            Dialect dialect, DataSource source, @Nullable PostgresOwnership ownership) {
        Schema.bringUpToDate(dialect, source);
        var config = new HikariConfig();
        config.setPoolName("store");
        config.setDataSource(source);
        config.setMaximumPoolSize(READERS + 1);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(15_000);
        var pool = new HikariDataSource(config);
        Lane readers = Lane.threads("store-reader", READERS);
        Lane writer = Lane.threads("store-writer", 1);
        List<AutoCloseable> resources =
                ownership == null
                        ? List.of(writer, readers, pool)
                        : List.of(writer, readers, pool, ownership);
        return new SqlStore(dialect, Jdbi.create(pool), readers, writer, resources, ownership);
    }

    private static SQLiteDataSource sqliteSource() {
        var config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setBusyTimeout(10_000);
        config.enforceForeignKeys(true);
        return new SQLiteDataSource(config);
    }

    @Override
    public <T> T read(Function<StoreSession, T> block) {
        return readers.run(() -> transact(dialect.beginRead(), block));
    }

    @Override
    public <T> T write(Function<StoreSession, T> block) {
        return writer.run(() ->
                ownership == null
                        ? transact(dialect.beginWrite(), block)
                        : ownership.whileOwned(() -> transact(dialect.beginWrite(), block)));
    }

    private <T> T transact(String begin, Function<StoreSession, T> block) {
        boolean committing = false;
        try (Handle handle = jdbi.open()) {
            try {
                execute(handle, begin);
                if (ownership != null && begin.equals(dialect.beginWrite())) {
                    ownership.prove(handle.getConnection());
                }
                T result = block.apply(new SqlSession(handle));
                committing = true;
                execute(handle, "COMMIT");
                return result;
            } catch (Throwable e) {
                rollBack(handle, e);
                throw e;
            }
        } catch (SQLException | JdbiException e) {
            throw dialect.translate(e, committing);
        }
    }

    private static void execute(Handle handle, String sql) throws SQLException {
        try (var statement = handle.getConnection().createStatement()) {
            statement.execute(sql);
        }
    }

    private static void rollBack(Handle handle, Throwable reason) {
        try {
            execute(handle, "ROLLBACK");
        } catch (SQLException e) {
            // Some failures have ended the transaction already; what matters is the first reason.
            reason.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        for (AutoCloseable resource : resources) {
            try {
                resource.close();
            } catch (Exception e) {
                System.getLogger(SqlStore.class.getName())
                        .log(System.Logger.Level.WARNING, "store not closed cleanly", e);
            }
        }
    }

    /** For tests: the tables and indexes of a SQLite store but those of the migration tool. */
    List<String> schema() {
        return onWriter(handle ->
                handle.select(
                                """
                                SELECT sql FROM sqlite_master WHERE sql IS NOT NULL
                                AND tbl_name NOT LIKE 'flyway%' ORDER BY name
                                """)
                        .mapTo(String.class)
                        .list());
    }

    /** For tests: makes a SQLite store's disk small. */
    void limitPages(int pages) {
        onWriter(handle ->
                handle.select("PRAGMA max_page_count = " + pages).mapTo(Integer.class).one());
    }

    private <T> T onWriter(Function<Handle, T> work) {
        return writer.run(() -> {
            try (Handle handle = jdbi.open()) {
                return work.apply(handle);
            }
        });
    }
}
