package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Commands that change something: what will change is shown, confirmed, and followed to its end.
 */
final class ChangeCommands {
    private ChangeCommands() {}

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
            String text = String.valueOf(line.get(0));
            screen.line(
                    "added".equals(status)
                            ? screen.green("+ " + text)
                            : "removed".equals(status) ? screen.red("- " + text) : "  " + text);
        }
        return changed;
    }

    @Command(
            name = "deploy",
            description = "Makes a manifest so: shows what changes, asks, and follows the work.")
    static final class Deploy extends DirectorCommand {
        @Parameters(
                index = "0",
                paramLabel = "MANIFEST",
                description = "File, or - for standard input.")
        Path manifest = Path.of("");

        @Option(names = "--recreate", description = "Recreate all VMs.")
        boolean recreate;

        @Option(
                names = "--recreate-persistent-disks",
                description = "Recreate all VMs, and copy every disk onto a new one.")
        boolean recreateDisks;

        @Option(names = "--fix", description = "Replace VMs whose agents are silent.")
        boolean fix;

        @Option(
                names = "--allow-shrink",
                description = "Let persistent disks become smaller, by copy, if their data fits.")
        boolean allowShrink;

        @Option(
                names = "--refresh-images",
                description = "Look again which image each tag stands for now.")
        boolean refreshImages;

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

        @Mixin LocalVariables variables = new LocalVariables();

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            boolean piped = manifest.toString().equals("-");
            String text =
                    variables.applied(
                            built(
                                    composed(
                                            piped ? everything(main.in()) : read(manifest),
                                            folder(),
                                            main),
                                    folder(),
                                    api,
                                    screen),
                            main.env(),
                            main,
                            api);
            screen.note("Using deployment '" + name + "'");
            Fields diff =
                    Fields.of(
                            api.post(
                                            "/deployments/" + name + "/diff?redact=" + !noRedact,
                                            "text/yaml",
                                            text)
                                    .json(),
                            "diff");
            boolean changed = showDiff(screen, diff.list("diff"));
            if (diff.has("error")) {
                screen.line("(no diff: " + diff.string("error") + ")");
            } else if (!changed) {
                screen.note("(the manifest is as it was)");
            }
            showPlan(api, screen, text, diff);
            if (!dryRun) {
                main.confirm();
                new TaskFollower(api, screen)
                        .succeed(
                                Api.taskOf(
                                        api.post(
                                                "/deployments?" + query(diff, false),
                                                "text/yaml",
                                                text)));
            }
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
            put(query, "recreate", recreate || recreateDisks ? "true" : null);
            put(query, "recreate_persistent_disks", recreateDisks ? "true" : null);
            put(query, "fix", fix ? "true" : null);
            put(query, "allow_shrink", allowShrink ? "true" : null);
            put(query, "refresh_images", refreshImages ? "true" : null);
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

        /** Files are beside the manifest, or in the present folder for a piped one. */
        private Path folder() {
            Path here = Path.of("").toAbsolutePath();
            return manifest.toString().equals("-")
                    ? here
                    : java.util.Objects.requireNonNullElse(
                            manifest.toAbsolutePath().getParent(), here);
        }

        private static String composed(String text, Path folder, Main main) {
            return new ComposeGroups(folder, main.env(), main.screen()::error).applied(text);
        }

        private static String built(String text, Path folder, Api api, Screen screen) {
            return new BuildContexts(folder, BuildContexts.at(api, screen)).applied(text);
        }

        private static String everything(InputStream in) {
            try {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new CliException("cannot read standard input: " + e.getMessage(), e);
            }
        }
    }

    @Command(
            name = "delete-deployment",
            aliases = "deld",
            description = "Deletes a deployment; its disks are kept as orphans.")
    static final class DeleteDeployment extends DirectorCommand {
        @Option(names = "--force", description = "Go on past errors.")
        boolean force;

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            screen.note("Using deployment '" + name + "'");
            main.confirm();
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
        }
    }

    @Command(
            name = "update-cloud-config",
            aliases = "ucc",
            description = "Sets the cloud config; deployments follow at their next deploy.")
    static final class UpdateCloudConfig extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "FILE", description = "The new cloud config.")
        Path file = Path.of("");

        @Mixin LocalVariables variables = new LocalVariables();

        @Override
        void run(Main main, Api api, Screen screen) {
            String text = variables.applied(read(file), main.env());
            showDiff(
                    screen,
                    Fields.of(
                                    api.post("/cloud_configs/diff?name=", "text/yaml", text).json(),
                                    "diff")
                            .list("diff"));
            main.confirm();
            api.post("/cloud_configs?name=", "text/yaml", text);
        }
    }

    @Command(
            name = "upload-stemcell",
            aliases = "us",
            description = "Uploads a stemcell tarball, or has the director fetch a URL.")
    static final class UploadStemcell extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "FILE|URL", description = "The tarball.")
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
        }
    }

    @Command(name = "delete-stemcell", description = "Deletes an unused stemcell.")
    static final class DeleteStemcell extends DirectorCommand {
        @Parameters(
                index = "0",
                paramLabel = "NAME/VERSION",
                description = "As berth stemcells shows it.")
        String stemcell = "";

        @Option(names = "--force", description = "Go on past errors of the CPI.")
        boolean force;

        @Override
        void run(Main main, Api api, Screen screen) {
            if (!stemcell.matches("[^/]+/[^/]+")) {
                throw new CliException(
                        "'" + stemcell + "' is not NAME/VERSION; see: berth stemcells");
            }
            main.confirm();
            follow(
                    api,
                    screen,
                    api.delete("/stemcells/" + stemcell + "?" + (force ? "force=true" : "")));
        }
    }

    @Command(name = "delete-disk", description = "Deletes an orphaned disk and its data for good.")
    static final class DeleteDisk extends DirectorCommand {
        @Parameters(
                index = "0",
                paramLabel = "CID",
                description = "As berth disks --orphaned shows it.")
        String cid = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            main.confirm();
            follow(api, screen, api.delete("/disks/" + encoded(cid)));
        }
    }

    @Command(name = "update-resurrection", description = "Switches the resurrector on or off.")
    static final class UpdateResurrection extends DirectorCommand {
        @Parameters(
                index = "0",
                paramLabel = "on|off",
                description = "Whether lost VMs are replaced unasked.")
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
