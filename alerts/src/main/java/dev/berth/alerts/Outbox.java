package dev.berth.alerts;

import java.time.Instant;
import java.util.List;

/** What waits to be told, kept over restarts. Blocking and thread-safe. */
public interface Outbox {
    /**
     * A notice on its way.
     *
     * @param attempts so many tries were in vain
     * @param dueAt not to be tried before
     */
    record Parcel(long id, Notice notice, long attempts, Instant createdAt, Instant dueAt) {}

    /** Oldest first. */
    List<Parcel> waiting(String sink, int limit);

    /** Durable when it returns. */
    void delivered(String sink, List<Parcel> parcels, String said);

    /** It will be tried again, not before then. */
    void failed(String sink, List<Parcel> parcels, Instant next, String said);

    /** It will not be tried again. */
    void dropped(String sink, List<Parcel> parcels, String said);
}
