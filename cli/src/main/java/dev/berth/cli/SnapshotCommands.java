package dev.berth.cli;

import dev.berth.model.Fields;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Snapshots of persistent disks. */
final class SnapshotCommands {
    private SnapshotCommands() {}

    private static String path(Main main, @Nullable String instance) {
        String path = "/deployments/" + main.requiredDeployment();
        return instance == null ? path + "/snapshots" : path + "/jobs/" + instance + "/snapshots";
    }

    private static void requireInstance(@Nullable String instance) {
        if (instance != null && !instance.matches("[^/]+/[^/]+")) {
            throw new CliException("'" + instance + "' is not GROUP/ID; see: berth instances");
        }
    }

    @Command(name = "snapshots", description = "Snapshots of a deployment's disks.")
    static final class Snapshots extends DirectorCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "INSTANCE",
                description = "Only of this one.")
        @Nullable String instance;

        @Override
        void run(Main main, Api api, Screen screen) {
            requireInstance(instance);
            screen.table(
                    "snapshots",
                    List.of("Instance", "CID", "Created At", "Clean", "Consistency", "Taken By"),
                    api.list(path(main, instance)).stream()
                            .map(s -> Fields.of(s, "snapshot"))
                            .map(s ->
                                    row(
                                            s.string("job") + "/" + s.string("uuid"),
                                            s.string("snapshot_cid"),
                                            s.string("created_at"),
                                            String.valueOf(s.flag("clean", false)),
                                            s.string("consistency", ""),
                                            s.string("origin", "")))
                            .toList());
        }
    }

    @Command(name = "take-snapshot", description = "Takes snapshots of disks, of one or all.")
    static final class Take extends DirectorCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "INSTANCE",
                description = "Only of this one.")
        @Nullable String instance;

        @Override
        void run(Main main, Api api, Screen screen) {
            requireInstance(instance);
            String path = path(main, instance);
            main.confirm();
            Api.Answer answer = api.raw("POST", path, null, null, Map.of());
            if (answer.location() == null) {
                throw api.refusal(answer);
            }
            follow(api, screen, answer);
        }
    }

    @Command(name = "delete-snapshot", description = "Deletes a snapshot for good.")
    static final class Delete extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "CID", description = "As berth snapshots shows it.")
        String cid = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            String path = path(main, null) + "/" + ChangeCommands.encoded(cid);
            main.confirm();
            follow(api, screen, api.delete(path));
        }
    }

    @Command(
            name = "delete-snapshots",
            description = "Deletes all snapshots of a deployment's disks.")
    static final class DeleteAll extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            String path = path(main, null);
            main.confirm();
            follow(api, screen, api.delete(path));
        }
    }
}
