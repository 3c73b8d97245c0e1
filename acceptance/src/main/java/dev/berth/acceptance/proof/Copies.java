package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchEnvironment;
import dev.berth.model.Fields;
import java.nio.file.Path;
import java.util.List;

/**
 * Copies of the data, taken while it is written: each has what was acknowledged before it was
 * taken.
 */
final class Copies {
    private Copies() {}

    /** Taken, and tried beside the databases, which go on. */
    static void snapshot(Stage stage) {
        BenchEnvironment environment = stage.environment();
        List<Writer.Mark> marks = stage.writers().stream().map(Writer::mark).toList();
        environment.berth("take-snapshot", "-n", "-d", Stage.NAME);
        stage.writers().forEach(Writer::awaitSome); // which no snapshot has
        List<Fields> taken =
                environment.director().list("/deployments/" + Stage.NAME + "/snapshots");
        for (int i = 0; i < marks.size(); i++) {
            String group = Stage.GROUPS.get(i);
            String cid =
                    taken.stream()
                            .filter(s -> s.string("job").equals(group))
                            .map(s -> s.string("snapshot_cid"))
                            .findFirst()
                            .orElseThrow();
            Path image = environment.home().resolve("cpi/snapshots/" + cid + "/disk.img");
            try (ScratchDatabase scratch = ScratchDatabase.start(stage, group, image)) {
                stage.writers().get(i).compare(marks.get(i), scratch.all());
            }
        }
        environment.berth("delete-snapshots", "-n", "-d", Stage.NAME);
    }

    /** As an operator does it: from a backup, onto new disks. */
    static void restore(Stage stage) {
        BenchEnvironment environment = stage.environment();
        List<String> before = backups(environment);
        List<Writer.Mark> marks = stage.writers().stream().map(Writer::mark).toList();
        environment.berth("backup", "-n", "-d", Stage.NAME);
        stage.writers().forEach(Writer::awaitSome); // which the backup does not have
        String backup =
                backups(environment).stream()
                        .filter(id -> !before.contains(id))
                        .findFirst()
                        .orElseThrow();
        environment.berth("restore", "-n", backup);
        stage.awaitWell();
        stage.writers().forEach(Writer::awaitSome);
        for (int i = 0; i < marks.size(); i++) {
            stage.writers().get(i).takeBack(marks.get(i));
        }
        stage.dropOldDisks();
    }

    private static List<String> backups(BenchEnvironment environment) {
        return environment.director().list("/backups").stream().map(b -> b.string("id")).toList();
    }
}
