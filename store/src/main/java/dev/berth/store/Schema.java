package dev.berth.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationVersion;

/**
 * The schema as numbered scripts, the same numbers on both databases. Scripts that have been
 * released never change; a new one goes to the end of the list.
 */
final class Schema {
    private static final List<String> SCRIPTS =
            List.of(
                    "V1__first.sql",
                    "V2__disks.sql",
                    "V3__copies.sql",
                    "V4__alerts.sql",
                    "V5__pools.sql",
                    "V6__certificates.sql");

    private Schema() {}

    /** The number of the last script. */
    private static String newest() {
        String last = SCRIPTS.getLast();
        return last.substring(1, last.indexOf('_'));
    }

    /** Runs what is missing; refuses a database that a newer version has written. */
    static void bringUpToDate(Dialect dialect, DataSource source) {
        if (isUpToDate(source)) {
            return;
        }
        try {
            Flyway flyway =
                    Flyway.configure(Schema.class.getClassLoader())
                            .dataSource(source)
                            .locations("classpath:" + dialect.folder())
                            .load();
            refuseNewer(flyway);
            flyway.migrate();
        } catch (FlywayException e) {
            throw dialect.translate(e, false);
        }
    }

    /** Spares the usual start the half second that Flyway needs to find that all is well. */
    private static boolean isUpToDate(DataSource source) {
        try (Connection connection = source.getConnection();
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT version, success FROM flyway_schema_history"
                                        + " ORDER BY installed_rank DESC LIMIT 1")) {
            return rows.next() && newest().equals(rows.getString(1)) && rows.getBoolean(2);
        } catch (SQLException e) {
            // No such table: a new database. Anything worse Flyway will meet too, and tell.
            return false;
        }
    }

    private static void refuseNewer(Flyway flyway) {
        var current = flyway.info().current();
        var known = MigrationVersion.fromVersion(newest());
        if (current != null && current.getVersion().compareTo(known) > 0) {
            throw new StoreException(
                    "the database has schema "
                            + current.getVersion()
                            + ", this version of Berth knows up to "
                            + known
                            + ": run the newer version, or restore a copy made before it",
                    new IllegalStateException("schema from the future"));
        }
    }

    /**
     * All scripts at once on a database that is new and short-lived: what Flyway does in a quarter
     * of a second takes two milliseconds so, and simulations open thousands.
     */
    static void create(Dialect dialect, Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            for (String script : SCRIPTS) {
                statement.executeUpdate(text(dialect.folder() + "/" + script));
            }
        }
    }

    private static String text(String resource) {
        try (InputStream in = Schema.class.getClassLoader().getResourceAsStream(resource)) {
            return new String(
                    Objects.requireNonNull(in, resource).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + resource, e);
        }
    }
}
