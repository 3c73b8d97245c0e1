package dev.berth.director;

import dev.berth.backup.BackupException;
import dev.berth.backup.BackupFolder;
import dev.berth.backup.BackupKey;
import dev.berth.backup.BackupPlace;
import dev.berth.backup.BackupReader;
import dev.berth.backup.ObjectStore;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where this director's backups are and what opens them. Thread-safe.
 *
 * @param folder where they go when nobody says otherwise; the key lies beside it
 */
record BackupPlaces(Path folder) {
    private static final String ENDING = ".berthbackup";

    /** Made at the first use; without it no backup can be read. */
    BackupKey key() throws IOException {
        return BackupKey.open(folder.resolveSibling("backup.key"));
    }

    /**
     * @param to a folder of the director's host, an {@code s3://} URL, or nothing
     */
    BackupPlace at(String to) throws IOException {
        if (to.isEmpty()) {
            return new BackupFolder(folder);
        }
        if (to.startsWith("s3://")) {
            return ObjectStore.at(to);
        }
        Path path = Path.of(to);
        if (!path.isAbsolute()) {
            throw new BackupException(
                    "'" + to + "' is neither an absolute path on the director's host nor s3://");
        }
        return new BackupFolder(path);
    }

    /** One backup, of the list or by its place. */
    record Found(BackupPlace place, String id, Optional<Rows.Backup> row) {
        BackupReader open(BackupKey key) throws IOException {
            return new BackupReader(place.open(id), key);
        }
    }

    /**
     * @param named an id of the list, or {@code FOLDER/ID.berthbackup}, or the same with s3
     */
    Found find(Store store, String named) throws IOException {
        Optional<Rows.Backup> row = store.read(s -> s.backup(named));
        if (row.isPresent()) {
            Object to = row.get().content().getOrDefault("to", "");
            return new Found(at(String.valueOf(to)), named, row);
        }
        String path =
                named.endsWith(ENDING)
                        ? named.substring(0, named.length() - ENDING.length())
                        : named;
        int slash = path.lastIndexOf('/');
        if (slash < 1) {
            throw new BackupException(
                    "there is no backup '" + named + "'; see: berth backups, or name its file");
        }
        return new Found(at(path.substring(0, slash)), path.substring(slash + 1), Optional.empty());
    }
}
