package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Versioned texts by type and name: of alerts, of resurrection, of the cloud. */
final class ConfigCommands {
    private ConfigCommands() {}

    @Command(
            name = "update-config",
            aliases = "uc",
            description = "Sets a config of a type: alerts, resurrection, cloud, ...")
    static final class Update extends DirectorCommand {
        @Option(names = "--type", required = true, paramLabel = "TYPE", description = "Its type.")
        String type = "";

        @Option(
                names = "--name",
                defaultValue = "default",
                paramLabel = "NAME",
                description = "Its name; default: default.")
        String name = "default";

        @Parameters(index = "0", paramLabel = "FILE", description = "The new text.")
        Path file = Path.of("");

        @Mixin LocalVariables variables = new LocalVariables();

        @Override
        void run(Main main, Api api, Screen screen) {
            String text = variables.applied(ChangeCommands.read(file), main.env());
            String body = Json.write(Json.of("type", type, "name", name, "content", text));
            ChangeCommands.showDiff(
                    screen,
                    Fields.of(api.post("/configs/diff", "application/json", body).json(), "diff")
                            .list("diff"));
            main.confirm();
            api.post("/configs", "application/json", body);
        }
    }

    @Command(name = "config", description = "The current config of a type.")
    static final class Show extends DirectorCommand {
        @Option(names = "--type", required = true, paramLabel = "TYPE", description = "Its type.")
        String type = "";

        @Option(
                names = "--name",
                defaultValue = "default",
                paramLabel = "NAME",
                description = "Its name; default: default.")
        String name = "default";

        @Override
        void run(Main main, Api api, Screen screen) {
            List<Object> found =
                    api.list(
                            "/configs?latest=true&type="
                                    + ChangeCommands.encoded(type)
                                    + "&name="
                                    + ChangeCommands.encoded(name));
            if (found.isEmpty()) {
                throw new CliException("no config '" + type + "/" + name + "'; see: berth configs");
            }
            screen.line(Fields.of(found.getFirst(), "config").string("content").stripTrailing());
        }
    }

    @Command(name = "configs", description = "All configs.")
    static final class Configs extends DirectorCommand {
        @Option(names = "--type", paramLabel = "TYPE", description = "Only of this type.")
        @Nullable String type;

        @Override
        void run(Main main, Api api, Screen screen) {
            String which = type == null ? "" : "&type=" + ChangeCommands.encoded(type);
            screen.table(
                    "configs",
                    List.of("ID", "Type", "Name", "Team", "Created At"),
                    api.list("/configs?latest=true" + which).stream()
                            .map(c -> Fields.of(c, "config"))
                            .map(c ->
                                    row(
                                            c.string("id") + (c.flag("current", false) ? "*" : ""),
                                            c.string("type"),
                                            c.string("name"),
                                            c.string("team", ""),
                                            c.string("created_at")))
                            .toList());
        }
    }

    @Command(name = "delete-config", aliases = "dc", description = "Deletes a config of a type.")
    static final class Delete extends DirectorCommand {
        @Option(names = "--type", required = true, paramLabel = "TYPE", description = "Its type.")
        String type = "";

        @Option(
                names = "--name",
                defaultValue = "default",
                paramLabel = "NAME",
                description = "Its name; default: default.")
        String name = "default";

        @Override
        void run(Main main, Api api, Screen screen) {
            main.confirm();
            api.delete(
                    "/configs?type="
                            + ChangeCommands.encoded(type)
                            + "&name="
                            + ChangeCommands.encoded(name));
        }
    }
}
