package dev.berth.store;

import java.sql.SQLException;

/** What differs between the two databases. */
sealed interface Dialect {
    /** Folder of the migrations. */
    String folder();

    /** Opens a transaction that sees one snapshot. */
    String beginRead();

    /** Opens a transaction that has the right to write from its first statement. */
    String beginWrite();

    /** What the operator is told; the exception's own text is for the log. */
    String explain(SQLException e);

    boolean isConstraint(SQLException e);

    boolean isConnection(SQLException e);

    /** Wraps a failure of the database once, in words. */
    default RuntimeException translate(Exception e, boolean committing) {
        SQLException sql = cause(e);
        if (isConstraint(sql)) {
            return new IllegalStateException("rows disagree: " + sql.getMessage(), e);
        }
        return new StoreException(explain(sql), e, committing && isConnection(sql));
    }

    private static SQLException cause(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof SQLException sql) {
                return sql;
            }
        }
        return new SQLException(e.getMessage(), e);
    }

    record Sqlite(String file) implements Dialect {
        @Override
        public String folder() {
            return "dev/berth/store/sqlite";
        }

        @Override
        public String beginRead() {
            return "BEGIN";
        }

        @Override
        public String beginWrite() {
            return "BEGIN IMMEDIATE";
        }

        @Override
        public String explain(SQLException e) {
            return switch (e.getErrorCode()) {
                case 5, 6 -> "the database " + file + " is locked by another process";
                case 8 -> "the database " + file + " cannot be written: " + e.getMessage();
                case 11, 26 ->
                        "the database "
                                + file
                                + " is damaged; restore it from a copy: "
                                + e.getMessage();
                case 13 ->
                        "the disk that holds the database "
                                + file
                                + " is full; nothing was changed, free some space";
                case 14 -> "the database " + file + " cannot be opened: " + e.getMessage();
                default -> "the database " + file + " failed: " + e.getMessage();
            };
        }

        @Override
        public boolean isConstraint(SQLException e) {
            return e.getErrorCode() == 19;
        }

        @Override
        public boolean isConnection(SQLException e) {
            return e.getErrorCode() == 10;
        }
    }

    record Postgres(String url) implements Dialect {
        @Override
        public String folder() {
            return "dev/berth/store/postgres";
        }

        @Override
        public String beginRead() {
            return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        }

        /** The lock ends with the transaction; its number is only ours within this database. */
        @Override
        public String beginWrite() {
            return "BEGIN; SELECT pg_advisory_xact_lock(47110815)";
        }

        @Override
        public String explain(SQLException e) {
            String state = String.valueOf(e.getSQLState());
            if (state.equals("53100")) {
                return "the database server's disk is full; nothing was changed, free some space";
            }
            if (isConnection(e)) {
                return "the database server does not answer: " + e.getMessage();
            }
            return "the database failed: " + e.getMessage();
        }

        @Override
        public boolean isConstraint(SQLException e) {
            return String.valueOf(e.getSQLState()).startsWith("23");
        }

        @Override
        public boolean isConnection(SQLException e) {
            String state = String.valueOf(e.getSQLState());
            return state.startsWith("08") || state.startsWith("57P");
        }
    }
}
