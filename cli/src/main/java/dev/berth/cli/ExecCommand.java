package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command in a container, without a terminal and without input; its exit code is ours. */
@Command(
        name = "exec",
        description =
                "Runs a command in a container: berth exec db/0/postgres -- pg_isready. Without terminal and input; prints up to 400 KiB of each stream.")
final class ExecCommand extends DirectorCommand {
    @Parameters(
            index = "0",
            paramLabel = "INSTANCE/CONTAINER",
            description = "db/0/postgres, or db/postgres where db has one instance.")
    String which = "";

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "COMMAND", description = "After --.")
    List<String> command = new ArrayList<>();

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Wait so long at most; 60 unless said, 240 at most.")
    int timeout = 60;

    private int exitCode;

    /** Standard output is the command's alone. */
    @Override
    public Integer call() {
        run(main(), main().api(), main().screen());
        return exitCode;
    }

    @Override
    void run(Main main, Api api, Screen screen) {
        Inside inside = Inside.of(api, main.requiredDeployment(), which);
        Fields ended =
                Fields.of(
                        api.post(
                                        inside.containerPath(inside.requiredContainer()) + "/exec",
                                        "application/json",
                                        Json.write(
                                                Json.of(
                                                        "command",
                                                        command,
                                                        "timeout_seconds",
                                                        timeout)))
                                .json(),
                        "answer");
        exitCode = (int) ended.integer("exit_code", 1);
        if (screen.isJson()) {
            screen.table(
                    "results",
                    List.of("Stdout", "Stderr", "Exit Code"),
                    List.of(
                            row(
                                    ended.string("stdout", ""),
                                    ended.string("stderr", ""),
                                    String.valueOf(exitCode))));
        } else {
            screen.part(ended.string("stdout", ""));
            main.err().print(ended.string("stderr", ""));
            main.err().flush();
        }
        if (ended.flag("truncated", false)) {
            screen.error(
                    "(it printed more than is carried here; write it to a file in the container)");
        }
    }
}
