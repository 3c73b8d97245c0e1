package dev.berth.director;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Keeps the outputs of the newest tasks and removes older ones, so that logs never fill a disk. */
final class History {
    private static final System.Logger LOG = System.getLogger(History.class.getName());

    /** Looking through the folder is worth it only now and then. */
    private static final int EVERY = 50;

    private History() {}

    static void prune(Path folder, long newest, int keep) {
        if (newest % EVERY != 0) {
            return;
        }
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(folder)) {
            for (Path task : tasks) {
                String name = task.getFileName().toString();
                if (name.matches("\\d{1,18}") && Long.parseLong(name) <= newest - keep) {
                    Folders.delete(task);
                }
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot prune the outputs of old tasks", e);
        }
    }
}
