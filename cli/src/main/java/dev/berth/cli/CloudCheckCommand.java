package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Problems between records, cloud and agents, and what a person wants done about them. */
@Command(
        name = "cloud-check",
        aliases = "cck",
        description = "Scans a deployment for problems of VMs and disks, and resolves them.")
final class CloudCheckCommand extends DirectorCommand {
    @Option(
            names = {"-r", "--report"},
            description = "Only show what is found; a problem makes the exit code 1.")
    boolean report;

    @Option(
            names = {"-a", "--auto"},
            description = "Resolve each in the way that can lose nothing: make missing VMs.")
    boolean auto;

    @Option(
            names = "--resolution",
            paramLabel = "NAME",
            description = "Resolve all problems that can be resolved so; may be repeated.")
    List<String> resolutions = List.of();

    @Override
    void run(Main main, Api api, Screen screen) {
        if (report && (auto || !resolutions.isEmpty()) || auto && !resolutions.isEmpty()) {
            throw new CliException("say one of --report, --auto and --resolution");
        }
        String path = "/deployments/" + ChangeCommands.encoded(main.requiredDeployment());
        var scan = api.post(path + "/scans", "application/json", "");
        follow(api, screen, scan);
        List<Fields> problems =
                api.list(path + "/problems").stream().map(p -> Fields.of(p, "problem")).toList();
        show(screen, problems);
        if (problems.isEmpty()) {
            return;
        }
        if (report) {
            throw new CliException(problems.size() + " problem(s) found");
        }
        Map<String, Object> chosen = chosen(problems);
        if (chosen.isEmpty()) {
            screen.line("Nothing is resolved: say --auto, or --resolution NAME");
            return;
        }
        main.confirm();
        follow(
                api,
                screen,
                api.put(
                        path + "/problems",
                        "application/json",
                        Json.write(Json.of("resolutions", chosen))));
    }

    private Map<String, Object> chosen(List<Fields> problems) {
        Map<String, @Nullable Object> chosen = new LinkedHashMap<>();
        for (Fields problem : problems) {
            String id = String.valueOf(problem.integer("id"));
            List<String> names = names(problem);
            if (auto) {
                chosen.put(id, null);
            } else {
                resolutions.stream()
                        .filter(names::contains)
                        .findFirst()
                        .ifPresent(name -> chosen.put(id, name));
            }
        }
        return Json.asObject(chosen);
    }

    private static List<String> names(Fields problem) {
        return problem.objects("resolutions").stream().map(r -> r.string("name")).toList();
    }

    private static void show(Screen screen, List<Fields> problems) {
        var rows = new ArrayList<List<@Nullable String>>();
        for (Fields problem : problems) {
            rows.add(
                    row(
                            String.valueOf(problem.integer("id")),
                            problem.string("type"),
                            problem.string("description", ""),
                            String.join("\n", names(problem))));
        }
        screen.table("problems", List.of("#", "Type", "Description", "Resolutions"), rows);
    }
}
