-- Spare VMs of pools; state is making, booting, ready, taken or leaving.
CREATE TABLE spares (
    agent TEXT COLLATE "C" PRIMARY KEY,
    cid TEXT COLLATE "C",
    pool TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    shape TEXT COLLATE "C" NOT NULL,
    images TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

-- An address is an instance's or a spare VM's: one table, so that nobody is given one twice.
ALTER TABLE ips ALTER COLUMN instance DROP NOT NULL;
ALTER TABLE ips ADD COLUMN spare TEXT COLLATE "C" REFERENCES spares (agent) ON DELETE CASCADE;
ALTER TABLE ips ADD CHECK ((instance IS NULL) <> (spare IS NULL));
CREATE INDEX ips_by_spare ON ips (spare);
