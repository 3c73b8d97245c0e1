package dev.berth.store;

import static dev.berth.store.Mapping.millis;
import static dev.berth.store.Mapping.millisOrNull;
import static dev.berth.store.Mapping.text;
import static dev.berth.store.Mapping.textOrNull;

import dev.berth.model.DiskCid;
import dev.berth.model.SnapshotCid;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** Copies of data: snapshots of disks and backups of deployments. */
abstract class SqlCopies extends SqlHistory {
    SqlCopies(Handle handle) {
        super(handle);
    }

    @Override
    public List<Rows.Snapshot> snapshots(@Nullable DiskCid disk) {
        var where = new Where().andIf("disk = ?", textOrNull(disk));
        return list(
                Mapping::snapshot,
                "SELECT * FROM snapshots" + where.text() + " ORDER BY created_at, cid",
                where.with());
    }

    @Override
    public List<Rows.Snapshot> snapshotsOf(String deployment) {
        return list(
                Mapping::snapshot,
                "SELECT s.* FROM snapshots s JOIN disks d ON d.cid = s.disk"
                        + " JOIN instances i ON i.id = d.instance WHERE i.deployment = ?"
                        + " ORDER BY s.created_at, s.cid",
                deployment);
    }

    @Override
    public void saveSnapshot(Rows.Snapshot snapshot) {
        run(
                """
                INSERT INTO snapshots (cid, disk, instance_name, instance_index, created_at, clean,
                    consistency, origin)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (cid) DO UPDATE SET clean = excluded.clean,
                    consistency = excluded.consistency, origin = excluded.origin
                """,
                snapshot.cid().value(),
                snapshot.disk().value(),
                snapshot.instanceName(),
                snapshot.index(),
                millis(snapshot.createdAt()),
                snapshot.clean(),
                snapshot.consistency(),
                snapshot.origin());
    }

    @Override
    public void deleteSnapshot(SnapshotCid cid) {
        run("DELETE FROM snapshots WHERE cid = ?", cid.value());
    }

    @Override
    public List<Rows.Backup> backups(@Nullable String deployment) {
        var where = new Where().andIf("deployment = ?", deployment);
        return list(
                Mapping::backup,
                "SELECT * FROM backups" + where.text() + " ORDER BY created_at DESC, id",
                where.with());
    }

    @Override
    public Optional<Rows.Backup> backup(String id) {
        return one(Mapping::backup, "SELECT * FROM backups WHERE id = ?", id);
    }

    @Override
    public void saveBackup(Rows.Backup backup) {
        run(
                """
                INSERT INTO backups (id, deployment, location, created_at, bytes, content,
                    verified_at, verify_error)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET verified_at = excluded.verified_at,
                    verify_error = excluded.verify_error
                """,
                backup.id(),
                backup.deployment(),
                backup.location(),
                millis(backup.createdAt()),
                backup.bytes(),
                text(backup.content()),
                millisOrNull(backup.verifiedAt()),
                backup.verifyError());
    }

    @Override
    public void deleteBackup(String id) {
        run("DELETE FROM backups WHERE id = ?", id);
    }
}
