package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Records, cloud and agents side by side; each difference with its repair. */
@Command(
        name = "doctor",
        description =
                "Compares what is recorded with what the cloud has and what agents say; without -d all of it and the environment.")
final class DoctorCommand extends DirectorCommand {
    @Option(names = "--fix", description = "Make the repairs that can lose nothing.")
    boolean fix;

    @Option(
            names = "--yes",
            paramLabel = "SUBJECT",
            description =
                    "With --fix: also the repair of this VM or disk that may lose data or stop something; may be repeated.")
    List<String> yes = List.of();

    @Override
    void run(Main main, Api api, Screen screen) {
        if (!yes.isEmpty() && !fix) {
            throw new CliException("--yes names what --fix may do; say both");
        }
        String deployment = main.deploymentOrNull();
        if (fix) {
            main.confirm();
        }
        String path =
                deployment == null
                        ? "/doctor"
                        : "/deployments/" + ChangeCommands.encoded(deployment) + "/doctor";
        var answer =
                api.post(path, "application/json", Json.write(Json.of("fix", fix, "yes", yes)));
        String told = new TaskFollower(api, screen).resultOf(Api.taskOf(answer));
        show(screen, told.lines().filter(line -> !line.isBlank()).toList());
    }

    private static void show(Screen screen, List<String> lines) {
        var rows = new ArrayList<List<@Nullable String>>();
        long repaired = 0;
        long found = 0;
        for (String line : lines) {
            Fields f = Fields.of(Json.parse(line), "finding");
            if (f.has("findings")) {
                found = f.integer("findings");
                repaired = f.integer("repaired", 0);
                continue;
            }
            rows.add(row(f));
        }
        screen.table(
                "findings",
                List.of("Kind", "Subject", "Instance", "Expected", "Found", "Repair"),
                rows);
        screen.note("");
        screen.line(
                found == 0
                        ? "Nothing is wrong"
                        : found
                                + (found == 1 ? " finding" : " findings")
                                + (repaired == 0 ? "" : ", " + repaired + " repaired"));
    }

    private static List<@Nullable String> row(Fields f) {
        String instance = f.string("instance", "");
        String repair =
                f.has("outcome")
                        ? (f.flag("repaired", false) ? "done: " : "") + f.string("outcome")
                        : (f.flag("automatic", false) ? "--fix: " : "by hand: ")
                                + f.string("repair")
                                + (f.flag("needs_yes", false)
                                        ? " (needs --yes " + f.string("subject") + ")"
                                        : "");
        return row(
                f.string("kind"),
                f.string("subject"),
                instance.isEmpty() ? f.string("deployment", "") : instance,
                f.string("expected"),
                f.string("found"),
                repair);
    }
}
