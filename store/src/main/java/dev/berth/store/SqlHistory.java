package dev.berth.store;

import static dev.berth.store.Mapping.millis;
import static dev.berth.store.Mapping.millisOrNull;
import static dev.berth.store.Mapping.text;
import static dev.berth.store.Mapping.textOrNull;

import dev.berth.model.IntentId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** What happened and happens: tasks, their journal, audit events. */
abstract class SqlHistory extends Sql implements StoreSession {
    SqlHistory(Handle handle) {
        super(handle);
    }

    // --- tasks

    @Override
    public Rows.Task addTask(
            String type,
            String description,
            String user,
            @Nullable String deployment,
            String contextId,
            Map<String, Object> payload,
            Instant now) {
        return inserted(
                Mapping::task,
                """
                INSERT INTO tasks (type, state, description, user_name, deployment, context_id,
                    payload, queued_at)
                VALUES (?, 'queued', ?, ?, ?, ?, ?, ?) RETURNING *
                """,
                type,
                description,
                user,
                deployment,
                contextId,
                text(payload),
                millis(now));
    }

    @Override
    public Optional<Rows.Task> task(long id) {
        return one(Mapping::task, "SELECT * FROM tasks WHERE id = ?", id);
    }

    @Override
    public void saveTask(Rows.Task task) {
        int changed =
                run(
                        """
                        UPDATE tasks SET state = ?, started_at = ?, finished_at = ?, result = ?
                        WHERE id = ?
                        """,
                        task.state(),
                        millisOrNull(task.startedAt()),
                        millisOrNull(task.finishedAt()),
                        task.result(),
                        task.id());
        if (changed == 0) {
            throw new IllegalStateException("there is no task " + task.id());
        }
    }

    @Override
    public List<Rows.Task> tasks(
            @Nullable List<String> states,
            @Nullable List<String> types,
            @Nullable String deployment,
            int limit) {
        var where =
                new Where()
                        .in("state", states)
                        .in("type", types)
                        .andIf("deployment = ?", deployment);
        return list(
                Mapping::task,
                "SELECT * FROM tasks" + where.text() + " ORDER BY id DESC LIMIT ?",
                where.with(limit));
    }

    @Override
    public List<Long> forgetTasks(int keepPerType) {
        List<Long> old =
                list(
                        (rs, context) -> rs.getLong(1),
                        """
                        SELECT id FROM (SELECT id, row_number() OVER
                            (PARTITION BY type ORDER BY id DESC) AS age
                            FROM tasks WHERE finished_at IS NOT NULL) AS t
                        WHERE age > ? AND NOT EXISTS (SELECT 1 FROM intents
                            WHERE intents.task = t.id AND ended_at IS NULL)
                        ORDER BY id
                        """,
                        keepPerType);
        for (Long id : old) {
            run("DELETE FROM intents WHERE task = ?", id);
            run("DELETE FROM tasks WHERE id = ?", id);
        }
        return old;
    }

    // --- journal

    @Override
    public void beginIntent(Rows.Intent intent) {
        run(
                """
                INSERT INTO intents (id, task, instance, kind, payload, begun_at, ended_at, outcome)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                intent.id().value(),
                intent.task(),
                textOrNull(intent.instance()),
                intent.kind(),
                text(intent.payload()),
                millis(intent.begunAt()),
                millisOrNull(intent.endedAt()),
                intent.outcome());
    }

    @Override
    public void endIntent(IntentId id, String outcome, Instant now) {
        int changed =
                run(
                        """
                        UPDATE intents SET ended_at = ?, outcome = ?
                        WHERE id = ? AND ended_at IS NULL
                        """,
                        millis(now),
                        outcome,
                        id.value());
        if (changed == 0) {
            throw new IllegalStateException("intent " + id + " is unknown or has ended already");
        }
    }

    @Override
    public List<Rows.Intent> openIntents(@Nullable Long task) {
        var where = new Where().and("ended_at IS NULL").andIf("task = ?", task);
        return list(
                Mapping::intent,
                "SELECT * FROM intents" + where.text() + " ORDER BY number",
                where.with());
    }

    @Override
    public List<Rows.Intent> intents(long task) {
        return list(Mapping::intent, "SELECT * FROM intents WHERE task = ? ORDER BY number", task);
    }

    // --- audit events

    @Override
    public Rows.Event addEvent(Rows.Event event) {
        return inserted(
                Mapping::event,
                """
                INSERT INTO events (parent, happened_at, user_name, action, object_type,
                    object_name, task, deployment, instance, error, context)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *
                """,
                event.parent(),
                millis(event.at()),
                event.user(),
                event.action(),
                event.objectType(),
                event.objectName(),
                event.task(),
                event.deployment(),
                event.instance(),
                event.error(),
                text(event.context()));
    }

    @Override
    public Optional<Rows.Event> event(long id) {
        return one(Mapping::event, "SELECT * FROM events WHERE id = ?", id);
    }

    @Override
    public List<Rows.Event> events(
            @Nullable Long beforeId, @Nullable String deployment, int limit) {
        var where = new Where().andIf("id < ?", beforeId).andIf("deployment = ?", deployment);
        return list(
                Mapping::event,
                "SELECT * FROM events" + where.text() + " ORDER BY id DESC LIMIT ?",
                where.with(limit));
    }

    @Override
    public int forgetEvents(int keep) {
        return run(
                "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1"
                        + " OFFSET ?)",
                keep);
    }
}
