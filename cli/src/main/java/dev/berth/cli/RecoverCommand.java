package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** Starts the director with a store that it rebuilds from what runs. */
@Command(
        name = "recover",
        description =
                "Rebuilds the director's lost database from the cloud and the agents; no container stops.")
final class RecoverCommand extends EnvironmentCommands.Local {
    /** Agents that do not answer are waited for. */
    private static final Duration LIMIT = Duration.ofMinutes(5);

    @Override
    public Integer call() {
        Home home = main().home();
        Screen screen = main().screen();
        EnvironmentFile file = home.environment();
        Path folder = home.path().resolve("director");
        Path store = folder.resolve("berth.db");
        if (Files.exists(store)) {
            throw new CliException(
                    "the database "
                            + store
                            + " is there; if it is damaged, stop the director, move it away and run"
                            + " this again: "
                            + home.command()
                            + " down; mv "
                            + store
                            + "* /somewhere");
        }
        var director = new DirectorProcess(home, screen);
        director.stopIfAlive();
        setAside(folder);
        director.start(file, Map.of("BERTH_RECOVER", "yes"), LIMIT);
        show(screen, report(folder.resolve("recovered.json")));
        return 0;
    }

    /** What belongs to the store that is gone: the new one counts its tasks from the beginning. */
    private static void setAside(Path folder) {
        Path aside = folder.resolve("lost-" + Instant.now().toEpochMilli());
        for (String name : List.of("berth.db-wal", "berth.db-shm", "tasks", "recovered.json")) {
            Path old = folder.resolve(name);
            try {
                if (Files.exists(old)) {
                    Files.createDirectories(aside);
                    Files.move(old, aside.resolve(name));
                }
            } catch (IOException e) {
                throw new CliException("cannot set " + old + " aside: " + e.getMessage(), e);
            }
        }
    }

    private static Fields report(Path file) {
        try {
            return Fields.of(Json.parse(Files.readString(file)), file.toString());
        } catch (IOException | IllegalArgumentException e) {
            throw new CliException("there is no report at " + file + ": " + e.getMessage(), e);
        }
    }

    private static void show(Screen screen, Fields report) {
        var rows = new ArrayList<List<@Nullable String>>();
        for (Fields note : report.objects("notes")) {
            rows.add(
                    DirectorCommand.row(
                            note.string("kind"), note.string("subject"), note.string("text")));
        }
        screen.table("notes", List.of("Kind", "Subject", "What"), rows);
        screen.line(
                "recovered "
                        + report.integer("deployments")
                        + " deployments, "
                        + report.integer("instances")
                        + " instances, "
                        + report.integer("vms")
                        + " VMs, "
                        + report.integer("disks")
                        + " disks; "
                        + report.integer("orphaned_disks")
                        + " disks without an instance are orphans now");
    }
}
