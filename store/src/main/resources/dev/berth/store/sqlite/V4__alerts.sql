-- Alerts by the number that people know; content is the whole of it, the other columns are for
-- finding it.
CREATE TABLE alerts (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX alerts_by_state ON alerts (state, number);

-- What is to be told of alerts and to whom; state is waiting, delivered or dropped.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sink TEXT NOT NULL,
    notice TEXT NOT NULL,
    alert INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    ended_at INTEGER,
    said TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (sink, notice)
);
CREATE INDEX deliveries_waiting ON deliveries (sink, id) WHERE state = 'waiting';
CREATE INDEX deliveries_by_alert ON deliveries (alert, id);
