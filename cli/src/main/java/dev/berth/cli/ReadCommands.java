package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Commands that look. */
final class ReadCommands {
    private ReadCommands() {}

    /** A command under {@code berth} that prints what it finds. */
    abstract static class Read implements Callable<Integer> {
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
    }

    static List<@Nullable String> row(@Nullable String... cells) {
        return Arrays.asList(cells);
    }

    /** The named deployment, or all of them. */
    private static List<String> chosen(Main main, Api api) {
        String named = main.deploymentOrNull();
        if (named != null) {
            return List.of(named);
        }
        return api
                .list(
                        "/deployments?exclude_configs=true&exclude_releases=true&exclude_stemcells=true")
                .stream()
                .map(d -> Fields.of(d, "deployment").string("name"))
                .toList();
    }

    private static List<Fields> lines(Api api, Screen screen, String path) {
        long task = Api.taskOf(api.get(path));
        return new TaskFollower(api, screen)
                .resultOf(task)
                .lines()
                .filter(l -> !l.isBlank())
                .map(l -> Fields.of(Json.parse(l), "line"))
                .toList();
    }

    static String instance(Fields line) {
        return line.string("job_name", "?") + "/" + line.string("id", "");
    }

    @Command(name = "env", aliases = "environment", description = "The director.")
    static final class Environment extends Read {
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
    static final class Deployments extends Read {
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
    static final class Manifest extends Read {
        @Override
        void run(Main main, Api api, Screen screen) {
            String text =
                    Fields.of(api.object("/deployments/" + main.requiredDeployment()), "deployment")
                            .optionalString("manifest");
            screen.line(text == null ? "" : text.stripTrailing());
        }
    }

    @Command(name = "vms", description = "VMs, of one deployment or all.")
    static final class Vms extends Read {
        @Option(names = "--vitals", description = "Show load, memory and disks.")
        boolean vitals;

        @Override
        void run(Main main, Api api, Screen screen) {
            var header =
                    new ArrayList<>(
                            List.of(
                                    "Instance",
                                    "Process State",
                                    "AZ",
                                    "IPs",
                                    "VM CID",
                                    "VM Type",
                                    "Active",
                                    "Stemcell"));
            header.addAll(vitals ? Vitals.HEADER : List.of());
            for (String deployment : chosen(main, api)) {
                screen.line("Deployment '" + deployment + "'");
                screen.table(
                        "vms",
                        header,
                        lines(api, screen, "/deployments/" + deployment + "/vms?format=full")
                                .stream()
                                .map(this::row)
                                .toList());
            }
        }

        private List<@Nullable String> row(Fields vm) {
            Fields stemcell = vm.object("stemcell");
            var cells =
                    new ArrayList<>(
                            ReadCommands.row(
                                    instance(vm),
                                    vm.optionalString("job_state"),
                                    vm.optionalString("az"),
                                    String.join("\n", vm.strings("ips")),
                                    vm.optionalString("vm_cid"),
                                    vm.optionalString("vm_type"),
                                    String.valueOf(vm.flag("active", false)),
                                    stemcell.string("name", "-")
                                            + "/"
                                            + stemcell.string("version", "-")));
            if (vitals) {
                cells.addAll(Vitals.of(vm.object("vitals")));
            }
            return cells;
        }
    }

    @Command(
            name = "instances",
            aliases = "is",
            description = "Instances, of one deployment or all.")
    static final class Instances extends Read {
        @Option(
                names = {"-p", "--ps"},
                description = "Show each container as a process.")
        boolean ps;

        @Option(
                names = {"-i", "--details"},
                description = "Show VM, disks, agent and wished state.")
        boolean details;

        @Option(names = "--vitals", description = "Show load, memory and disks.")
        boolean vitals;

        @Option(
                names = {"-f", "--failing"},
                description = "Only what is not well.")
        boolean failing;

        @Override
        void run(Main main, Api api, Screen screen) {
            var header = new ArrayList<String>(List.of("Instance"));
            header.addAll(ps ? List.of("Process") : List.of());
            header.addAll(List.of("Process State", "AZ", "IPs", "Deployment"));
            header.addAll(
                    details
                            ? List.of(
                                    "State",
                                    "VM CID",
                                    "VM Type",
                                    "Disk CIDs",
                                    "Agent ID",
                                    "Index",
                                    "Bootstrap",
                                    "Ignore")
                            : List.of());
            header.addAll(vitals ? Vitals.HEADER : List.of());
            for (String deployment : chosen(main, api)) {
                var rows = new ArrayList<List<@Nullable String>>();
                for (Fields line :
                        lines(
                                api,
                                screen,
                                "/deployments/" + deployment + "/instances?format=full")) {
                    if (!failing || !well(line)) {
                        rows(deployment, line, rows);
                    }
                }
                screen.line("Deployment '" + deployment + "'");
                screen.table("instances", header, rows);
            }
        }

        private static boolean well(Fields line) {
            return "running".equals(line.optionalString("job_state"))
                    && line.objects("processes").stream()
                            .allMatch(p -> p.string("state", "").equals("running"));
        }

        private void rows(String deployment, Fields line, List<List<@Nullable String>> rows) {
            var cells = new ArrayList<>(ReadCommands.row(instance(line)));
            cells.addAll(ps ? ReadCommands.row("-") : List.of());
            cells.addAll(
                    ReadCommands.row(
                            line.string("job_state", "-"),
                            line.optionalString("az"),
                            String.join("\n", line.strings("ips")),
                            deployment));
            if (details) {
                cells.addAll(
                        ReadCommands.row(
                                line.optionalString("state"),
                                line.optionalString("vm_cid"),
                                line.optionalString("vm_type"),
                                String.join("\n", line.strings("disk_cids")),
                                line.optionalString("agent_id"),
                                line.string("index", ""),
                                String.valueOf(line.flag("bootstrap", false)),
                                String.valueOf(line.flag("ignore", false))));
            }
            cells.addAll(vitals ? Vitals.of(line.object("vitals")) : List.of());
            rows.add(cells);
            if (ps) {
                line.objects("processes").forEach(process -> rows.add(process(process)));
            }
        }

        private List<@Nullable String> process(Fields process) {
            var cells =
                    new ArrayList<>(
                            ReadCommands.row(
                                    "~",
                                    process.string("name", ""),
                                    process.string("state", ""),
                                    "-",
                                    "-",
                                    "-"));
            cells.addAll(details ? java.util.Collections.nCopies(8, "-") : List.of());
            cells.addAll(vitals ? Vitals.ofProcess(process) : List.of());
            return cells;
        }
    }

    /** The vitals columns. */
    static final class Vitals {
        static final List<String> HEADER =
                List.of(
                        "Uptime",
                        "Load",
                        "CPU User/Sys/Wait",
                        "Memory",
                        "Disk Ephemeral",
                        "Disk Persistent");

        private Vitals() {}

        static List<String> of(Fields vitals) {
            Fields cpu = vitals.object("cpu");
            return List.of(
                    uptime(vitals.object("uptime").optionalInteger("secs")),
                    String.join(", ", vitals.strings("load")),
                    cpu.tree().isEmpty()
                            ? "-"
                            : cpu.string("user", "-")
                                    + "% / "
                                    + cpu.string("sys", "-")
                                    + "% / "
                                    + cpu.string("wait", "-")
                                    + "%",
                    percent(vitals.object("mem")),
                    percent(vitals.object("disk").object("ephemeral")),
                    percent(vitals.object("disk").object("persistent")));
        }

        static List<String> ofProcess(Fields process) {
            Object total = process.object("cpu").tree().get("total");
            Object memory = process.object("mem").tree().get("kb");
            return List.of(
                    uptime(process.object("uptime").optionalInteger("secs")),
                    "-",
                    total == null ? "-" : total + "%",
                    memory instanceof Long kb ? kb / 1024 + " MB" : "-",
                    "-",
                    "-");
        }

        private static String percent(Fields part) {
            return part.has("percent") ? part.string("percent") + "%" : "-";
        }

        private static String uptime(@Nullable Long seconds) {
            if (seconds == null) {
                return "-";
            }
            Duration d = Duration.ofSeconds(seconds);
            return d.toDays()
                    + "d "
                    + d.toHoursPart()
                    + "h "
                    + d.toMinutesPart()
                    + "m "
                    + d.toSecondsPart()
                    + "s";
        }
    }

    @Command(
            name = "containers",
            description = "Every container: where it runs, how it is, and why.")
    static final class Containers extends Read {
        @Override
        void run(Main main, Api api, Screen screen) {
            var rows = new ArrayList<List<@Nullable String>>();
            for (String deployment : chosen(main, api)) {
                api.list("/deployments/" + deployment + "/containers").stream()
                        .map(c -> Fields.of(c, "container"))
                        .map(Containers::cells)
                        .forEach(rows::add);
            }
            screen.table(
                    "containers",
                    List.of(
                            "Instance",
                            "Container",
                            "State",
                            "Health",
                            "Restarts",
                            "Last Exit",
                            "Image",
                            "Digest",
                            "VM CID",
                            "Reason"),
                    rows);
        }

        private static List<@Nullable String> cells(Fields c) {
            String digest = c.string("image_digest", "").replace("sha256:", "");
            Long exit = c.optionalInteger("last_exit_code");
            String ended =
                    exit == null
                            ? ""
                            : exit + (c.flag("last_exit_oom", false) ? " (out of memory)" : "");
            return row(
                    c.string("instance", ""),
                    c.string("name"),
                    c.string("state", ""),
                    c.string("health", ""),
                    c.string("restarts", "0"),
                    ended,
                    c.string("image", ""),
                    digest.substring(0, Math.min(12, digest.length())),
                    c.string("vm_cid", ""),
                    c.string("reason", ""));
        }
    }

    @Command(
            name = "tasks",
            aliases = "ts",
            description = "Running tasks; with --recent the last ones.")
    static final class TasksList extends Read {
        @Option(
                names = {"-r", "--recent"},
                arity = "0..1",
                fallbackValue = "30",
                paramLabel = "N",
                description = "The last N tasks.")
        @Nullable Integer recent;

        @Option(
                names = {"-a", "--all"},
                description = "Small ones too.")
        boolean all;

        @Override
        void run(Main main, Api api, Screen screen) {
            String named = main.deploymentOrNull();
            String query =
                    recent == null
                            ? "state=processing,cancelling,queued&verbose=2"
                            : "limit=" + recent + "&verbose=" + (all ? 2 : 1);
            screen.table(
                    "tasks",
                    List.of(
                            "ID",
                            "State",
                            "Started At",
                            "Finished At",
                            "User",
                            "Deployment",
                            "Description",
                            "Result"),
                    api
                            .list("/tasks?" + query + (named == null ? "" : "&deployment=" + named))
                            .stream()
                            .map(t -> Fields.of(t, "task"))
                            .map(t ->
                                    row(
                                            t.string("id"),
                                            t.string("state"),
                                            time(t.optionalInteger("started_at")),
                                            time(t.optionalInteger("timestamp")),
                                            t.string("user", ""),
                                            t.string("deployment", ""),
                                            t.string("description", ""),
                                            t.string("result", "")))
                            .toList());
        }
    }

    static String time(@Nullable Long seconds) {
        return seconds == null
                ? "-"
                : Instant.ofEpochSecond(seconds)
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString()
                        .replace('T', ' ')
                        .replace("Z", " UTC");
    }

    @Command(
            name = "task",
            aliases = "t",
            description = "Follows a task, or shows what an ended one printed.")
    static final class Task extends Read {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "ID",
                description = "Default: the newest running one.")
        @Nullable Long id;

        @Option(names = "--debug", description = "The debug log.")
        boolean debug;

        @Option(names = "--result", description = "The result output.")
        boolean result;

        @Option(names = "--cpi", description = "The log of CPI calls.")
        boolean cpi;

        @Option(names = "--event", description = "The raw event lines.")
        boolean event;

        @Override
        public Integer call() {
            Api api = main().api();
            Screen screen = main().screen();
            long task = id != null ? id : newest(api);
            api.object("/tasks/" + task); // unknown: the director's own words
            String type = debug ? "debug" : result ? "result" : cpi ? "cpi" : "event";
            boolean raw = debug || result || cpi || event;
            Screen where = raw ? new Screen(main().out(), false, false) : screen;
            TaskFollower.End end =
                    new TaskFollower(api, where)
                            .follow(
                                    task,
                                    type,
                                    raw ? TaskFollower.Show.RAW : TaskFollower.Show.EVENTS);
            screen.finish();
            return end.done() ? 0 : 1;
        }

        private long newest(Api api) {
            List<Object> running =
                    api.list(
                            "/tasks?state=processing,cancelling,queued&verbose=1"
                                    + (main().deploymentOrNull() == null
                                            ? ""
                                            : "&deployment=" + main().deploymentOrNull()));
            if (running.isEmpty()) {
                throw new CliException(
                        "no task is running; say which: berth task ID, or list them: berth tasks --recent");
            }
            return Fields.of(running.getFirst(), "task").integer("id");
        }

        @Override
        void run(Main main, Api api, Screen screen) {}
    }

    @Command(name = "stemcells", description = "Uploaded stemcells.")
    static final class Stemcells extends Read {
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
                            .toList());
            screen.line("(*) Currently deployed");
        }
    }

    @Command(
            name = "disks",
            description = "Persistent disks in use; with --orphaned those that are kept.")
    static final class Disks extends Read {
        @Option(
                names = {"-o", "--orphaned"},
                description = "Only disks that no instance holds.")
        boolean orphaned;

        @Override
        void run(Main main, Api api, Screen screen) {
            var rows = new ArrayList<List<@Nullable String>>();
            if (!orphaned) {
                for (String deployment : chosen(main, api)) {
                    for (Fields line :
                            lines(
                                    api,
                                    screen,
                                    "/deployments/" + deployment + "/instances?format=full")) {
                        line.strings("disk_cids")
                                .forEach(cid ->
                                        rows.add(
                                                row(
                                                        cid,
                                                        size(line, cid),
                                                        deployment,
                                                        instance(line),
                                                        line.optionalString("az"),
                                                        "")));
                    }
                }
            }
            for (Object tree : api.list("/disks")) {
                Fields disk = Fields.of(tree, "disk");
                rows.add(
                        row(
                                disk.string("disk_cid"),
                                disk.string("size", "") + " MiB",
                                disk.string("deployment_name", ""),
                                disk.string("instance_name", ""),
                                disk.optionalString("az"),
                                disk.string("orphaned_at", "")));
            }
            screen.table(
                    "disks",
                    List.of("Disk CID", "Size", "Deployment", "Instance", "AZ", "Orphaned At"),
                    rows);
        }

        private static @Nullable String size(Fields line, String cid) {
            Map<String, String> sizes = line.stringMap("disk_sizes");
            return sizes.containsKey(cid) ? sizes.get(cid) + " MiB" : null;
        }
    }

    @Command(name = "locks", description = "Held locks.")
    static final class Locks extends Read {
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
                                            time(
                                                    (long)
                                                            Double.parseDouble(
                                                                    l.string("timeout", "0")))))
                            .toList());
        }
    }

    @Command(name = "cloud-config", aliases = "cc", description = "The current cloud config.")
    static final class CloudConfig extends Read {
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
    static final class Events extends Read {
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
                                            time(e.optionalInteger("timestamp")),
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
