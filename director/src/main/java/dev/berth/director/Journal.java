package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Intents before acts (rule R4). What an act changes in the records is written in the transaction
 * that ends its intent, so that after a crash an intent is either open, and settled by looking, or
 * over with its effect recorded. Thread-safe.
 */
final class Journal {
    static final String DONE = "done";

    private final Store store;
    private final Clock clock;
    private final Supplier<String> ids;

    /** Told of each intent that ended: its kind, its outcome and its nanoseconds. */
    @FunctionalInterface
    interface Ended {
        void step(String kind, String outcome, long nanos);
    }

    /** What is under way in this process. */
    private record Begun(String kind, long nanos) {}

    private final Ended ended;
    private final Map<IntentId, Begun> under = new ConcurrentHashMap<>();

    Journal(Store store, Clock clock, Supplier<String> ids) {
        this(store, clock, ids, (kind, outcome, nanos) -> {});
    }

    Journal(Store store, Clock clock, Supplier<String> ids, Ended ended) {
        this.ended = ended;
        this.store = store;
        this.clock = clock;
        this.ids = ids;
    }

    /**
     * Durable before it returns; {@code claim} is recorded with it. The payload must hold no
     * secret.
     */
    IntentId begin(
            long task,
            @Nullable InstanceId instance,
            String kind,
            Map<String, Object> payload,
            Consumer<StoreSession> claim) {
        IntentId id = new IntentId(ids.get());
        store.update(session -> {
            session.beginIntent(
                    new Rows.Intent(id, task, instance, kind, payload, clock.now(), null, null));
            claim.accept(session);
        });
        under.put(id, new Begun(kind, System.nanoTime()));
        return id;
    }

    /** Ends the intent and records its effect, together or not at all. */
    void end(IntentId id, String outcome, Consumer<StoreSession> effect) {
        store.update(session -> {
            effect.accept(session);
            session.endIntent(id, outcome, clock.now());
        });
        Begun begun = under.remove(id);
        if (begun != null) {
            ended.step(begun.kind, outcome, System.nanoTime() - begun.nanos);
        }
    }

    /** What an act on the cloud yields; the intent's id goes along as the request's. */
    @FunctionalInterface
    interface Act<T> {
        T run(IntentId intent);
    }

    /** What to store of it, in the transaction that ends the intent. */
    @FunctionalInterface
    interface Keep<T> {
        void store(StoreSession session, T result);
    }

    /** An act of no instance: intent, act, outcome with what is to be kept. */
    <T> T perform(long task, String kind, Map<String, Object> payload, Act<T> act, Keep<T> keep) {
        IntentId id = begin(task, null, kind, payload, session -> {});
        T result;
        try {
            result = act.run(id);
        } catch (RuntimeException e) {
            end(id, "failed: " + Failures.message(e), session -> {});
            throw e;
        }
        end(id, DONE, session -> keep.store(session, result));
        return result;
    }

    /** Ends what a killed director left open of a task whose acts may simply be repeated. */
    void settleForRepeat(long task) {
        store.update(s ->
                s.openIntents(task)
                        .forEach(intent ->
                                s.endIntent(intent.id(), "unknown: repeated", clock.now())));
    }
}
