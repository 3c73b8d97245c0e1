package dev.berth.alerts;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** An outbox that outlives couriers, as the store does. */
final class MemoryOutbox implements Outbox {
    private final List<Parcel> waiting = new ArrayList<>();
    final List<String> log = new ArrayList<>();
    private long next = 1;

    synchronized void add(Notice notice, Instant at) {
        waiting.add(new Parcel(next++, notice, 0, at, at));
    }

    @Override
    public synchronized List<Parcel> waiting(String sink, int limit) {
        return waiting.stream().limit(limit).toList();
    }

    @Override
    public synchronized void delivered(String sink, List<Parcel> parcels, String said) {
        end("delivered", parcels);
    }

    @Override
    public synchronized void failed(String sink, List<Parcel> parcels, Instant until, String said) {
        waiting.replaceAll(p ->
                parcels.stream().anyMatch(f -> f.id() == p.id())
                        ? new Parcel(p.id(), p.notice(), p.attempts() + 1, p.createdAt(), until)
                        : p);
    }

    @Override
    public synchronized void dropped(String sink, List<Parcel> parcels, String said) {
        end("dropped", parcels);
    }

    private void end(String how, List<Parcel> parcels) {
        for (Parcel parcel : parcels) {
            waiting.removeIf(p -> p.id() == parcel.id());
            log.add(how + " " + parcel.notice().id());
        }
    }

    synchronized List<String> log() {
        return List.copyOf(log);
    }

    synchronized int size() {
        return waiting.size();
    }
}
