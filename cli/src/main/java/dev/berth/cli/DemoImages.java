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

    /**
     * Makes the archive $0. On a Debian the host's own mirror is the one that is near and allowed.
     */
    private static final String SCRIPT =
            """
            set -e
            mkdir -p "$(dirname "$0")"
            dir=$(mktemp -d)
            trap 'rm -rf "$dir"' EXIT
            mirror=${BERTH_DEBIAN_MIRROR:-$(apt-get indextargets \\
                --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
                sed -n 's/^Debian Debian main //p' | head -n 1)} || mirror=
            debootstrap --variant=minbase --include=ca-certificates bookworm "$dir/root" ${mirror:+"$mirror"} \\
                > "$dir/log" 2>&1 || { tail -n 5 "$dir/log"; exit 1; }
            cd "$dir/root"
            rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/doc usr/share/man usr/share/locale
            tar -cf "$0.new" .
            mv "$0.new" "$0"
            """;

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
            Tools.run(
                            Map.of("DEBIAN_FRONTEND", "noninteractive"),
                            List.of("sh", "-c", SCRIPT, tar.toString()),
                            900)
                    .orFail("making the base image (debootstrap)");
        }
        docker(300, "import", tar.toString(), BASE).orFail("importing the base image");
    }

    private void image(String name, String folder) {
        // Without a look whether it is there: the engine's cache answers at once, and edits count.
        screen.line("building image " + name + " from examples/images/" + folder);
        String from = examples().resolve("images/" + folder).toString();
        docker(900, "build", "-q", "-t", name, from).orFail("building " + name);
        screen.line("pushing " + name + " as " + EnvironmentFile.REGISTRY_NAME + "/" + name);
        environment.push(name);
    }

    private Tools.Ran docker(long seconds, String... words) {
        var command = new ArrayList<>(List.of("docker", "-H", file.engine()));
        command.addAll(List.of(words));
        return Tools.run(Map.of("DOCKER_BUILDKIT", "0"), command, seconds);
    }
}
