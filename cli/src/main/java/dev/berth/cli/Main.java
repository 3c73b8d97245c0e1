package dev.berth.cli;

import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * {@code berth}: everything but the director itself, the CPI executable and the stemcell builder.
 */
@Command(
        name = "berth",
        description = "BOSH for stateful Docker containers.",
        version = "berth 0.1.0",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            EnvironmentCommands.Up.class,
            EnvironmentCommands.Down.class,
            EnvironmentCommands.Demo.class,
            EnvironmentCommands.PrintEnv.class,
            EnvironmentCommands.Push.class,
            ChangeCommands.Deploy.class,
            ChangeCommands.DeleteDeployment.class,
            ChangeCommands.Start.class,
            ChangeCommands.Stop.class,
            ChangeCommands.Restart.class,
            ChangeCommands.Recreate.class,
            ChangeCommands.UpdateCloudConfig.class,
            ChangeCommands.UploadStemcell.class,
            ChangeCommands.DeleteStemcell.class,
            ChangeCommands.DeleteDisk.class,
            ChangeCommands.CancelTask.class,
            ChangeCommands.UpdateResurrection.class,
            ReadCommands.Environment.class,
            ReadCommands.Deployments.class,
            ReadCommands.Manifest.class,
            ReadCommands.Vms.class,
            ReadCommands.Instances.class,
            ReadCommands.Containers.class,
            ReadCommands.TasksList.class,
            ReadCommands.Task.class,
            ReadCommands.Stemcells.class,
            ReadCommands.Disks.class,
            ReadCommands.Locks.class,
            ReadCommands.CloudConfig.class,
            ReadCommands.Events.class,
            AutoComplete.GenerateCompletion.class,
            CommandLine.HelpCommand.class,
        })
public final class Main implements Callable<Integer> {
    @Option(
            names = {"-e", "--environment"},
            scope = ScopeType.INHERIT,
            paramLabel = "URL",
            description = "Director to talk to; BOSH_ENVIRONMENT, else the one of this machine.")
    @Nullable String environment;

    @Option(
            names = "--client",
            scope = ScopeType.INHERIT,
            paramLabel = "NAME",
            description = "User; BOSH_CLIENT.")
    @Nullable String client;

    @Option(
            names = "--client-secret",
            scope = ScopeType.INHERIT,
            paramLabel = "SECRET",
            description = "Password; better in BOSH_CLIENT_SECRET.")
    @Nullable String clientSecret;

    @Option(
            names = "--ca-cert",
            scope = ScopeType.INHERIT,
            paramLabel = "PEM|FILE",
            description = "CA of the director; BOSH_CA_CERT.")
    @Nullable String caCert;

    @Option(
            names = {"-d", "--deployment"},
            scope = ScopeType.INHERIT,
            paramLabel = "NAME",
            description = "Deployment; BOSH_DEPLOYMENT.")
    @Nullable String deployment;

    @Option(
            names = {"-n", "--non-interactive"},
            scope = ScopeType.INHERIT,
            description = "Ask nothing; BOSH_NON_INTERACTIVE.")
    boolean nonInteractive;

    @Option(
            names = "--json",
            scope = ScopeType.INHERIT,
            description = "Print JSON in the stock CLI's shape.")
    boolean json;

    @Option(names = "--tty", scope = ScopeType.INHERIT, description = "Print as on a terminal.")
    boolean tty;

    @CommandLine.Spec CommandLine.Model.@Nullable CommandSpec spec;

    private final Map<String, String> env;
    private final PrintStream out;

    Main(Map<String, String> env, PrintStream out) {
        this.env = env;
        this.out = out;
    }

    public static void main(String[] args) {
        System.exit(run(System.getenv(), System.out, System.err, args));
    }

    /** Runs one command; 0 is success, 1 a failure told in words, 2 a misuse. */
    static int run(Map<String, String> env, PrintStream out, PrintStream err, String... args) {
        CommandLine line = new CommandLine(new Main(env, out));
        line.setOut(new java.io.PrintWriter(out, true));
        line.setErr(new java.io.PrintWriter(err, true));
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            if (!(e instanceof CliException)) {
                throw e; // a fault of ours: show where
            }
            err.println(e.getMessage());
            return 1;
        });
        return line.execute(args);
    }

    @Override
    public Integer call() {
        if (spec != null) {
            spec.commandLine().usage(out);
        }
        return 2;
    }

    Home home() {
        return Home.of(env);
    }

    Map<String, String> env() {
        return env;
    }

    PrintStream out() {
        return out;
    }

    Screen screen() {
        return new Screen(
                out, json, tty || System.console() != null && System.console().isTerminal());
    }

    Api api() {
        var merged = new java.util.HashMap<>(env);
        put(merged, "BOSH_ENVIRONMENT", environment);
        put(merged, "BOSH_CLIENT", client);
        put(merged, "BOSH_CLIENT_SECRET", clientSecret);
        put(merged, "BOSH_CA_CERT", caCert);
        return new Api(Target.of(merged, home()));
    }

    private static void put(Map<String, String> map, String key, @Nullable String value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    @Nullable String deploymentOrNull() {
        String fromEnv = env.get("BOSH_DEPLOYMENT");
        return deployment != null
                ? deployment
                : fromEnv == null || fromEnv.isBlank() ? null : fromEnv;
    }

    String requiredDeployment() {
        String name = deploymentOrNull();
        if (name == null) {
            throw new CliException("which deployment? say -d NAME or set BOSH_DEPLOYMENT");
        }
        return name;
    }

    /** True when the operator agrees, or asked not to be asked. */
    boolean confirmed() {
        if (nonInteractive || "true".equals(env.get("BOSH_NON_INTERACTIVE"))) {
            return true;
        }
        if (System.console() == null) {
            throw new CliException(
                    "this needs a confirmation and there is no terminal; say -n to go ahead");
        }
        String answer = System.console().readLine("Continue? [yN]: ");
        if (answer != null && answer.strip().matches("(?i)y|yes")) {
            return true;
        }
        throw new CliException("stopped; nothing was changed");
    }
}
