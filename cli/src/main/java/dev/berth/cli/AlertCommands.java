package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What is wrong, who takes care of it, and who has been told. */
final class AlertCommands {
    private static final String JSON = "application/json";

    private AlertCommands() {}

    private static @Nullable String time(Fields f, String key) {
        Long seconds = f.optionalInteger(key);
        return seconds == null ? "" : TaskCommands.time(seconds);
    }

    private static String severity(Fields alert) {
        return switch ((int) alert.integer("severity")) {
            case 1 -> "alert";
            case 2 -> "critical";
            case 3 -> "error";
            default -> "warning";
        };
    }

    @Command(
            name = "alerts",
            description = {
                "What is wrong now; 'alerts sinks': who is told, 'alerts test SINK': whether it arrives.",
            })
    static final class Alerts extends DirectorCommand {
        @Parameters(
                index = "0..1",
                arity = "0..2",
                paramLabel = "sinks|test SINK",
                description = "The sinks; or try one.")
        List<String> words = List.of();

        @Option(names = "--all", description = "Also what is over.")
        boolean all;

        @Override
        void run(Main main, Api api, Screen screen) {
            if (words.isEmpty()) {
                list(main, api, screen);
            } else if (words.equals(List.of("sinks"))) {
                sinks(api, screen);
            } else if (words.size() == 2 && words.getFirst().equals("test")) {
                test(api, screen, words.get(1));
            } else {
                throw new CliException(
                        "'" + String.join(" ", words) + "' is neither 'sinks' nor 'test SINK'");
            }
        }

        private void list(Main main, Api api, Screen screen) {
            String named = main.deploymentOrNull();
            String path =
                    "/alerts?all="
                            + all
                            + (named == null ? "" : "&deployment=" + ChangeCommands.encoded(named));
            screen.table(
                    "alerts",
                    List.of(
                            "ID",
                            "State",
                            "Severity",
                            "Since",
                            "Until",
                            "Deployment",
                            "Taken Up By",
                            "Title"),
                    api.list(path).stream()
                            .map(a -> Fields.of(a, "alert"))
                            .map(a ->
                                    row(
                                            a.string("id"),
                                            a.string("state")
                                                    + (a.flag("flapping", false)
                                                            ? " (flapping)"
                                                            : ""),
                                            severity(a),
                                            time(a, "opened_at"),
                                            time(a, "resolved_at"),
                                            String.join(", ", a.strings("deployments")),
                                            a.string("acknowledged_by", ""),
                                            a.string("title")))
                            .toList());
        }

        private static void sinks(Api api, Screen screen) {
            Fields answer = Fields.of(api.object("/alert_sinks"), "sinks");
            screen.table(
                    "sinks",
                    List.of(
                            "Name",
                            "Type",
                            "State",
                            "Waiting",
                            "Delivered",
                            "Failures",
                            "Dropped",
                            "Said Last"),
                    answer.objects("sinks").stream()
                            .map(s ->
                                    row(
                                            s.string("name"),
                                            s.string("type"),
                                            s.string("state")
                                                    + (s.has("failing_since")
                                                            ? " since " + time(s, "failing_since")
                                                            : ""),
                                            s.string("waiting"),
                                            s.string("delivered"),
                                            s.string("failures"),
                                            s.string("dropped"),
                                            s.string("said")))
                            .toList());
            String problem = answer.string("problem", "");
            if (!problem.isEmpty()) {
                throw new CliException("the config of alerts is not in force: " + problem);
            }
        }

        private static void test(Api api, Screen screen, String sink) {
            Fields answer =
                    Fields.of(
                            api.post(
                                            "/alert_sinks/"
                                                    + ChangeCommands.encoded(sink)
                                                    + "/test",
                                            JSON,
                                            "{}")
                                    .json(),
                            "test");
            if (!answer.flag("delivered", false)) {
                throw new CliException(
                        "sink '" + sink + "' did not take it: " + answer.string("said", ""));
            }
            screen.line("Sink '" + sink + "' took it, and said: " + answer.string("said", ""));
        }
    }

    @Command(name = "alert", description = "One alert: what it is about, and who has been told.")
    static final class Alert extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "ID", description = "As berth alerts shows it.")
        String id = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            Fields a = Fields.of(api.object("/alerts/" + ChangeCommands.encoded(id)), "alert");
            screen.line(a.string("title"));
            screen.line(a.string("summary", ""));
            screen.note("");
            screen.table(
                    "alert",
                    List.of("ID", "State", "Severity", "Since", "Until", "Taken Up By", "Because"),
                    List.of(
                            row(
                                    a.string("id"),
                                    a.string("state"),
                                    severity(a),
                                    time(a, "opened_at"),
                                    time(a, "resolved_at"),
                                    a.string("acknowledged_by", ""),
                                    a.string("because", ""))));
            screen.table(
                    "members",
                    List.of("About", "Deployment", "AZ", "Since", "Until", "Title"),
                    a.objects("members").stream()
                            .map(m ->
                                    row(
                                            m.string("about"),
                                            m.string("deployment", ""),
                                            m.string("az", ""),
                                            time(m, "began_at"),
                                            time(m, "ended_at"),
                                            m.string("title")))
                            .toList());
            screen.table(
                    "deliveries",
                    List.of("Sink", "Action", "State", "Tries", "At", "Said"),
                    a.objects("deliveries").stream()
                            .map(d ->
                                    row(
                                            d.string("sink"),
                                            d.string("action"),
                                            d.string("state"),
                                            d.string("attempts"),
                                            d.has("ended_at")
                                                    ? time(d, "ended_at")
                                                    : "next " + time(d, "next_at"),
                                            d.string("said", "")))
                            .toList());
        }
    }

    @Command(
            name = "acknowledge-alert",
            aliases = "ack",
            description = "Says that somebody takes care of it; pagers stop calling.")
    static final class Acknowledge extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "ID", description = "As berth alerts shows it.")
        String id = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            put(api, id, "acknowledged");
            screen.line("Alert " + id + " is yours");
        }
    }

    @Command(
            name = "resolve-alert",
            description = "Says that it is over; what goes on all the same is told anew.")
    static final class Resolve extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "ID", description = "As berth alerts shows it.")
        String id = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            put(api, id, "resolved");
            screen.line("Alert " + id + " is over");
        }
    }

    private static void put(Api api, String id, String state) {
        api.put("/alerts/" + ChangeCommands.encoded(id), JSON, Json.write(Json.of("state", state)));
    }
}
