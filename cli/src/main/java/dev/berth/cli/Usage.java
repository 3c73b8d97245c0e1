package dev.berth.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** How help reads, and what a misuse is answered with: what is wrong and what was perhaps meant. */
final class Usage {
    private static final int WIDTH = 100;

    private static final Map<String, List<String>> GROUPS = groups();

    private Usage() {}

    private static Map<String, List<String>> groups() {
        var groups = new LinkedHashMap<String, List<String>>();
        groups.put(
                "An environment on this machine:",
                List.of("up", "demo", "push", "print-env", "recover", "down"));
        groups.put(
                "Deployments:",
                List.of(
                        "deploy",
                        "deployments",
                        "manifest",
                        "delete-deployment",
                        "set-variable",
                        "start",
                        "stop",
                        "restart",
                        "recreate"));
        groups.put(
                "What runs:",
                List.of(
                        "instances",
                        "vms",
                        "containers",
                        "why",
                        "doctor",
                        "cloud-check",
                        "logs",
                        "exec",
                        "top",
                        "disks",
                        "resize-disk",
                        "attach-disk",
                        "orphan-disk",
                        "delete-disk"));
        groups.put(
                "Copies of data:",
                List.of(
                        "backup",
                        "backups",
                        "delete-backup",
                        "restore",
                        "snapshots",
                        "take-snapshot",
                        "delete-snapshot",
                        "delete-snapshots"));
        groups.put(
                "What is wrong:", List.of("alerts", "alert", "acknowledge-alert", "resolve-alert"));
        groups.put("What was done:", List.of("tasks", "task", "cancel-task", "events", "locks"));
        groups.put(
                "The director:",
                List.of(
                        "env",
                        "certificates",
                        "renew-certificates",
                        "rotate-ca",
                        "cloud-config",
                        "update-cloud-config",
                        "configs",
                        "config",
                        "update-config",
                        "delete-config",
                        "stemcells",
                        "upload-image",
                        "upload-stemcell",
                        "delete-stemcell",
                        "update-resurrection"));
        groups.put("Other:", List.of("generate-completion", "help"));
        return groups;
    }

    /** Words that the launcher answers before this program is reached. */
    private static final Map<String, String> LAUNCHER = launcher();

    private static Map<String, String> launcher() {
        var words = new LinkedHashMap<String, String>();
        words.put("build", "Builds Berth where its sources are newer; --force: in any case.");
        words.put("test", "Runs all tests; --fast: those that need no engine.");
        words.put("sim", "Runs the seeded simulation.");
        words.put("bench", "Measures against the bare engine.");
        words.put("proof", "Counts what databases lose under faults: nothing.");
        words.put("stemcell build", "Makes the stemcell if it is stale.");
        words.put("director", "Runs the director in the foreground; up starts it.");
        words.put("cpi docker", "Serves the Docker CPI over standard input and output.");
        return words;
    }

    static void shape(CommandLine line) {
        line.setParameterExceptionHandler((e, args) -> misuse(e));
        line.getCommandSpec().usageMessage().width(WIDTH);
        Map<String, IHelpSectionRenderer> sections = line.getHelpSectionMap();
        sections.put(UsageMessageSpec.SECTION_KEY_SYNOPSIS, help -> "COMMAND [OPTIONS]\n");
        sections.put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING, help -> "");
        sections.put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, Usage::commands);
        line.setHelpSectionKeys(
                List.of(
                        UsageMessageSpec.SECTION_KEY_SYNOPSIS_HEADING,
                        UsageMessageSpec.SECTION_KEY_SYNOPSIS,
                        UsageMessageSpec.SECTION_KEY_DESCRIPTION,
                        UsageMessageSpec.SECTION_KEY_COMMAND_LIST,
                        UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING,
                        UsageMessageSpec.SECTION_KEY_OPTION_LIST));
        sections.put(UsageMessageSpec.SECTION_KEY_SYNOPSIS, help -> "berth COMMAND [OPTIONS]\n");
        sections.put(
                UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING, help -> "\nFor every command:\n");
        line.getSubcommands().values().stream().distinct().forEach(Usage::shapeCommand);
    }

    private static void shapeCommand(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        if (!spec.helpCommand() && spec.findOption("--help") == null) {
            spec.addOption(
                    OptionSpec.builder("-h", "--help")
                            .usageHelp(true)
                            .description("Show this and exit.")
                            .build());
        }
        spec.usageMessage().width(WIDTH).abbreviateSynopsis(true);
        Map<String, IHelpSectionRenderer> sections = command.getHelpSectionMap();
        sections.put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, Usage::ownOptions);
        command.setHelpSectionKeys(
                List.of(
                        UsageMessageSpec.SECTION_KEY_SYNOPSIS_HEADING,
                        UsageMessageSpec.SECTION_KEY_SYNOPSIS,
                        UsageMessageSpec.SECTION_KEY_DESCRIPTION,
                        UsageMessageSpec.SECTION_KEY_PARAMETER_LIST,
                        UsageMessageSpec.SECTION_KEY_OPTION_LIST));
    }

    private static String commands(Help help) {
        Map<String, CommandLine> all = help.commandSpec().subcommands();
        var text = new StringBuilder();
        GROUPS.forEach((title, names) -> {
            text.append('\n').append(title).append('\n');
            names.forEach(name -> {
                CommandLine command = all.get(name);
                if (command != null) {
                    String[] aliases = command.getCommandSpec().aliases();
                    String shown = aliases.length == 0 ? name : name + ", " + aliases[0];
                    append(text, shown, summary(command));
                }
            });
        });
        text.append("\nOf the launcher:\n");
        LAUNCHER.forEach((name, what) -> append(text, name, what));
        return text.toString();
    }

    private static void append(StringBuilder text, String name, String what) {
        text.append(String.format("  %-25s %s%n", name, what));
    }

    private static String summary(CommandLine command) {
        if (command.getCommandSpec().helpCommand()) {
            return "Shows what a command takes: berth help COMMAND.";
        }
        String[] description = command.getCommandSpec().usageMessage().description();
        return description.length == 0 ? "" : description[0];
    }

    /** Without the options that every command takes: those stand in {@code berth help}. */
    private static String ownOptions(Help help) {
        List<OptionSpec> own =
                help.commandSpec().options().stream()
                        .filter(option -> option.scopeType() != ScopeType.INHERIT)
                        .toList();
        var options = new ArrayList<>(own);
        Help.Layout layout = help.createDefaultLayout();
        layout.addOptions(options, help.createDefaultParamLabelRenderer());
        return layout + "\nOptions of every command (-d, -e, -n, --json, ...): see berth help\n";
    }

    private static int misuse(ParameterException e) {
        PrintWriter err = e.getCommandLine().getErr();
        String message = String.valueOf(e.getMessage());
        CommandSpec spec = e.getCommandLine().getCommandSpec();
        boolean top = spec.parent() == null;
        if (e instanceof CommandLine.UnmatchedArgumentException unmatched) {
            err.println(unmatched(unmatched, top));
        } else {
            err.println(message);
        }
        err.println(top ? "all commands: berth help" : "see: berth help " + spec.name());
        return 2;
    }

    private static String unmatched(CommandLine.UnmatchedArgumentException e, boolean top) {
        String word = e.getUnmatched().getFirst();
        List<String> meant = e.getSuggestions();
        String what =
                e.isUnknownOption()
                        ? "unknown option '" + word + "'"
                        : top
                                ? "unknown command '" + word + "'"
                                : "'" + word + "' is one word too many";
        if (meant.isEmpty() || !top && !e.isUnknownOption()) {
            return what;
        }
        return what
                + "; did you mean "
                + meant.stream()
                        .map(m -> m.replaceFirst("^berth ", ""))
                        .limit(3)
                        .collect(Collectors.joining(" or "))
                + "?";
    }
}
