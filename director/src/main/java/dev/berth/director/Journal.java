package dev.berth.director;

import dev.berth.cpi.CpiContext;
import dev.berth.model.Clock;
import dev.berth.model.IntentId;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/** The journal of one task's acts that concern no instance (rule R4). */
final class Journal {
    private final Store store;
    private final Clock clock;
    private final DirectorIdentity identity;

    Journal(Store store, Clock clock, DirectorIdentity identity) {
        this.store = store;
        this.clock = clock;
        this.identity = identity;
    }

    /** What an act on the cloud yields. */
    @FunctionalInterface
    interface Act<T> {
        T run(CpiContext context);
    }

    /** What to store of it, in the transaction that ends the intent. */
    @FunctionalInterface
    interface Keep<T> {
        void store(StoreSession session, T result);
    }

    /** Records the intent, acts under its id, records the outcome with what is to be kept. */
    <T> T perform(long task, String kind, Map<String, Object> payload, Act<T> act, Keep<T> keep) {
        var id = new IntentId(UUID.randomUUID().toString());
        store.update(s ->
                s.beginIntent(
                        new Rows.Intent(id, task, null, kind, payload, clock.now(), null, null)));
        T result;
        try {
            result = act.run(new CpiContext(identity.uuid(), id.value(), null, Map.of()));
        } catch (RuntimeException e) {
            end(id, "failed: " + Failures.message(e), session -> {});
            throw e;
        }
        end(id, "done", session -> keep.store(session, result));
        return result;
    }

    private void end(IntentId id, String outcome, Consumer<StoreSession> keep) {
        store.update(s -> {
            keep.accept(s);
            s.endIntent(id, outcome, clock.now());
        });
    }

    /** Ends what a killed director left open; for acts that may simply be repeated. */
    void settleForRepeat(long task) {
        store.update(s ->
                s.openIntents(task)
                        .forEach(intent ->
                                s.endIntent(intent.id(), "unknown: repeated", clock.now())));
    }
}
