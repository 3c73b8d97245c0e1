package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What runs: VMs, instances and their containers. */
final class InstanceCommands {
    private InstanceCommands() {}

    /** The named deployment, or all of them. */
    static List<String> chosen(Main main, Api api) {
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

    /** Of all deployments one may go while they are listed: it is passed over. */
    static void each(Main main, Api api, Consumer<String> work) {
        for (String deployment : chosen(main, api)) {
            try {
                work.accept(deployment);
            } catch (GoneException e) {
                if (main.deploymentOrNull() != null) {
                    throw e;
                }
            }
        }
    }

    /** The lines of a listing that the director answers as a task. */
    static List<Fields> lines(Api api, Screen screen, String path) {
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

    /** The stock CLI leaves the state blank where nothing runs that could have one. */
    private static @Nullable String processState(Fields line) {
        String state = line.optionalString("job_state");
        boolean idle = "running".equals(state) && line.objects("processes").isEmpty();
        return idle ? null : state;
    }

    private static String verdict(Fields line) {
        String waits = line.string("waiting_for", "");
        return line.string("verdict", "not judged yet")
                + (waits.isEmpty() ? "" : "\nwaits: " + waits);
    }

    private static void title(Screen screen, String deployment) {
        screen.note("Deployment '" + deployment + "'");
        screen.note("");
    }

    @Command(name = "vms", description = "VMs, of one deployment or all.")
    static final class Vms extends DirectorCommand {
        @Option(names = "--vitals", description = "Show load, memory and disks.")
        boolean vitals;

        @Option(
                names = {"-i", "--details"},
                description = "Show what the health monitor thinks of each.")
        boolean details;

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
            header.addAll(details ? List.of("Verdict") : List.of());
            header.addAll(vitals ? List.of("VM Created At") : List.of());
            header.addAll(vitals ? VitalsColumns.HEADER : List.of());
            each(
                    main,
                    api,
                    deployment -> {
                        String path = "/deployments/" + deployment + "/vms?format=full";
                        List<Fields> vms = lines(api, screen, path);
                        title(screen, deployment);
                        screen.table("vms", header, vms.stream().map(this::cells).toList());
                    });
            if (main.deploymentOrNull() == null) {
                pools(api, screen, header);
            }
        }

        /** A director of BOSH knows nothing of them. */
        private static List<Object> known(Api api) {
            Api.Answer answer = api.raw("GET", "/vm_pools", null, null, Map.of());
            return answer.status() == 200 ? Json.asList(answer.json()) : List.of();
        }

        /** Spare VMs belong to no deployment. */
        private void pools(Api api, Screen screen, List<String> header) {
            for (Object tree : known(api)) {
                Fields pool = Fields.of(tree, "vm pool");
                screen.note(
                        "VM pool '%s': %d of %d ready"
                                .formatted(
                                        pool.string("name"),
                                        pool.integer("ready", 0),
                                        pool.integer("size", 0)));
                String problem = pool.string("problem", "");
                screen.note(problem);
                screen.table("vms", header, pool.objects("vms").stream().map(this::cells).toList());
            }
        }

        private List<@Nullable String> cells(Fields vm) {
            Fields stemcell = vm.object("stemcell");
            var cells =
                    new ArrayList<>(
                            row(
                                    instance(vm),
                                    processState(vm),
                                    vm.optionalString("az"),
                                    String.join("\n", vm.strings("ips")),
                                    vm.optionalString("vm_cid"),
                                    vm.optionalString("vm_type"),
                                    String.valueOf(vm.flag("active", false)),
                                    stemcell.string("name", "-")
                                            + "/"
                                            + stemcell.string("version", "-")));
            if (details) {
                cells.add(verdict(vm));
            }
            if (vitals) {
                cells.add(vm.optionalString("vm_created_at"));
                cells.addAll(VitalsColumns.of(vm.object("vitals")));
            }
            return cells;
        }
    }

    @Command(
            name = "instances",
            aliases = "is",
            description = "Instances, of one deployment or all; --ps: with their containers.")
    static final class Instances extends DirectorCommand {
        private static final List<String> DETAILS =
                List.of(
                        "State",
                        "VM CID",
                        "VM Type",
                        "Disk CIDs",
                        "Agent ID",
                        "Index",
                        "Bootstrap",
                        "Ignore",
                        "Verdict");

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
            each(main, api, deployment -> list(deployment, api, screen));
        }

        private void list(String deployment, Api api, Screen screen) {
            String path = "/deployments/" + deployment + "/instances?format=full";
            var rows = new ArrayList<List<@Nullable String>>();
            for (Fields line : lines(api, screen, path)) {
                if (!failing || !well(line)) {
                    add(deployment, line, rows, screen.isJson());
                }
            }
            title(screen, deployment);
            screen.table("instances", header(), rows);
        }

        private List<String> header() {
            var header = new ArrayList<>(List.of("Instance"));
            header.addAll(ps ? List.of("Process") : List.of());
            header.addAll(List.of("Process State", "AZ", "IPs", "Deployment"));
            header.addAll(details ? DETAILS : List.of());
            header.addAll(vitals ? VitalsColumns.HEADER : List.of());
            return header;
        }

        private static boolean well(Fields line) {
            List<Fields> processes = line.objects("processes");
            return "running".equals(line.optionalString("job_state"))
                    && !processes.isEmpty()
                    && processes.stream().allMatch(p -> p.string("state", "").equals("running"));
        }

        private void add(
                String deployment, Fields line, List<List<@Nullable String>> rows, boolean json) {
            var cells = new ArrayList<>(row(instance(line)));
            cells.addAll(ps ? row("-") : List.of());
            cells.addAll(
                    row(
                            processState(line),
                            line.optionalString("az"),
                            String.join("\n", line.strings("ips")),
                            deployment));
            if (details) {
                cells.addAll(
                        row(
                                line.optionalString("state"),
                                line.optionalString("vm_cid"),
                                line.optionalString("vm_type"),
                                String.join("\n", line.strings("disk_cids")),
                                line.optionalString("agent_id"),
                                line.string("index", ""),
                                String.valueOf(line.flag("bootstrap", false)),
                                String.valueOf(line.flag("ignore", false)),
                                verdict(line)));
            }
            cells.addAll(vitals ? VitalsColumns.of(line.object("vitals")) : List.of());
            rows.add(cells);
            if (ps) {
                String name = json ? instance(line) : "~";
                line.objects("processes").forEach(p -> rows.add(process(name, p)));
            }
        }

        private List<@Nullable String> process(String instance, Fields process) {
            var cells =
                    new ArrayList<>(
                            row(
                                    instance,
                                    process.string("name", ""),
                                    process.string("state", ""),
                                    null,
                                    null,
                                    null));
            cells.addAll(details ? Collections.nCopies(DETAILS.size(), null) : List.of());
            cells.addAll(vitals ? VitalsColumns.ofProcess(process) : List.of());
            return cells;
        }
    }

    @Command(
            name = "containers",
            aliases = "cs",
            description = "Every container: where it runs, how it is, and why.")
    static final class Containers extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            var rows = new ArrayList<List<@Nullable String>>();
            each(
                    main,
                    api,
                    deployment ->
                            api.list("/deployments/" + deployment + "/containers").stream()
                                    .map(c -> Fields.of(c, "container"))
                                    .map(Containers::cells)
                                    .forEach(rows::add));
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
                    reason(c));
        }

        /** Why it is as it is; where all is well, why it was started again last. */
        private static String reason(Fields c) {
            String now = c.string("reason", "");
            String cause = c.string("cause", "");
            boolean started = !c.string("state", "").equals("done"); // it ended, and that is all
            return !now.isEmpty() || cause.isEmpty() || !started ? now : "started again: " + cause;
        }
    }
}
