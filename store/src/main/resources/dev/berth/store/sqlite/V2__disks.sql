-- Several disks of an instance, each with a name; the managed one has none.
ALTER TABLE disks ADD COLUMN name TEXT NOT NULL DEFAULT '';
-- How it is formatted and mounted: {file_system, mount_options, raw}, and the size that the
-- manifest asked for when a person gave the disk another one: {manifest_mb}.
ALTER TABLE disks ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
-- Of a disk that is being filled: the live disk that it is to take the place of.
ALTER TABLE disks ADD COLUMN copy_of TEXT;
