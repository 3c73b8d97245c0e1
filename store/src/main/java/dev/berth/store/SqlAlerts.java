package dev.berth.store;

import static dev.berth.store.Mapping.millis;
import static dev.berth.store.Mapping.millisOrNull;
import static dev.berth.store.Mapping.text;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** Alerts, and who has been told of them; counts of what there is. */
abstract class SqlAlerts extends SqlCopies {
    SqlAlerts(Handle handle) {
        super(handle);
    }

    @Override
    public List<Rows.Alert> alerts(@Nullable List<String> states, int limit) {
        var where = new Where().in("state", states);
        return list(
                Mapping::alert,
                "SELECT * FROM alerts" + where.text() + " ORDER BY number DESC LIMIT ?",
                where.with(limit));
    }

    @Override
    public Optional<Rows.Alert> alert(long number) {
        return one(Mapping::alert, "SELECT * FROM alerts WHERE number = ?", number);
    }

    @Override
    public void saveAlert(Rows.Alert alert) {
        run(
                """
                INSERT INTO alerts (number, state, changed_at, content) VALUES (?, ?, ?, ?)
                ON CONFLICT (number) DO UPDATE SET state = excluded.state,
                    changed_at = excluded.changed_at, content = excluded.content
                """,
                alert.number(),
                alert.state(),
                millis(alert.changedAt()),
                text(alert.content()));
    }

    @Override
    public int forgetAlerts(int keep) {
        String old =
                "(SELECT coalesce(max(number), 0) FROM (SELECT number FROM alerts ORDER BY number"
                        + " DESC LIMIT 1 OFFSET ?) AS o)";
        String told =
                " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.alert = alerts.number AND"
                        + " d.state = 'waiting')";
        int gone =
                run(
                        "DELETE FROM alerts WHERE number <= "
                                + old
                                + " AND state = 'resolved'"
                                + told,
                        keep);
        run(
                "DELETE FROM deliveries WHERE state <> 'waiting' AND id <= (SELECT coalesce(max(id),"
                        + " 0) FROM (SELECT id FROM deliveries WHERE state <> 'waiting' ORDER BY id"
                        + " DESC LIMIT 1 OFFSET ?) AS o)",
                keep * 4);
        return gone;
    }

    @Override
    public boolean addDelivery(Rows.Delivery d) {
        return run(
                        """
                        INSERT INTO deliveries (sink, notice, alert, state, created_at, attempts,
                            due_at, ended_at, said, content)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sink, notice) DO NOTHING
                        """,
                        d.sink(),
                        d.notice(),
                        d.alert(),
                        d.state(),
                        millis(d.createdAt()),
                        d.attempts(),
                        millis(d.dueAt()),
                        millisOrNull(d.endedAt()),
                        d.said(),
                        text(d.content()))
                > 0;
    }

    @Override
    public void saveDelivery(Rows.Delivery d) {
        run(
                """
                UPDATE deliveries SET state = ?, attempts = ?, due_at = ?, ended_at = ?, said = ?
                WHERE id = ?
                """,
                d.state(),
                d.attempts(),
                millis(d.dueAt()),
                millisOrNull(d.endedAt()),
                d.said(),
                d.id());
    }

    @Override
    public List<Rows.Delivery> waitingDeliveries(String sink, int limit) {
        return list(
                Mapping::delivery,
                "SELECT * FROM deliveries WHERE sink = ? AND state = 'waiting' ORDER BY id LIMIT ?",
                sink,
                limit);
    }

    @Override
    public List<Rows.Delivery> deliveriesOf(long alert) {
        return list(
                Mapping::delivery, "SELECT * FROM deliveries WHERE alert = ? ORDER BY id", alert);
    }

    @Override
    public Map<String, Long> waitingDeliveries() {
        var counts = new TreeMap<String, Long>();
        list(
                        (rs, context) -> Map.entry(rs.getString(1), rs.getLong(2)),
                        "SELECT sink, count(*) FROM deliveries WHERE state = 'waiting' GROUP BY"
                                + " sink")
                .forEach(e -> counts.put(e.getKey(), e.getValue()));
        return counts;
    }

    @Override
    public List<Rows.TaskCount> taskCounts() {
        return list(
                (rs, context) ->
                        new Rows.TaskCount(rs.getString(1), rs.getString(2), rs.getLong(3)),
                "SELECT type, state, count(*) FROM tasks GROUP BY type, state ORDER BY type,"
                        + " state");
    }

    @Override
    public int dropDeliveries(String sink, String said, Instant now) {
        return run(
                """
                UPDATE deliveries SET state = 'dropped', ended_at = ?, said = ?
                WHERE sink = ? AND state = 'waiting'
                """,
                millis(now),
                said,
                sink);
    }
}
