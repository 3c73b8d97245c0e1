package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Configs by type and name: {@code resurrection} and others. */
final class ConfigCommands {
    private ConfigCommands() {}

    private static String query(String type, String name) {
        return "type=" + ChangeCommands.encoded(type) + "&name=" + ChangeCommands.encoded(name);
    }

    @Command(
            name = "update-config",
            aliases = "uc",
            description = "Sets a config of a type, such as resurrection.")
    static final class UpdateConfig extends DirectorCommand {
        @Option(names = "--type", required = true, description = "The type of the config.")
        String type = "";

        @Option(names = "--name", description = "Its name (default: default).")
        String name = "default";

        @Parameters(index = "0", paramLabel = "FILE", description = "The new config.")
        Path file = Path.of("");

        @Mixin LocalVariables variables = new LocalVariables();

        @Override
        void run(Main main, Api api, Screen screen) {
            String text = variables.applied(ChangeCommands.read(file), main.env());
            main.confirm();
            api.post(
                    "/configs",
                    "application/json",
                    Json.write(Json.of("type", type, "name", name, "content", text)));
            screen.line("Config '" + name + "' of type '" + type + "' is set");
        }
    }

    @Command(
            name = "delete-config",
            aliases = "dc",
            description = "Deletes a config of a type; --type and --name say which.")
    static final class DeleteConfig extends DirectorCommand {
        @Option(names = "--type", required = true, description = "The type of the config.")
        String type = "";

        @Option(names = "--name", description = "Its name (default: default).")
        String name = "default";

        @Override
        void run(Main main, Api api, Screen screen) {
            main.confirm();
            api.delete("/configs?" + query(type, name));
            screen.line("Config '" + name + "' of type '" + type + "' is deleted");
        }
    }

    @Command(name = "configs", description = "The configs of all types.")
    static final class Configs extends DirectorCommand {
        @Option(names = "--type", description = "Only of this type.")
        String type = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            var rows = new ArrayList<List<@Nullable String>>();
            String of = type.isEmpty() ? "" : "&type=" + ChangeCommands.encoded(type);
            for (Object config : api.list("/configs?latest=true" + of)) {
                Fields f = Fields.of(config, "config");
                rows.add(
                        row(
                                f.string("id"),
                                f.string("type"),
                                f.string("name"),
                                f.string("created_at", "")));
            }
            screen.table("configs", List.of("ID", "Type", "Name", "Created At"), rows);
        }
    }
}
