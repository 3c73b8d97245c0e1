package dev.berth.cli;

import dev.berth.model.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What the director has. */
final class ListCommands {
    private ListCommands() {}

    @Command(name = "env", aliases = "environment", description = "The director.")
    static final class Environment extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            Fields info = Fields.of(api.object("/info"), "info");
            String features =
                    info.object("features").tree().entrySet().stream()
                            .map(e ->
                                    e.getKey()
                                            + ": "
                                            + (Fields.of(e.getValue(), "feature")
                                                            .flag("status", false)
                                                    ? "enabled"
                                                    : "disabled"))
                            .sorted()
                            .collect(Collectors.joining("\n"));
            screen.table(
                    "environments",
                    List.of(
                            "Name",
                            "UUID",
                            "Version",
                            "Director Stemcell",
                            "CPI",
                            "Features",
                            "User"),
                    List.of(
                            row(
                                    info.string("name"),
                                    info.string("uuid"),
                                    info.string("version"),
                                    info.string("stemcell_os", "-")
                                            + "/"
                                            + info.string("stemcell_version", "-"),
                                    info.string("cpi", ""),
                                    features,
                                    info.string("user", "(not logged in)"))));
        }
    }

    @Command(name = "deployments", aliases = "ds", description = "All deployments.")
    static final class Deployments extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            screen.table(
                    "deployments",
                    List.of("Name", "Release(s)", "Stemcell(s)", "Team(s)"),
                    api.list("/deployments?exclude_configs=true").stream()
                            .map(d -> Fields.of(d, "deployment"))
                            .map(d ->
                                    row(
                                            d.string("name"),
                                            versions(d.objects("releases")),
                                            versions(d.objects("stemcells")),
                                            String.join("\n", d.strings("teams"))))
                            .toList());
        }

        private static String versions(List<Fields> items) {
            return items.stream()
                    .map(i -> i.string("name") + "/" + i.string("version"))
                    .collect(Collectors.joining("\n"));
        }
    }

    @Command(name = "manifest", aliases = "man", description = "The manifest deployed last.")
    static final class Manifest extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            String text =
                    Fields.of(api.object("/deployments/" + main.requiredDeployment()), "deployment")
                            .optionalString("manifest");
            screen.line(text == null ? "" : text.stripTrailing());
        }
    }

    @Command(name = "stemcells", description = "Uploaded stemcells.")
    static final class Stemcells extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            screen.table(
                    "stemcells",
                    List.of("Name", "Version", "OS", "CPI", "CID"),
                    api.list("/stemcells").stream()
                            .map(s -> Fields.of(s, "stemcell"))
                            .map(s ->
                                    row(
                                            s.string("name"),
                                            s.string("version")
                                                    + (s.list("deployments").isEmpty() ? "" : "*"),
                                            s.string("operating_system", ""),
                                            s.string("cpi", ""),
                                            s.string("cid", "")))
                            .toList(),
                    List.of("(*) Currently deployed"));
        }
    }

    @Command(
            name = "disks",
            description = "Persistent disks in use; with --orphaned those that are kept.")
    static final class Disks extends DirectorCommand {
        @Option(
                names = {"-o", "--orphaned"},
                description = "Only disks that no instance holds.")
        boolean orphaned;

        @Override
        void run(Main main, Api api, Screen screen) {
            var rows = new ArrayList<List<@Nullable String>>();
            if (!orphaned) {
                InstanceCommands.each(
                        main, api, deployment -> rows.addAll(used(deployment, api, screen)));
            }
            for (Object tree : api.list("/disks")) {
                Fields disk = Fields.of(tree, "disk");
                rows.add(
                        row(
                                disk.string("disk_cid"),
                                VitalsColumns.mebibytes(disk.integer("size", 0)),
                                disk.string("deployment_name", ""),
                                disk.string("instance_name", ""),
                                disk.optionalString("az"),
                                disk.string("orphaned_at", ""),
                                disk.string("name", "")));
            }
            screen.table(
                    "disks",
                    List.of(
                            "Disk CID",
                            "Size",
                            "Deployment",
                            "Instance",
                            "AZ",
                            "Orphaned At",
                            "Name"),
                    rows);
        }

        private static List<List<@Nullable String>> used(
                String deployment, Api api, Screen screen) {
            var rows = new ArrayList<List<@Nullable String>>();
            String path = "/deployments/" + deployment + "/instances?format=full";
            for (Fields line : InstanceCommands.lines(api, screen, path)) {
                for (String cid : line.strings("disk_cids")) {
                    rows.add(
                            row(
                                    cid,
                                    size(line, cid),
                                    deployment,
                                    InstanceCommands.instance(line),
                                    line.optionalString("az"),
                                    "",
                                    line.object("disk_names").string(cid, "")));
                }
            }
            return rows;
        }

        private static @Nullable String size(Fields line, String cid) {
            Long size = line.object("disk_sizes").optionalInteger(cid);
            return size == null ? null : VitalsColumns.mebibytes(size);
        }
    }

    @Command(name = "locks", description = "Held locks.")
    static final class Locks extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            screen.table(
                    "locks",
                    List.of("Type", "Resource", "Task ID", "Expires at"),
                    api.list("/locks").stream()
                            .map(l -> Fields.of(l, "lock"))
                            .map(l ->
                                    row(
                                            l.string("type"),
                                            String.join(":", l.strings("resource")),
                                            l.string("task_id", ""),
                                            TaskCommands.time(
                                                    (long)
                                                            Double.parseDouble(
                                                                    l.string("timeout", "0")))))
                            .toList());
        }
    }

    @Command(name = "cloud-config", aliases = "cc", description = "The current cloud config.")
    static final class CloudConfig extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            List<Object> configs = api.list("/cloud_configs?limit=1&name=");
            if (configs.isEmpty()) {
                throw new CliException(
                        "no cloud config yet; set one with: berth update-cloud-config FILE");
            }
            screen.line(
                    Fields.of(configs.getFirst(), "config").string("properties").stripTrailing());
        }
    }

    @Command(name = "events", description = "What was done, newest first.")
    static final class Events extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            String named = main.deploymentOrNull();
            screen.table(
                    "events",
                    List.of(
                            "ID",
                            "Time",
                            "User",
                            "Action",
                            "Object Type",
                            "Object Name",
                            "Task ID",
                            "Deployment",
                            "Instance",
                            "Error"),
                    api.list("/events" + (named == null ? "" : "?deployment=" + named)).stream()
                            .map(e -> Fields.of(e, "event"))
                            .map(e ->
                                    row(
                                            e.string("id"),
                                            TaskCommands.time(e.optionalInteger("timestamp")),
                                            e.string("user", ""),
                                            e.string("action", ""),
                                            e.string("object_type", ""),
                                            e.string("object_name", ""),
                                            e.string("task", ""),
                                            e.string("deployment", ""),
                                            e.string("instance", ""),
                                            e.string("error", "")))
                            .toList());
        }
    }
}
