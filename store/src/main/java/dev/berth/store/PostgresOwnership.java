package dev.berth.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One process's right to write to a PostgreSQL store: an advisory lock on a connection of its own,
 * which the server frees when that connection ends, however it ends.
 *
 * <p>Every transaction that writes proves inside itself, after it has got the lock of writers, that
 * the connection still has the lock of owners. As an intent is written before each act, a director
 * that lost the lock stops acting at once: its next write waits here, and with it its tasks. When
 * it gets the lock back and nobody had it meanwhile, they go on. When somebody had it, what the
 * tasks know is out of date: each write fails, and {@code replaced} is told, so that the process
 * ends and a new one starts from what is recorded.
 *
 * <p>Used by the one thread that writes.
 */
final class PostgresOwnership implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PostgresOwnership.class.getName());
    private static final Duration PAUSE = Duration.ofMillis(500);

    /** Only ours within this database; beside the number of the lock of writers. */
    private static final int LOCK = 47110816;

    /** The setting that names who had the lock last. */
    private static final String OWNER = "owner";

    private static final String STILL_OURS =
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = "
                    + LOCK
                    + " AND granted AND pid = ?"
                    + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    private static final String HOLDER =
            "SELECT a.application_name, a.backend_start FROM pg_locks l"
                    + " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
                    + " AND l.classid = 0 AND l.objid = "
                    + LOCK
                    + " AND l.granted"
                    + " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    /** A write met that the lock is gone; it did not happen. */
    static final class Lost extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private final DataSource source;
    private final String url;
    private final String token = UUID.randomUUID().toString();
    private final Runnable replaced;
    private @Nullable Connection connection;
    private int backend;
    private boolean isReplaced;
    private volatile boolean closed;

    private PostgresOwnership(DataSource source, String url, Runnable replaced) {
        this.source = source;
        this.url = url;
        this.replaced = replaced;
    }

    /** What the server shows of the connection: at most 63 characters. */
    static String connectionName(StoreHolder self) {
        String name = "berth-owner " + self.pid() + " " + self.host();
        return name.length() > 63 ? name.substring(0, 63) : name;
    }

    /**
     * @param source whose connections are named by {@link #connectionName}
     * @throws StoreHeldException another has it
     */
    static PostgresOwnership take(DataSource source, String url, Runnable replaced) {
        var ownership = new PostgresOwnership(source, url, replaced);
        try {
            if (!ownership.connectAndLock()) {
                String holder = ownership.holder();
                ownership.close();
                throw new StoreHeldException(
                        "another director runs on "
                                + url
                                + ": "
                                + holder
                                + "; use that one, or end it first");
            }
            ownership.sign();
            return ownership;
        } catch (SQLException e) {
            ownership.close();
            throw new Dialect.Postgres(url).translate(e, false);
        }
    }

    private boolean connectAndLock() throws SQLException {
        Connection fresh = source.getConnection();
        connection = fresh;
        try (var statement = fresh.createStatement();
                ResultSet rows =
                        statement.executeQuery(
                                "SELECT pg_try_advisory_lock(" + LOCK + "), pg_backend_pid()")) {
            rows.next();
            backend = rows.getInt(2);
            return rows.getBoolean(1);
        }
    }

    /**
     * Under the lock of writers: a write that the owner before had begun is over when this returns,
     * and none of it begins after.
     */
    private void sign() throws SQLException {
        Connection own = java.util.Objects.requireNonNull(connection);
        try (var statement = own.createStatement()) {
            statement.execute(new Dialect.Postgres(url).beginWrite());
            try (PreparedStatement put =
                    own.prepareStatement(
                            "INSERT INTO settings (name, value) VALUES (?, ?)"
                                    + " ON CONFLICT (name) DO UPDATE SET value = excluded.value")) {
                put.setString(1, OWNER);
                put.setString(2, token);
                put.executeUpdate();
            }
            statement.execute("COMMIT");
        }
    }

    private String holder() throws SQLException {
        Connection own = java.util.Objects.requireNonNull(connection);
        try (var statement = own.createStatement();
                ResultSet rows = statement.executeQuery(HOLDER)) {
            if (!rows.next()) {
                return "one that is just ending; try again";
            }
            String[] words = String.valueOf(rows.getString(1)).split(" ", 3);
            Instant since = rows.getObject(2, OffsetDateTime.class).toInstant();
            return words.length == 3 && words[1].matches("\\d{1,19}")
                    ? new StoreHolder(words[2], Long.parseLong(words[1]), since).toString()
                    : rows.getString(1) + ", since " + since;
        }
    }

    /** Throws {@link Lost} unless the lock is still ours; within a transaction that may write. */
    void prove(Connection writer) throws SQLException {
        try (PreparedStatement look = writer.prepareStatement(STILL_OURS)) {
            look.setInt(1, backend);
            try (ResultSet rows = look.executeQuery()) {
                if (!rows.next()) {
                    throw new Lost();
                }
            }
        }
    }

    /** Does the work as soon as, and only while, the lock is ours. */
    <T> T whileOwned(Supplier<T> work) {
        while (true) {
            refuseIfReplaced();
            try {
                return work.get();
            } catch (Lost e) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "store={0} state=lock-lost: every task waits until it is back",
                        url);
                regain();
            }
        }
    }

    private void regain() {
        while (true) {
            try {
                drop();
                if (connectAndLock()) {
                    if (isOwnToken()) {
                        LOG.log(System.Logger.Level.INFO, "store={0} state=lock-regained", url);
                        return;
                    }
                    isReplaced = true;
                    drop();
                    replaced.run();
                    refuseIfReplaced();
                }
            } catch (SQLException e) {
                LOG.log(System.Logger.Level.DEBUG, "the store's lock cannot be asked for", e);
            }
            pause();
        }
    }

    private boolean isOwnToken() throws SQLException {
        Connection own = java.util.Objects.requireNonNull(connection);
        try (PreparedStatement look =
                own.prepareStatement("SELECT value FROM settings WHERE name = ?")) {
            look.setString(1, OWNER);
            try (ResultSet rows = look.executeQuery()) {
                return rows.next() && token.equals(rows.getString(1));
            }
        }
    }

    private void refuseIfReplaced() {
        if (isReplaced || closed) {
            throw new StoreException(
                    closed
                            ? "the store is closed"
                            : "another director has acted on "
                                    + url
                                    + " since this one lost its lock; this one is to be started anew",
                    new IllegalStateException("owner changed"));
        }
    }

    private void pause() {
        try {
            TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("the store is closing", e);
        }
        refuseIfReplaced();
    }

    private void drop() {
        Connection old = connection;
        connection = null;
        if (old != null) {
            try {
                old.close();
            } catch (SQLException e) {
                // The server or the line is gone, and the lock with it.
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        drop();
    }
}
