package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command in a container; its exit code is ours. */
@Command(
        name = "exec",
        description =
                "Runs a command in a container: berth exec db/0/postgres -- pg_isready. With -it a shell at your terminal: berth exec -it db/0/postgres; with -i standard input is the command's: berth exec -i db/0/postgres -- psql < dump.sql. Without either it prints up to 400 KiB of each stream.")
final class ExecCommand extends DirectorCommand {
    @Parameters(
            index = "0",
            paramLabel = "INSTANCE/CONTAINER",
            description = "db/0/postgres, or db/postgres where db has one instance.")
    String which = "";

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "COMMAND",
            description = "After --. With -t a shell when none is given.")
    List<String> command = new ArrayList<>();

    @Option(
            names = {"-i", "--interactive"},
            description = "Standard input is the command's, to its end.")
    boolean interactive;

    @Option(
            names = {"-t", "--terminal"},
            description = "The command gets a terminal: with -i, yours.")
    boolean terminal;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Wait so long at most; 60 unless said, 240 at most. Not with -i or -t.")
    int timeout = 60;

    /** Where there is one with more comfort, that one. */
    private static final List<String> SHELL =
            List.of(
                    "/bin/sh",
                    "-c",
                    "if command -v bash > /dev/null 2>&1; then exec bash; else exec sh; fi");

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
        if (interactive || terminal) {
            exitCode = session(main, api, screen, inside);
            return;
        }
        if (command.isEmpty()) {
            throw new CliException(
                    "what is to be run? say it after --, or use -it for a shell; see: berth help exec");
        }
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

    private int session(Main main, Api api, Screen screen, Inside inside) {
        if (screen.isJson()) {
            throw new CliException("--json shows a command that has ended: leave out -i and -t");
        }
        if (command.isEmpty() && !terminal) {
            throw new CliException("what is to read the input? say it after --");
        }
        var wish =
                new ContainerSession.Wish(
                        command.isEmpty() ? SHELL : command,
                        interactive,
                        terminal,
                        main.env().getOrDefault("TERM", ""));
        return new ContainerSession(main.in(), main.out(), main.err())
                .run(api, inside.containerPath(inside.requiredContainer()) + "/session", wish);
    }
}
