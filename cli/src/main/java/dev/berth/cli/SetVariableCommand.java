package dev.berth.cli;

import dev.berth.model.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Gives a variable of the director its value. The value comes from standard input or a file, never
 * from the command line, which every user of the machine can read (rule R8).
 */
@Command(
        name = "set-variable",
        description =
                "Gives ((NAME)) a value that the director keeps sealed; read from standard input.")
final class SetVariableCommand extends DirectorCommand {
    @Parameters(
            index = "0",
            paramLabel = "NAME",
            description = "/NAME: for all deployments; NAME: for the one that -d names.")
    String name = "";

    @Option(names = "--file", paramLabel = "FILE", description = "Take the value from a file.")
    @Nullable Path file;

    @Override
    void run(Main main, Api api, Screen screen) {
        String value = file == null ? typed(main) : ChangeCommands.read(file);
        // What editors and echo put at the end is no part of a password.
        String kept = value.replaceFirst("\\r?\\n$", "");
        if (kept.isEmpty()) {
            throw new CliException("the value of '" + name + "' is empty: nothing was set");
        }
        Map<String, Object> body = Json.of("name", name, "value", kept);
        if (!name.startsWith("/")) {
            body.put("deployment", main.requiredDeployment());
        }
        api.put("/variables", "application/json", Json.write(body));
        screen.line("Variable '" + name + "' is set; deployments take it at their next deploy");
    }

    private String typed(Main main) {
        if (System.console() != null && main.env().get("BERTH_TERMINAL") != null) {
            char[] word = System.console().readPassword("Value of ((%s)): ", name);
            return word == null ? "" : new String(word);
        }
        try {
            return new String(main.in().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CliException("cannot read standard input: " + e.getMessage(), e);
        }
    }
}
