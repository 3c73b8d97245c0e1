package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Where the engine and the CPI's folder are: as the context of the call says ({@code docker_host},
 * {@code base}, {@code disk_overcommit}), else as the environment does.
 */
record DockerCpiSettings(Path socket, Path folder, double overcommit) {
    static DockerCpiSettings of(CpiContext context, Map<String, String> environment) {
        Fields f = Fields.of(context.properties(), "context");
        Path home =
                Path.of(
                        environment.getOrDefault(
                                "BERTH_HOME",
                                environment.getOrDefault("HOME", "/root") + "/.berth"));
        String host = f.string("docker_host", environment.getOrDefault("BERTH_DOCKER_HOST", ""));
        return new DockerCpiSettings(
                host.isEmpty() ? usual(home) : socket(host),
                Path.of(f.string("base", home.resolve("cpi").toString())),
                overcommit(f.string("disk_overcommit", "1")));
    }

    /** The environment's own engine when it has one, else the machine's. */
    private static Path usual(Path home) {
        Path own = home.resolve("engine").resolve("docker.sock");
        return Files.exists(own) ? own : Path.of("/var/run/docker.sock");
    }

    private static Path socket(String host) {
        if (host.startsWith("unix://")) {
            return Path.of(host.substring("unix://".length()));
        }
        throw new CpiException(
                CpiException.Type.CPI_ERROR,
                "docker_host: '"
                        + host
                        + "' is not unix:///PATH; the engine must be on this host, for its disks are");
    }

    private static double overcommit(String text) {
        try {
            double value = Double.parseDouble(text);
            if (value > 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw new CpiException(
                CpiException.Type.CPI_ERROR,
                "disk_overcommit: '" + text + "' is not a positive number");
    }
}
