package dev.berth.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.Predicate;

/**
 * Where backups are kept, each under its id. A backup is there whole or not at all. Blocking;
 * thread-safe.
 */
public interface BackupPlace {
    /** Begins one; it appears with {@link Sink#commit}, and goes if it is closed without. */
    Sink create(String id) throws IOException;

    /**
     * @throws BackupException there is none
     */
    InputStream open(String id) throws IOException;

    /** Gone already is success. */
    void delete(String id) throws IOException;

    /** Removes what was begun and neither committed nor given up, because its maker died. */
    void sweep(Predicate<String> isBeingMade) throws IOException;

    /** Where one is, for a person. */
    String location(String id);

    /** One that is being written. */
    interface Sink extends AutoCloseable {
        OutputStream out();

        long bytes();

        /** Durable when it returns. */
        void commit() throws IOException;

        @Override
        void close() throws IOException;
    }
}
