package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Backups of whole deployments. */
final class BackupCommands {
    private static final long MIB = 1 << 20;

    private BackupCommands() {}

    @Command(
            name = "backup",
            description = "Backs a deployment up, with the data of its disks, sealed.")
    static final class Backup extends DirectorCommand {
        @Option(
                names = "--to",
                paramLabel = "FOLDER|s3://BUCKET/PREFIX",
                description = "Instead of the director's own folder; a path is on its host.")
        String to = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            screen.note("Using deployment '" + name + "'");
            main.confirm();
            follow(
                    api,
                    screen,
                    api.post(
                            "/deployments/" + name + "/backups",
                            "application/json",
                            Json.write(Json.of("to", to))));
        }
    }

    @Command(
            name = "backups",
            description = "Backups, and when each was last proven; verify: proves them now.")
    static final class Backups extends DirectorCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "verify",
                description = "Restore into a scratch deployment and compare every file.")
        @Nullable String verb;

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "BACKUP",
                description = "Only this one; else the newest of each deployment.")
        @Nullable String backup;

        @Override
        void run(Main main, Api api, Screen screen) {
            String named = main.deploymentOrNull();
            List<Fields> all =
                    api.list("/backups" + (named == null ? "" : "?deployment=" + named)).stream()
                            .map(b -> Fields.of(b, "backup"))
                            .toList();
            if (verb == null) {
                show(screen, all);
            } else if (!verb.equals("verify")) {
                throw new CliException("'" + verb + "' is not verify; see: berth help backups");
            } else {
                verify(main, api, screen, all);
            }
        }

        private static void show(Screen screen, List<Fields> all) {
            screen.table(
                    "backups",
                    List.of("Backup", "Deployment", "Created At", "Size", "Proven At", "Place"),
                    all.stream()
                            .map(b ->
                                    row(
                                            b.string("id"),
                                            b.string("deployment"),
                                            b.string("created_at"),
                                            (b.integer("bytes") + MIB - 1) / MIB + " MiB",
                                            b.has("verify_error")
                                                    ? "FAILED: " + b.string("verify_error")
                                                    : b.string("verified_at", "never"),
                                            b.string("location")))
                            .toList());
        }

        private void verify(Main main, Api api, Screen screen, List<Fields> all) {
            List<String> chosen =
                    backup != null
                            ? List.of(backup)
                            : all.stream()
                                    .map(b -> b.string("deployment"))
                                    .distinct()
                                    .map(d ->
                                            all.stream()
                                                    .filter(b -> b.string("deployment").equals(d))
                                                    .findFirst()
                                                    .orElseThrow()
                                                    .string("id"))
                                    .toList();
            if (chosen.isEmpty()) {
                throw new CliException("there is no backup to verify; make one with: berth backup");
            }
            main.confirm();
            for (String one : chosen) {
                follow(
                        api,
                        screen,
                        api.post(
                                "/backup_trials",
                                "application/json",
                                Json.write(Json.of("backup", one))));
            }
        }
    }

    @Command(name = "delete-backup", description = "Deletes a backup, for good.")
    static final class Delete extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "BACKUP", description = "As berth backups shows it.")
        String backup = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            if (!backup.matches("[A-Za-z0-9][A-Za-z0-9_.+-]*")) {
                throw new CliException("'" + backup + "' is no id of a backup; see: berth backups");
            }
            main.confirm();
            follow(api, screen, api.delete("/backups/" + backup));
        }
    }

    @Command(
            name = "restore",
            description = "Restores a backup onto new disks; the present ones are kept as orphans.")
    static final class Restore extends DirectorCommand {
        @Parameters(
                index = "0",
                paramLabel = "BACKUP",
                description = "As berth backups shows it, or its file or s3 URL.")
        String backup = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            String named = main.deploymentOrNull();
            main.confirm();
            follow(
                    api,
                    screen,
                    api.post(
                            "/restores",
                            "application/json",
                            Json.write(
                                    Json.of(
                                            "backup",
                                            backup,
                                            "deployment",
                                            named == null ? "" : named))));
        }
    }
}
