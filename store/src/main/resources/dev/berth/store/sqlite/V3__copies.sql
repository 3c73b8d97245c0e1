CREATE TABLE snapshots (
    cid TEXT PRIMARY KEY,
    disk TEXT NOT NULL REFERENCES disks (cid),
    instance_name TEXT NOT NULL,
    instance_index INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    clean BOOLEAN NOT NULL,
    consistency TEXT NOT NULL,
    origin TEXT NOT NULL
);
CREATE INDEX snapshots_by_disk ON snapshots (disk);

CREATE TABLE backups (
    id TEXT PRIMARY KEY,
    deployment TEXT NOT NULL,
    location TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    content TEXT NOT NULL,
    verified_at INTEGER,
    verify_error TEXT
);
CREATE INDEX backups_by_deployment ON backups (deployment);
