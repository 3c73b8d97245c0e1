package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the audit events of {@code GET /events}. Thread-safe. */
public final class AuditTrail {
    /** The reference director keeps as many. */
    private static final int KEPT = 10_000;

    private static final int PRUNED_EVERY = 500;

    private final Store store;
    private final Clock clock;

    public AuditTrail(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    /**
     * An event to record.
     *
     * @param parent id of the event that told of the beginning; null for a beginning or a single
     *     event
     */
    public record Entry(
            @Nullable Long parent,
            String user,
            String action,
            String objectType,
            @Nullable String objectName,
            @Nullable Long task,
            @Nullable String deployment,
            @Nullable String instance,
            @Nullable String error,
            Map<String, Object> context) {
        /** A single event of the director as a whole. */
        public static Entry of(String user, String action, String objectType, String objectName) {
            return new Entry(
                    null, user, action, objectType, objectName, null, null, null, null, Map.of());
        }
    }

    /**
     * What a task does to an object of its deployment.
     *
     * @param objectName null: it is known only when it has been made
     * @param instance {@code group/uuid}; null when it is not about one
     */
    record Act(
            String action,
            String objectType,
            @Nullable String objectName,
            @Nullable String instance,
            Map<String, Object> context) {
        private Entry entry(
                TaskContext task,
                @Nullable Long parent,
                @Nullable String name,
                @Nullable String error) {
            return new Entry(
                    parent,
                    task.user(),
                    action,
                    objectType,
                    name,
                    task.id(),
                    task.deployment(),
                    instance,
                    error,
                    context);
        }
    }

    /** Work that events tell of; returns the name of its object. */
    @FunctionalInterface
    interface Work<E extends Exception> {
        @Nullable String run() throws E;
    }

    /**
     * Two events, as BOSH writes them for what takes long: one before, and one after that refers to
     * it and says what came of it. A process that ends in between leaves the first alone.
     */
    <E extends Exception> void around(TaskContext task, Act act, Work<E> work) throws E {
        long begun = record(act.entry(task, null, act.objectName(), null));
        String name;
        try {
            name = work.run();
        } catch (DirectorStopping e) {
            throw e;
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                throw e; // the process ends: the next one takes the task up
            }
            String error = task.log().redacted(Failures.message(e));
            record(act.entry(task, begun, act.objectName(), error));
            throw e;
        }
        record(act.entry(task, begun, name, null));
    }

    /** Returns the id of the event. */
    public long record(Entry entry) {
        Rows.Event row =
                new Rows.Event(
                        0,
                        entry.parent(),
                        clock.now(),
                        entry.user(),
                        entry.action(),
                        entry.objectType(),
                        entry.objectName(),
                        entry.task(),
                        entry.deployment(),
                        entry.instance(),
                        entry.error(),
                        entry.context());
        return store.write(s -> {
            long id = s.addEvent(row).id();
            if (id % PRUNED_EVERY == 0) {
                s.forgetEvents(KEPT);
            }
            return id;
        });
    }
}
