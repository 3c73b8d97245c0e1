package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Reads in the director's own store how often its journal was written: begun and ended intents. */
final class JournalWatch implements AutoCloseable {
    private final Connection connection;

    JournalWatch(Path home) {
        try {
            connection =
                    DriverManager.getConnection(
                            "jdbc:sqlite:file:" + home.resolve("director/berth.db") + "?mode=ro");
        } catch (SQLException e) {
            throw new BenchException("the store cannot be read: " + e.getMessage(), e);
        }
    }

    long writes() {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("select count(*) + count(ended_at) from intents")) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new BenchException("the journal cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new BenchException("the store cannot be closed", e);
        }
    }
}
