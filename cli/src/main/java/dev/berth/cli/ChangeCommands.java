package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * Commands that change something: what will change is shown, confirmed, and followed to its end.
 */
final class ChangeCommands {
    private ChangeCommands() {}

    /** A command under {@code berth} that begins a task or changes a setting. */
    abstract static class Change implements Callable<Integer> {
        @ParentCommand @Nullable Main main;

        @Override
        public Integer call() {
            Screen screen = main().screen();
            run(main(), main().api(), screen);
            screen.finish();
            return 0;
        }

        Main main() {
            return java.util.Objects.requireNonNull(main);
        }

        abstract void run(Main main, Api api, Screen screen);

        static void follow(Api api, Screen screen, Api.Answer accepted) {
            new TaskFollower(api, screen).succeed(Api.taskOf(accepted));
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new CliException(
                    "cannot read "
                            + file
                            + (Files.exists(file)
                                    ? ": " + e.getMessage()
                                    : ": there is no such file"),
                    e);
        }
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Prints a diff answer; true when anything differs. */
    static boolean showDiff(Screen screen, List<Object> diff) {
        boolean changed = false;
        for (Object item : diff) {
            List<Object> line = Json.asList(item);
            Object status = line.get(1);
            changed |= status != null;
            screen.line(
                    ("added".equals(status) ? "+ " : "removed".equals(status) ? "- " : "  ")
                            + line.get(0));
        }
        return changed;
    }

    @Command(
            name = "deploy",
            description = "Makes a manifest so: shows what changes, asks, and follows the work.")
    static final class Deploy extends Change {
        @Parameters(
                index = "0",
                paramLabel = "MANIFEST",
                description = "File, or - for standard input.")
        Path manifest = Path.of("");

        @Option(names = "--recreate", description = "Recreate all VMs.")
        boolean recreate;

        @Option(names = "--fix", description = "Replace VMs whose agents are silent.")
        boolean fix;

        @Option(names = "--dry-run", description = "Only say what would be done.")
        boolean dryRun;

        @Option(
                names = "--canaries",
                paramLabel = "N|N%",
                description = "Instead of the manifest's.")
        @Nullable String canaries;

        @Option(
                names = "--max-in-flight",
                paramLabel = "N|N%",
                description = "Instead of the manifest's.")
        @Nullable String maxInFlight;

        @Option(names = "--no-redact", description = "Show values of properties in the diff.")
        boolean noRedact;

        @Override
        void run(Main main, Api api, Screen screen) {
            String text = manifest.toString().equals("-") ? standardInput() : read(manifest);
            String name = main.requiredDeployment();
            screen.line(
                    "Using environment '"
                            + api.target().url()
                            + "' as client '"
                            + api.target().user()
                            + "'");
            screen.line("Using deployment '" + name + "'");
            Fields diff =
                    Fields.of(
                            api.post(
                                            "/deployments/" + name + "/diff?redact=" + !noRedact,
                                            "text/yaml",
                                            text)
                                    .json(),
                            "diff");
            showDiff(screen, diff.list("diff"));
            if (diff.has("error")) {
                screen.line("(no diff: " + diff.string("error") + ")");
            }
            showPlan(api, screen, text, diff);
            if (!dryRun) {
                main.confirmed();
                new TaskFollower(api, screen)
                        .succeed(
                                Api.taskOf(
                                        api.post(
                                                "/deployments?" + query(diff, false),
                                                "text/yaml",
                                                text)));
            }
            screen.line("Succeeded");
        }

        /**
         * What the director would do and why, step by step; everything that is wrong with the
         * manifest shows here.
         */
        private void showPlan(Api api, Screen screen, String text, Fields diff) {
            long task =
                    Api.taskOf(api.post("/deployments?" + query(diff, true), "text/yaml", text));
            screen.line("");
            screen.line("Plan:");
            new TaskFollower(api, screen)
                    .resultOf(task)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .forEach(line ->
                            screen.line(
                                    "  "
                                            + Fields.of(Json.parse(line), "plan")
                                                    .string("plan", line)));
            screen.line("");
        }

        private String query(Fields diff, boolean dry) {
            var query = new LinkedHashMap<String, String>();
            put(query, "recreate", recreate ? "true" : null);
            put(query, "fix", fix ? "true" : null);
            put(query, "dry_run", dry ? "true" : null);
            put(query, "canaries", canaries);
            put(query, "max_in_flight", maxInFlight);
            put(
                    query,
                    "context",
                    diff.has("context") ? Json.write(diff.object("context").tree()) : null);
            return query.entrySet().stream()
                    .map(e -> e.getKey() + "=" + encoded(e.getValue()))
                    .collect(Collectors.joining("&"));
        }

        private static void put(Map<String, String> query, String key, @Nullable String value) {
            if (value != null) {
                query.put(key, value);
            }
        }

        private static String standardInput() {
            try {
                return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new CliException("cannot read standard input: " + e.getMessage(), e);
            }
        }
    }

    @Command(
            name = "delete-deployment",
            aliases = "deld",
            description = "Deletes a deployment; its disks are kept as orphans.")
    static final class DeleteDeployment extends Change {
        @Option(names = "--force", description = "Go on past errors.")
        boolean force;

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            screen.line("Using deployment '" + name + "'");
            main.confirmed();
            Api.Answer answer =
                    api.raw(
                            "DELETE",
                            "/deployments/" + name + "?" + (force ? "force=true" : ""),
                            null,
                            null,
                            Map.of());
            if (answer.status() == 404) {
                screen.line("Deployment '" + name + "' does not exist: nothing to delete");
                return;
            }
            if (answer.location() == null) {
                throw new CliException("the director refused: " + answer.body().strip());
            }
            follow(api, screen, answer);
            screen.line("Succeeded");
        }
    }

    /** start, stop, restart and recreate of a deployment, a group or one instance. */
    abstract static class StateChange extends Change {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "GROUP[/INSTANCE]",
                description = "Default: the whole deployment.")
        @Nullable String which;

        abstract String state();

        String more() {
            return "";
        }

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            screen.line("Using deployment '" + name + "'");
            main.confirmed();
            follow(
                    api,
                    screen,
                    api.put(
                            "/deployments/"
                                    + name
                                    + "/jobs/"
                                    + (which == null ? "*" : which)
                                    + "?state="
                                    + state()
                                    + more(),
                            "text/yaml",
                            ""));
            screen.line("Succeeded");
        }
    }

    @Command(name = "start", description = "Starts what was stopped.")
    static final class Start extends StateChange {
        @Override
        String state() {
            return "started";
        }
    }

    @Command(
            name = "stop",
            description = "Stops containers; with --hard the VMs go too, disks stay.")
    static final class Stop extends StateChange {
        @Option(names = "--hard", description = "Delete the VMs, keep the disks.")
        boolean hard;

        @Override
        String state() {
            return hard ? "detached" : "stopped";
        }
    }

    @Command(name = "restart", description = "Stops and starts containers.")
    static final class Restart extends StateChange {
        @Override
        String state() {
            return "restart";
        }
    }

    @Command(name = "recreate", description = "Replaces VMs; disks are kept.")
    static final class Recreate extends StateChange {
        @Option(names = "--fix", description = "Also where the agent is silent.")
        boolean fix;

        @Override
        String state() {
            return "recreate";
        }

        @Override
        String more() {
            return fix ? "&fix=true" : "";
        }
    }

    @Command(
            name = "update-cloud-config",
            aliases = "ucc",
            description = "Sets the cloud config; deployments follow at their next deploy.")
    static final class UpdateCloudConfig extends Change {
        @Parameters(index = "0", paramLabel = "FILE")
        Path file = Path.of("");

        @Override
        void run(Main main, Api api, Screen screen) {
            String text = read(file);
            showDiff(
                    screen,
                    Fields.of(
                                    api.post("/cloud_configs/diff?name=", "text/yaml", text).json(),
                                    "diff")
                            .list("diff"));
            main.confirmed();
            api.post("/cloud_configs?name=", "text/yaml", text);
            screen.line("Succeeded");
        }
    }

    @Command(
            name = "upload-stemcell",
            aliases = "us",
            description = "Uploads a stemcell tarball, or has the director fetch a URL.")
    static final class UploadStemcell extends Change {
        @Parameters(index = "0", paramLabel = "FILE|URL")
        String source = "";

        @Option(
                names = "--sha1",
                paramLabel = "DIGEST",
                description = "Digest of what a URL brings.")
        @Nullable String sha1;

        @Option(names = "--fix", description = "Upload again, replacing what is there.")
        boolean fix;

        @Override
        void run(Main main, Api api, Screen screen) {
            String path = "/stemcells?" + (fix ? "fix=true" : "");
            if (source.matches("https?://.*")) {
                Map<String, Object> body =
                        sha1 == null
                                ? Json.of("location", source)
                                : Json.of("location", source, "sha1", sha1);
                follow(api, screen, api.post(path, "application/json", Json.write(body)));
            } else {
                follow(api, screen, api.upload(path, Path.of(source)));
            }
            screen.line("Succeeded");
        }
    }

    @Command(name = "delete-stemcell", description = "Deletes an unused stemcell.")
    static final class DeleteStemcell extends Change {
        @Parameters(index = "0", paramLabel = "NAME/VERSION")
        String stemcell = "";

        @Option(names = "--force", description = "Go on past errors of the CPI.")
        boolean force;

        @Override
        void run(Main main, Api api, Screen screen) {
            if (!stemcell.matches("[^/]+/[^/]+")) {
                throw new CliException(
                        "'" + stemcell + "' is not NAME/VERSION; see: berth stemcells");
            }
            main.confirmed();
            follow(
                    api,
                    screen,
                    api.delete("/stemcells/" + stemcell + "?" + (force ? "force=true" : "")));
            screen.line("Succeeded");
        }
    }

    @Command(name = "delete-disk", description = "Deletes an orphaned disk and its data for good.")
    static final class DeleteDisk extends Change {
        @Parameters(index = "0", paramLabel = "CID")
        String cid = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            main.confirmed();
            follow(api, screen, api.delete("/disks/" + encoded(cid)));
            screen.line("Succeeded");
        }
    }

    @Command(
            name = "cancel-task",
            aliases = "ct",
            description = "Asks a task to stop at its next safe point.")
    static final class CancelTask extends Change {
        @Parameters(index = "0", paramLabel = "ID")
        long id;

        @Override
        void run(Main main, Api api, Screen screen) {
            api.delete("/task/" + id);
            screen.line("Task " + id + " is asked to stop");
        }
    }

    @Command(name = "update-resurrection", description = "Switches the resurrector on or off.")
    static final class UpdateResurrection extends Change {
        @Parameters(index = "0", paramLabel = "on|off")
        String wish = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            if (!List.of("on", "off").contains(wish)) {
                throw new CliException("say on or off, not '" + wish + "'");
            }
            api.put(
                    "/resurrection",
                    "application/json",
                    Json.write(Json.of("resurrection_paused", wish.equals("off"))));
            screen.line("Resurrection is " + wish);
        }
    }
}
