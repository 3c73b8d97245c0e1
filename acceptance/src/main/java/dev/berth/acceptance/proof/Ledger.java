package dev.berth.acceptance.proof;

import java.io.IOException;
import java.util.List;

/** A connection to a database that keeps numbers in the order in which they came. One thread's. */
interface Ledger extends AutoCloseable {
    /** Makes a connection to one kind of database. */
    @FunctionalInterface
    interface Door {
        /**
         * @throws IOException when nobody answers within a second or two
         */
        Ledger open() throws IOException;
    }

    /**
     * Returns only when the database has acknowledged the number, which it does after it is safe.
     *
     * @throws IOException when there was no acknowledgement: the number may be there or not
     */
    void append(long number) throws IOException;

    /** All numbers, in the order of the database. */
    List<Long> all() throws IOException;

    @Override
    void close();
}
