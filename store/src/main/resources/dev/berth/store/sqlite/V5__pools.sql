-- Spare VMs of pools; state is making, booting, ready, taken or leaving.
CREATE TABLE spares (
    agent TEXT PRIMARY KEY,
    cid TEXT,
    pool TEXT NOT NULL,
    state TEXT NOT NULL,
    shape TEXT NOT NULL,
    images TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

-- An address is an instance's or a spare VM's: one table, so that nobody is given one twice.
CREATE TABLE ips_of_all (
    address TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    instance TEXT REFERENCES instances (id) ON DELETE CASCADE,
    is_static BOOLEAN NOT NULL,
    spare TEXT REFERENCES spares (agent) ON DELETE CASCADE,
    CHECK ((instance IS NULL) <> (spare IS NULL))
);
INSERT INTO ips_of_all (address, network, instance, is_static)
    SELECT address, network, instance, is_static FROM ips;
DROP TABLE ips;
ALTER TABLE ips_of_all RENAME TO ips;
CREATE INDEX ips_by_instance ON ips (instance);
CREATE INDEX ips_by_spare ON ips (spare);
