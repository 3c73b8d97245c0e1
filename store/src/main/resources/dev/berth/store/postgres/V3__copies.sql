CREATE TABLE snapshots (
    cid TEXT COLLATE "C" PRIMARY KEY,
    disk TEXT COLLATE "C" NOT NULL REFERENCES disks (cid),
    instance_name TEXT COLLATE "C" NOT NULL,
    instance_index BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    clean BOOLEAN NOT NULL,
    consistency TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL
);
CREATE INDEX snapshots_by_disk ON snapshots (disk);

CREATE TABLE backups (
    id TEXT COLLATE "C" PRIMARY KEY,
    deployment TEXT COLLATE "C" NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    verified_at BIGINT,
    verify_error TEXT COLLATE "C"
);
CREATE INDEX backups_by_deployment ON backups (deployment);
