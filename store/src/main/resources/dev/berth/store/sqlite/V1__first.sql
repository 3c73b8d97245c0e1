-- Times are milliseconds since the epoch, trees are JSON text. Text compares byte by byte.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE configs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted BOOLEAN NOT NULL
);
CREATE INDEX configs_by_name ON configs (type, name, id);

CREATE TABLE stemcells (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    operating_system TEXT NOT NULL,
    version TEXT NOT NULL,
    cid TEXT NOT NULL,
    cpi TEXT NOT NULL,
    api_version INTEGER NOT NULL,
    UNIQUE (name, version, cpi)
);

CREATE TABLE deployments (
    name TEXT PRIMARY KEY,
    manifest TEXT,
    cloud_config_ids TEXT NOT NULL,
    stemcells TEXT NOT NULL,
    releases TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    deployment TEXT NOT NULL REFERENCES deployments (name),
    group_name TEXT NOT NULL,
    group_index INTEGER NOT NULL,
    az TEXT,
    state TEXT NOT NULL,
    bootstrap BOOLEAN NOT NULL,
    ignored BOOLEAN NOT NULL,
    update_completed BOOLEAN NOT NULL,
    spec TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX instances_by_place ON instances (deployment, group_name, group_index);

CREATE TABLE vms (
    agent TEXT PRIMARY KEY,
    cid TEXT NOT NULL,
    instance TEXT NOT NULL REFERENCES instances (id),
    cpi TEXT NOT NULL,
    shape TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    permanent_credentials BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX vms_by_instance ON vms (instance);

CREATE TABLE disks (
    cid TEXT PRIMARY KEY,
    instance TEXT REFERENCES instances (id),
    attached_to TEXT,
    size_mb INTEGER NOT NULL,
    cloud_properties TEXT NOT NULL,
    type TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    orphaned_at INTEGER,
    deployment TEXT NOT NULL,
    instance_name TEXT NOT NULL,
    az TEXT,
    cpi TEXT NOT NULL
);
CREATE INDEX disks_by_instance ON disks (instance);

CREATE TABLE ips (
    address TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    instance TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    is_static BOOLEAN NOT NULL
);
CREATE INDEX ips_by_instance ON ips (instance);

CREATE TABLE variables (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX variables_by_name ON variables (name, id);

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    description TEXT NOT NULL,
    user_name TEXT NOT NULL,
    deployment TEXT,
    context_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    result TEXT
);
CREATE INDEX tasks_by_state ON tasks (state, id);
CREATE INDEX tasks_by_deployment ON tasks (deployment, id);

-- The journal of rule R4. No reference to instances: an intent outlives what it was about.
CREATE TABLE intents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    task INTEGER NOT NULL,
    instance TEXT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT
);
CREATE INDEX intents_by_task ON intents (task, number);
CREATE INDEX intents_open ON intents (number) WHERE ended_at IS NULL;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER,
    happened_at INTEGER NOT NULL,
    user_name TEXT NOT NULL,
    action TEXT NOT NULL,
    object_type TEXT NOT NULL,
    object_name TEXT,
    task INTEGER,
    deployment TEXT,
    instance TEXT,
    error TEXT,
    context TEXT NOT NULL
);
CREATE INDEX events_by_deployment ON events (deployment, id);
