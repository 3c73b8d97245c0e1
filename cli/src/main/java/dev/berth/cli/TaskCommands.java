package dev.berth.cli;

import dev.berth.model.Fields;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Work that the director does or did. */
final class TaskCommands {
    private static final String RUNNING = "/tasks?state=processing,cancelling,queued";

    private TaskCommands() {}

    private static String forDeployment(Main main) {
        String named = main.deploymentOrNull();
        return named == null ? "" : "&deployment=" + ChangeCommands.encoded(named);
    }

    @Command(
            name = "tasks",
            aliases = "ts",
            description = "Running tasks; --recent: the last ones.")
    static final class TasksList extends DirectorCommand {
        @Option(
                names = {"-r", "--recent"},
                arity = "0..1",
                fallbackValue = "30",
                paramLabel = "N",
                description = "The last N tasks; 30 when no number is said.")
        @Nullable Integer recent;

        @Option(
                names = {"-a", "--all"},
                description = "Small ones too: listings, logs, checks of the monitor.")
        boolean all;

        @Override
        void run(Main main, Api api, Screen screen) {
            String query =
                    recent == null
                            ? RUNNING + "&verbose=2"
                            : "/tasks?limit=" + recent + "&verbose=" + (all ? 2 : 1);
            List<List<@Nullable String>> rows =
                    api.list(query + forDeployment(main)).stream()
                            .map(t -> cells(Fields.of(t, "task")))
                            .toList();
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
                    rows,
                    rows.isEmpty() && recent == null
                            ? List.of("Ended ones: berth tasks --recent")
                            : List.of());
        }

        private static List<@Nullable String> cells(Fields t) {
            return row(
                    t.string("id"),
                    t.string("state"),
                    time(t.optionalInteger("started_at")),
                    time(t.optionalInteger("timestamp")),
                    t.string("user", ""),
                    t.string("deployment", ""),
                    t.string("description", ""),
                    t.string("result", ""));
        }
    }

    static @Nullable String time(@Nullable Long seconds) {
        return seconds == null ? null : EventPrinter.full(seconds);
    }

    @Command(
            name = "task",
            aliases = "t",
            description = "Follows a task, or shows what an ended one printed.")
    static final class Task extends DirectorCommand {
        /** At most one of these. */
        static final class Output {
            @Option(names = "--event", description = "The raw event lines.")
            boolean event;

            @Option(names = "--debug", description = "The debug log: what was done, and why.")
            boolean debug;

            @Option(names = "--cpi", description = "The log of CPI calls.")
            boolean cpi;

            @Option(names = "--result", description = "The result output.")
            boolean result;

            String type() {
                return debug ? "debug" : cpi ? "cpi" : result ? "result" : "event";
            }
        }

        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "ID",
                description = "Default: the newest running one.")
        @Nullable Long id;

        @ArgGroup @Nullable Output output;

        @Option(
                names = {"-a", "--all"},
                description = "Without ID: look at small tasks too.")
        boolean all;

        @Override
        void run(Main main, Api api, Screen screen) {
            Long wished = id;
            long task = wished != null ? wished : newest(main, api);
            api.object("/tasks/" + task); // unknown: the director's own words
            var follower = new TaskFollower(api, screen);
            Output raw = output;
            TaskFollower.End end =
                    raw == null
                            ? follower.events(task)
                            : screen.isJson()
                                    ? jsonBlock(api, screen, follower.follow(task), raw.type())
                                    : follower.raw(task, raw.type());
            if (!end.done()) {
                throw new CliException(TaskFollower.failure(end));
            }
        }

        private static TaskFollower.End jsonBlock(
                Api api, Screen screen, TaskFollower.End end, String type) {
            String path = "/tasks/" + end.id() + "/output?type=" + type;
            screen.block(api.raw("GET", path, null, null, java.util.Map.of()).body());
            return end;
        }

        private long newest(Main main, Api api) {
            List<Object> running =
                    api.list(RUNNING + "&verbose=" + (all ? 2 : 1) + forDeployment(main));
            if (running.isEmpty()) {
                throw new CliException(
                        "no task is running; say which: berth task ID, or list them: berth tasks --recent");
            }
            return Fields.of(running.getFirst(), "task").integer("id");
        }
    }

    @Command(
            name = "cancel-task",
            aliases = "ct",
            description = "Asks a task to stop at its next safe point.")
    static final class CancelTask extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "ID", description = "As berth tasks shows it.")
        long id;

        @Override
        void run(Main main, Api api, Screen screen) {
            api.delete("/task/" + id);
            screen.line("Task " + id + " is asked to stop; it ends at its next safe point");
        }
    }
}
