package dev.berth.acceptance.proof;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * A table of PostgreSQL with its own defaults: each insert is a transaction, synced before it is
 * acknowledged. No constraint keeps a number from being there twice.
 */
final class PostgresLedger implements Ledger {
    private final Connection connection;
    private final PreparedStatement insert;

    private PostgresLedger(Connection connection, PreparedStatement insert) {
        this.connection = connection;
        this.insert = insert;
    }

    static Ledger open(String address, String password) throws IOException {
        var settings = new Properties();
        settings.setProperty("user", "postgres");
        settings.setProperty("password", password);
        settings.setProperty("connectTimeout", "1");
        settings.setProperty("loginTimeout", "2");
        settings.setProperty("socketTimeout", "4");
        try {
            Connection connection =
                    DriverManager.getConnection(
                            "jdbc:postgresql://" + address + ":5432/postgres", settings);
            try (Statement statement = connection.createStatement()) {
                statement.execute(
                        "create table if not exists ledger (id bigserial primary key, n bigint not null)");
            }
            return new PostgresLedger(
                    connection, connection.prepareStatement("insert into ledger (n) values (?)"));
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void append(long number) throws IOException {
        try {
            insert.setLong(1, number);
            insert.executeUpdate();
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    @Override
    public List<Long> all() throws IOException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select n from ledger order by id")) {
            var numbers = new ArrayList<Long>();
            while (rows.next()) {
                numbers.add(rows.getLong(1));
            }
            return numbers;
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            // It is broken already, which is why it is closed.
        }
    }
}
