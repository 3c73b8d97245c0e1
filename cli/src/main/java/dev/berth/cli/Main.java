package dev.berth.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * {@code berth}: everything but the director itself, the CPI executable and the stemcell builder,
 * which the launcher starts by their own programs.
 */
@Command(
        name = "berth",
        description = "BOSH for stateful Docker containers.",
        version = "berth 0.1.0",
        mixinStandardHelpOptions = true,
        subcommands = {
            EnvironmentCommands.Up.class,
            EnvironmentCommands.Down.class,
            RecoverCommand.class,
            EnvironmentCommands.Demo.class,
            EnvironmentCommands.PrintEnv.class,
            EnvironmentCommands.Push.class,
            ChangeCommands.Deploy.class,
            ChangeCommands.DeleteDeployment.class,
            SetVariableCommand.class,
            UploadImageCommand.class,
            StateCommands.Start.class,
            StateCommands.Stop.class,
            StateCommands.Restart.class,
            StateCommands.Recreate.class,
            ChangeCommands.UpdateCloudConfig.class,
            ChangeCommands.UploadStemcell.class,
            ChangeCommands.DeleteStemcell.class,
            ChangeCommands.DeleteDisk.class,
            DiskCommands.ResizeDisk.class,
            DiskCommands.AttachDisk.class,
            DiskCommands.OrphanDisk.class,
            ChangeCommands.UpdateResurrection.class,
            ListCommands.Environment.class,
            ListCommands.Deployments.class,
            ListCommands.Manifest.class,
            InstanceCommands.Vms.class,
            InstanceCommands.Instances.class,
            InstanceCommands.Containers.class,
            WhyCommand.class,
            DoctorCommand.class,
            CloudCheckCommand.class,
            LogsCommand.class,
            ExecCommand.class,
            TopCommand.class,
            TaskCommands.TasksList.class,
            TaskCommands.Task.class,
            TaskCommands.CancelTask.class,
            ListCommands.Stemcells.class,
            ListCommands.Disks.class,
            BackupCommands.Backup.class,
            BackupCommands.Backups.class,
            BackupCommands.Restore.class,
            BackupCommands.Delete.class,
            SnapshotCommands.Snapshots.class,
            SnapshotCommands.Take.class,
            SnapshotCommands.Delete.class,
            SnapshotCommands.DeleteAll.class,
            AlertCommands.Alerts.class,
            AlertCommands.Alert.class,
            AlertCommands.Acknowledge.class,
            AlertCommands.Resolve.class,
            CertificateCommands.Certificates.class,
            CertificateCommands.Renew.class,
            CertificateCommands.Rotate.class,
            ConfigCommands.Update.class,
            ConfigCommands.Show.class,
            ConfigCommands.Configs.class,
            ConfigCommands.Delete.class,
            ListCommands.Locks.class,
            ListCommands.CloudConfig.class,
            ListCommands.Events.class,
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
            description = "Password; better in BOSH_CLIENT_SECRET, where no process list shows it.")
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
            description = "Print one JSON object in the stock CLI's shape.")
    boolean json;

    @Option(
            names = "--tty",
            scope = ScopeType.INHERIT,
            description = "Print as on a terminal, into a pipe too.")
    boolean tty;

    @Option(names = "--no-color", scope = ScopeType.INHERIT, description = "No colours; NO_COLOR.")
    boolean noColor;

    @CommandLine.Spec CommandLine.Model.@Nullable CommandSpec spec;

    private final Map<String, String> env;
    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;
    private @Nullable Screen screen;

    private Main(Map<String, String> env, InputStream in, PrintStream out, PrintStream err) {
        this.env = env;
        this.in = in;
        this.out = out;
        this.err = err;
    }

    public static void main(String[] args) {
        System.exit(run(System.getenv(), System.in, System.out, System.err, args));
    }

    /** Runs one command; 0 is success, 1 a failure told in words, 2 a misuse. */
    static int run(
            Map<String, String> env,
            InputStream in,
            PrintStream out,
            PrintStream err,
            String... args) {
        var main = new Main(env, in, out, err);
        var line = new CommandLine(main);
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        Usage.shape(line);
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            if (!(e instanceof CliException)) {
                throw e; // a fault of ours: show where
            }
            main.screen().error(String.valueOf(e.getMessage()));
            return 1;
        });
        int code = line.execute(args);
        Screen used = main.screen;
        if (used != null) {
            used.finish(code);
        }
        return code;
    }

    @Override
    public Integer call() {
        if (spec != null) {
            spec.commandLine().usage(err);
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

    PrintStream err() {
        return err;
    }

    InputStream in() {
        return in;
    }

    /** The one screen of this run. */
    Screen screen() {
        Screen known = screen;
        if (known == null) {
            Screen.Style style =
                    json
                            ? Screen.Style.JSON
                            : tty || onTerminal() ? Screen.Style.TERMINAL : Screen.Style.PIPE;
            known = new Screen(out, err, style, coloured());
            screen = known;
        }
        return known;
    }

    /** For output that only people read: as on a terminal wherever it goes. */
    Screen story() {
        return new Screen(out, err, Screen.Style.TERMINAL, coloured());
    }

    /** For work whose words nobody wants to read. */
    Screen silent() {
        return new Screen(
                new PrintStream(OutputStream.nullOutputStream()), err, Screen.Style.PIPE, false);
    }

    private boolean coloured() {
        return onTerminal() && !noColor && blank(env.get("NO_COLOR"));
    }

    /**
     * The launcher looks at standard output; Java can only tell whether both ends are terminals.
     */
    private boolean onTerminal() {
        String told = env.get("BERTH_TERMINAL");
        return told == null ? System.console() != null : told.equals("yes");
    }

    Api api() {
        var merged = new HashMap<>(env);
        put(merged, "BOSH_ENVIRONMENT", environment);
        put(merged, "BOSH_CLIENT", client);
        put(merged, "BOSH_CLIENT_SECRET", clientSecret);
        put(merged, "BOSH_CA_CERT", caCert);
        // Who says as whom on the line means it, also to the director of this machine.
        return new Api(Target.of(merged, home()).as(client, clientSecret));
    }

    private static void put(Map<String, String> map, String key, @Nullable String value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    private static boolean blank(@Nullable String value) {
        return value == null || value.isBlank();
    }

    @Nullable String deploymentOrNull() {
        String fromEnv = env.get("BOSH_DEPLOYMENT");
        return deployment != null ? deployment : blank(fromEnv) ? null : fromEnv;
    }

    String requiredDeployment() {
        String name = deploymentOrNull();
        if (name == null) {
            throw new CliException("which deployment? say -d NAME or set BOSH_DEPLOYMENT");
        }
        return name;
    }

    /** Goes on when the operator agrees, or asked not to be asked; else a {@link CliException}. */
    void confirm() {
        if (nonInteractive || !blank(env.get("BOSH_NON_INTERACTIVE"))) {
            return;
        }
        if (json) {
            throw new CliException("this needs a confirmation, and --json asks none; say -n");
        }
        out.print(System.lineSeparator() + "Continue? [yN]: ");
        out.flush();
        String answer = answer();
        if (answer == null) {
            out.println();
            throw new CliException(
                    "this needs a confirmation and nobody is there to give it; say -n to go ahead");
        }
        if (!answer.strip().matches("(?i)y|yes")) {
            throw new CliException("stopped; nothing was changed");
        }
        out.println();
    }

    private @Nullable String answer() {
        try {
            return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine();
        } catch (IOException e) {
            return null;
        }
    }
}
