package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where the environment of this shell lives, and what the launcher says of this installation. */
record Home(Path path, @Nullable Path dist, String java, @Nullable String engine, String launcher) {
    static Home of(Map<String, String> env) {
        String home = env.get("BERTH_HOME");
        Path path =
                home == null || home.isBlank()
                        ? Path.of(env.getOrDefault("HOME", "/root"), ".berth")
                        : Path.of(home);
        String dist = env.get("BERTH_DIST");
        return new Home(
                path.toAbsolutePath().normalize(),
                dist == null ? null : Path.of(dist),
                env.getOrDefault("BERTH_JAVA", "java"),
                env.get("BERTH_DOCKER_HOST"),
                env.getOrDefault("BERTH_LAUNCHER", "berth"));
    }

    /** How a person here calls this program. */
    String command() {
        Path program = Path.of(launcher);
        Path here = Path.of("").toAbsolutePath();
        return here.equals(program.getParent()) ? "./" + program.getFileName() : launcher;
    }

    /** What was chosen at the first start. */
    EnvironmentFile environment() {
        if (!EnvironmentFile.exists(path)) {
            throw new CliException(
                    "there is no environment at "
                            + path
                            + "; start one with: "
                            + command()
                            + " up");
        }
        try {
            return EnvironmentFile.load(path);
        } catch (IOException | IllegalArgumentException e) {
            throw new CliException(
                    "cannot read " + path.resolve("env.json") + ": " + e.getMessage(), e);
        }
    }

    boolean hasEnvironment() {
        return EnvironmentFile.exists(path);
    }

    Path directorLog() {
        return path.resolve("director/log");
    }

    Path pidFile() {
        return path.resolve("director/director.pid");
    }

    Path caFile() {
        return path.resolve("pki/ca.crt");
    }

    void create() {
        try {
            Files.createDirectories(
                    path,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            Files.createDirectories(path.resolve("director"));
        } catch (IOException e) {
            throw new CliException(
                    "cannot make "
                            + path
                            + ": "
                            + e.getMessage()
                            + "; set BERTH_HOME to a directory that can be written",
                    e);
        }
    }
}
