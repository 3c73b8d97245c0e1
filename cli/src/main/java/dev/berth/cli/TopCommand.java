package dev.berth.cli;

import dev.berth.model.Fields;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Who uses what, from the agents' heartbeats. */
@Command(
        name = "top",
        description = "CPU, memory, uptime and restarts of instances and containers, refreshed.")
final class TopCommand extends DirectorCommand {
    private static final List<String> HEADER =
            List.of(
                    "Instance",
                    "Container",
                    "State",
                    "CPU",
                    "Memory",
                    "Memory Percent",
                    "Uptime",
                    "Restarts",
                    "Deployment");

    /** To the upper left corner, and all below it cleared. */
    private static final String HOME = "\u001b[H\u001b[J";

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            description = "Between two looks on a terminal; 5 unless said, as agents beat.")
    int interval = 5;

    @Option(names = "--once", description = "One look, on a terminal too.")
    boolean once;

    @Override
    void run(Main main, Api api, Screen screen) {
        boolean refresh = screen.isTerminal() && !once;
        if (!refresh) {
            screen.table("rows", HEADER, rows(main, api, screen.isJson()));
            return;
        }
        if (interval < 1) {
            throw new CliException("--interval is to be one second or more");
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
        while (true) {
            List<List<@Nullable String>> rows = rows(main, api, false);
            screen.part(HOME);
            screen.table("rows", HEADER, rows);
            TaskFollower.sleep(Duration.ofSeconds(interval).toMillis());
        }
    }

    /** Everything is asked for before the screen is cleared, so that it does not flicker. */
    private static List<List<@Nullable String>> rows(Main main, Api api, boolean json) {
        var rows = new ArrayList<List<@Nullable String>>();
        // What listing an instance as a task would say is of no interest here, every few seconds.
        Screen silent = main.silent();
        InstanceCommands.each(
                main, api, deployment -> rows.addAll(rows(deployment, api, silent, json)));
        return rows;
    }

    private static List<List<@Nullable String>> rows(
            String deployment, Api api, Screen silent, boolean json) {
        var rows = new ArrayList<List<@Nullable String>>();
        Map<String, String> restarts = restarts(api, deployment);
        String path = "/deployments/" + deployment + "/instances?format=full";
        for (Fields line : InstanceCommands.lines(api, silent, path)) {
            String name = InstanceCommands.instance(line);
            rows.add(instance(name, line, deployment));
            for (Fields process : line.objects("processes")) {
                String container = process.string("name", "");
                rows.add(
                        container(
                                json ? name : "~",
                                process,
                                restarts.get(name + "/" + container),
                                json ? deployment : null));
            }
        }
        return rows;
    }

    private static Map<String, String> restarts(Api api, String deployment) {
        var restarts = new HashMap<String, String>();
        api.list("/deployments/" + deployment + "/containers").stream()
                .map(c -> Fields.of(c, "container"))
                .forEach(c ->
                        restarts.put(
                                c.string("instance", "") + "/" + c.string("name"),
                                c.string("restarts", "0")));
        return restarts;
    }

    private static List<@Nullable String> instance(String name, Fields line, String deployment) {
        Fields vitals = line.object("vitals");
        Fields cpu = vitals.object("cpu");
        Fields memory = vitals.object("mem");
        return row(
                name,
                "-",
                line.optionalString("job_state"),
                sum(cpu),
                kilobytes(memory),
                percent(memory.tree().get("percent")),
                uptime(vitals),
                null,
                deployment);
    }

    private static List<@Nullable String> container(
            String instance,
            Fields process,
            @Nullable String restarts,
            @Nullable String deployment) {
        Fields memory = process.object("mem");
        return row(
                instance,
                process.string("name", ""),
                process.string("state", ""),
                percent(process.object("cpu").tree().get("total")),
                kilobytes(memory),
                percent(memory.tree().get("percent")),
                uptime(process),
                restarts,
                deployment);
    }

    private static @Nullable String sum(Fields cpu) {
        double sum = 0;
        boolean any = false;
        for (String part : List.of("user", "sys")) {
            String text = cpu.string(part, "");
            if (text.matches("\\d+(\\.\\d+)?")) {
                sum += Double.parseDouble(text);
                any = true;
            }
        }
        return any ? String.format(java.util.Locale.ROOT, "%.1f%%", sum) : null;
    }

    private static @Nullable String percent(@Nullable Object value) {
        return value == null ? null : value + "%";
    }

    private static @Nullable String kilobytes(Fields memory) {
        String kb = memory.string("kb", "");
        return kb.matches("\\d{1,15}") ? VitalsColumns.kibibytes(Long.parseLong(kb)) : null;
    }

    private static @Nullable String uptime(Fields of) {
        Long seconds = of.object("uptime").optionalInteger("secs");
        return seconds == null ? null : WhyCommand.text(Duration.ofSeconds(seconds));
    }
}
