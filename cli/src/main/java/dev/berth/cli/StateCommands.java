package dev.berth.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** start, stop, restart and recreate: of instances in the stock forms, of one container as well. */
final class StateCommands {
    private StateCommands() {}

    /** start, stop, restart and recreate of a deployment, a group or one instance. */
    abstract static class StateChange extends DirectorCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "GROUP[/INSTANCE]",
                description =
                        "Default: the whole deployment. With start, stop and restart also one container: GROUP[/INSTANCE]/CONTAINER, its dependents with it.")
        @Nullable String which;

        abstract String state();

        String more() {
            return "";
        }

        /** A misuse unless a single container can be changed so. */
        void requireForContainers() {}

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            screen.note("Using deployment '" + name + "'");
            if (which != null && Inside.namesContainer(which)) {
                Inside inside = Inside.of(api, name, which);
                String path = inside.containerPath(inside.requiredContainer());
                requireForContainers();
                main.confirm();
                follow(api, screen, api.put(path + "?state=" + state(), "text/yaml", ""));
                return;
            }
            main.confirm();
            follow(
                    api,
                    screen,
                    api.put(
                            "/deployments/"
                                    + name
                                    + "/jobs/"
                                    + (which == null ? "*" : which)
                                    + "?state="
                                    + state()
                                    + more(),
                            "text/yaml",
                            ""));
        }
    }

    @Command(name = "start", description = "Starts what was stopped.")
    static final class Start extends StateChange {
        @Override
        String state() {
            return "started";
        }
    }

    @Command(
            name = "stop",
            description = "Stops containers; with --hard the VMs go too, disks stay.")
    static final class Stop extends StateChange {
        @Option(names = "--hard", description = "Delete the VMs, keep the disks.")
        boolean hard;

        @Override
        String state() {
            return hard ? "detached" : "stopped";
        }

        @Override
        void requireForContainers() {
            if (hard) {
                throw new CliException("--hard is for instances: a container has no VM to give up");
            }
        }
    }

    @Command(name = "restart", description = "Stops and starts containers.")
    static final class Restart extends StateChange {
        @Override
        String state() {
            return "restart";
        }
    }

    @Command(name = "recreate", description = "Replaces VMs; disks are kept.")
    static final class Recreate extends StateChange {
        @Option(names = "--fix", description = "Also where the agent is silent.")
        boolean fix;

        @Override
        String state() {
            return "recreate";
        }

        @Override
        String more() {
            return fix ? "&fix=true" : "";
        }

        @Override
        void requireForContainers() {
            throw new CliException("VMs are recreated, not containers; for one: berth restart");
        }
    }
}
