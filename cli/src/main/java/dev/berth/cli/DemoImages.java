package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes the example's images on this machine and pushes them to the environment's registry; what is
 * there is kept.
 */
final class DemoImages {
    private static final String BASE = "berth-base:bookworm";

    private final Home home;
    private final Screen screen;
    private final LocalEnvironment environment;
    private final EnvironmentFile file;

    DemoImages(Home home, Screen screen, LocalEnvironment environment, EnvironmentFile file) {
        this.home = home;
        this.screen = screen;
        this.environment = environment;
        this.file = file;
    }

    Path examples() {
        Path beside = Path.of(home.launcher()).toAbsolutePath().resolveSibling("examples");
        if (!Files.isDirectory(beside)) {
            throw new CliException(
                    "the examples are not beside the launcher ("
                            + beside
                            + "); run the demo from a checkout");
        }
        return beside;
    }

    void ready() {
        if (docker(60, "image", "inspect", BASE).code() != 0) {
            base();
        }
        image("shop-db:1", "postgres");
        image("shop-web:1", "web");
    }

    /** A small Debian that every image builds on; no public registry can be counted on. */
    private void base() {
        Path tar = home.path().resolve("cache/base-bookworm.tar");
        if (!Files.exists(tar)) {
            screen.line(
                    "making the base image " + BASE + " with debootstrap (about a minute, once)");
            String script =
                    "set -e; dir=$(mktemp -d); trap 'rm -rf \"$dir\"' EXIT\n"
                            + "debootstrap --variant=minbase --include=ca-certificates bookworm \"$dir\" >\"$dir.log\" 2>&1 || { tail -5 \"$dir.log\"; exit 1; }\n"
                            + "rm -rf \"$dir.log\" \"$dir\"/var/cache/apt/archives/*.deb \"$dir\"/var/lib/apt/lists/* \"$dir\"/usr/share/doc \"$dir\"/usr/share/man \"$dir\"/usr/share/locale\n"
                            + "mkdir -p \"$(dirname '"
                            + tar
                            + "')\"; tar -C \"$dir\" -cf '"
                            + tar
                            + ".new' .; mv '"
                            + tar
                            + ".new' '"
                            + tar
                            + "'";
            Tools.run(Map.of("DEBIAN_FRONTEND", "noninteractive"), List.of("sh", "-c", script), 900)
                    .orFail("making the base image (debootstrap)");
        }
        docker(300, "import", tar.toString(), BASE).orFail("importing the base image");
    }

    private void image(String name, String folder) {
        if (docker(60, "image", "inspect", name).code() != 0) {
            screen.line("building image " + name + " from examples/images/" + folder);
            docker(
                            900,
                            "build",
                            "-q",
                            "-t",
                            name,
                            examples().resolve("images/" + folder).toString())
                    .orFail("building " + name);
        }
        screen.line("pushing " + name + " as " + EnvironmentFile.REGISTRY_NAME + "/" + name);
        environment.push(name);
    }

    private Tools.Ran docker(long seconds, String... words) {
        var command = new ArrayList<>(List.of("docker", "-H", file.engine()));
        command.addAll(List.of(words));
        return Tools.run(Map.of("DOCKER_BUILDKIT", "0"), command, seconds);
    }
}
