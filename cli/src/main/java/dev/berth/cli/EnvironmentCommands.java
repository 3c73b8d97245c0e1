package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Commands about the environment of this machine. */
final class EnvironmentCommands {
    private EnvironmentCommands() {}

    /** A command that works on this machine rather than through the director alone. */
    abstract static class Local implements Callable<Integer> {
        @ParentCommand @Nullable Main main;

        Main main() {
            return java.util.Objects.requireNonNull(main);
        }

        LocalEnvironment environment() {
            return new LocalEnvironment(main().home(), main().screen());
        }
    }

    @Command(
            name = "up",
            description =
                    "Starts an environment on this machine's Docker Engine; again: changes nothing.")
    static final class Up extends Local {
        @Option(
                names = "--network",
                paramLabel = "CIDR",
                description = "Network of the VMs (first start only; default: a free one).")
        @Nullable String network;

        @Option(
                names = "--port",
                paramLabel = "N",
                description =
                        "Port of the director (first start only; default: 25555 or the next free one).")
        @Nullable Integer port;

        @Option(
                names = "--listen",
                paramLabel = "ADDRESS",
                defaultValue = "127.0.0.1",
                description = "Address the director listens on (first start only).")
        String listen = "127.0.0.1";

        @Override
        public Integer call() {
            if (environment().up(new LocalEnvironment.Choices(network, port, listen))) {
                main().screen()
                        .line(
                                "next: "
                                        + main().home().command()
                                        + " demo, which also makes the images of examples/shop.yml");
            }
            return 0;
        }
    }

    @Command(
            name = "down",
            description = "Stops director, bus and registry, and a private engine; disks are kept.")
    static final class Down extends Local {
        @Option(
                names = "--purge",
                description =
                        "Delete everything of this environment: VMs, disks and their data, images, settings.")
        boolean purge;

        @Override
        public Integer call() {
            if (purge) {
                main().screen()
                        .line(
                                "This deletes all VMs and all DISKS WITH THEIR DATA of the environment at "
                                        + main().home().path());
                main().confirm();
            }
            environment().down(purge);
            return 0;
        }
    }

    @Command(
            name = "demo",
            description =
                    "Shows the main job from nothing: deploy, kill, heal, grow; leaves the environment running.")
    static final class Demo extends Local {
        @Option(
                names = "--images-only",
                description = "Only make the example's images and push them to the registry.")
        boolean imagesOnly;

        @Override
        public Integer call() {
            LocalEnvironment environment = environment();
            environment.up(new LocalEnvironment.Choices(null, null, "127.0.0.1"));
            if (imagesOnly) {
                new DemoImages(main().home(), main().screen(), environment, environment.file())
                        .ready();
                return 0;
            }
            return new DemoStory(main().home(), main().story(), main().api()).tell() ? 0 : 1;
        }
    }

    @Command(
            name = "print-env",
            description = "Exports for the stock CLI: eval \"$(berth print-env)\".")
    static final class PrintEnv extends Local {
        @Override
        public Integer call() throws IOException {
            EnvironmentFile file = environment().file();
            String ca = Files.readString(main().home().caFile());
            main().out().println("export BOSH_ENVIRONMENT='" + file.url() + "'");
            main().out().println("export BOSH_CLIENT='" + file.user() + "'");
            main().out().println("export BOSH_CLIENT_SECRET='" + file.password().reveal() + "'");
            main().out().println("export BOSH_CA_CERT='" + ca.strip() + "'");
            return 0;
        }
    }

    @Command(
            name = "push",
            description =
                    "Copies an image of this machine's engine into the environment's registry.")
    static final class Push extends Local {
        @Parameters(
                index = "0",
                paramLabel = "NAME:TAG",
                description = "As docker images shows it.")
        String image = "";

        @Override
        public Integer call() {
            environment().push(image);
            main().screen()
                    .line(
                            "manifests name it "
                                    + EnvironmentFile.REGISTRY_NAME
                                    + "/"
                                    + LocalEnvironment.tagged(image));
            return 0;
        }
    }
}
