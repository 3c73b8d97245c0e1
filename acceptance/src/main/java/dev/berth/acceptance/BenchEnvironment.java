package dev.berth.acceptance;

import dev.berth.engine.DockerEngine;
import dev.berth.engine.Engine;
import dev.berth.model.EnvironmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An environment of its own for measurements and proofs, in a folder of BERTH_HOME on the same
 * engine, started and purged with the launcher as anybody would. It shares the cache of stemcells
 * with its parent. Thread-safe.
 */
public final class BenchEnvironment implements AutoCloseable {
    /** The image that the containers of most benchmarks are made of, as manifests name it. */
    public static final String IMAGE = EnvironmentFile.REGISTRY_NAME + "/bench:1";

    private static final String BASE = "berth-base:bookworm";

    private final Path launcher;
    private final Path home;
    private final Map<String, String> env;
    private final EnvironmentFile file;
    private final BenchDirector director;
    private final Engine engine;
    private final double upSeconds;
    private volatile boolean kept;

    private BenchEnvironment(Path launcher, Path home, Map<String, String> env, double upSeconds)
            throws IOException {
        this.launcher = launcher;
        this.home = home;
        this.env = env;
        this.upSeconds = upSeconds;
        this.file = EnvironmentFile.load(home);
        this.director = new BenchDirector(file, ca());
        this.engine = new DockerEngine(Path.of(file.engine().replaceFirst("^unix://", "")));
    }

    /**
     * @param name of the folder; what an earlier run of that name left is purged first
     */
    public static BenchEnvironment start(String name) throws IOException {
        Path launcher = Path.of(needed("BERTH_LAUNCHER"));
        Path parent = Path.of(needed("BERTH_HOME"));
        String engine = needed("BERTH_DOCKER_HOST");
        Path home = parent.resolve(name);
        Files.createDirectories(parent.resolve("cache"));
        var env = Map.of("BERTH_HOME", home.toString(), "DOCKER_HOST", engine);
        if (Files.exists(home)) { // left by a run that was killed
            purge(launcher, home, env);
        }
        Files.createDirectories(home);
        Files.createSymbolicLink(home.resolve("cache"), parent.resolve("cache"));
        long begun = System.nanoTime();
        try {
            // A range of its own: others that start at this moment look for the first free one.
            String range = "10.249." + ProcessHandle.current().pid() % 256 + ".0/24";
            BenchTools.run(env, launcher.toString(), "up", "--network", range);
            double up = BenchTools.secondsSince(begun);
            BenchTools.run(env, launcher.toString(), "demo", "--images-only");
            var environment = new BenchEnvironment(launcher, home, env, up);
            environment.pushImage();
            return environment;
        } catch (IOException | RuntimeException e) {
            purge(launcher, home, env);
            throw e;
        }
    }

    private static String needed(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new BenchException(
                    name
                            + " is not set; start this with the launcher: ./berth bench, ./berth proof");
        }
        return value;
    }

    /** The folder of the checkout's examples. */
    public Path examples() {
        return launcher.resolveSibling("examples");
    }

    private void pushImage() {
        engine.tagImage(BASE, "bench", "1");
        BenchTools.run(env, launcher.toString(), "push", "bench:1");
        engine.removeImage("bench:1", false);
    }

    /** What {@code ./berth up} took, from nothing but a cached stemcell. */
    double upSeconds() {
        return upSeconds;
    }

    public EnvironmentFile file() {
        return file;
    }

    public Path home() {
        return home;
    }

    Path ca() {
        return home.resolve("pki/ca.crt");
    }

    public BenchDirector director() {
        return director;
    }

    public Engine engine() {
        return engine;
    }

    /** Runs the launcher for this environment and returns what it said. */
    public String berth(String... words) {
        var all = new ArrayList<>(List.of(launcher.toString()));
        all.addAll(List.of(words));
        return BenchTools.run(env, all.toArray(String[]::new));
    }

    /** Deletes the disks that a deployment left as orphans: those of benchmarks are large. */
    public void dropDisks(String deployment) {
        director.list("/disks").stream()
                .filter(disk -> disk.string("deployment_name").equals(deployment))
                .forEach(disk -> berth("delete-disk", "-n", disk.string("disk_cid")));
    }

    /** An address of the environment's network that no VM has. */
    String spareAddress() {
        return file.gateway().substring(0, file.gateway().lastIndexOf('.')) + ".240";
    }

    /** A manifest around the containers of one instance group with one VM. */
    static String manifest(String deployment, String groupKeys, String containers) {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        releases: []
        update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-120000, update_watch_time: 0-120000}
        instance_groups:
        - name: %s
          instances: 1
          azs: [z1]
          vm_type: default
          stemcell: default
          networks: [{name: default}]
        %s  containers:
        %s\
        """
                .formatted(deployment, deployment, groupKeys, containers);
    }

    /** A container that does nothing and stops when asked. */
    static String idle(String name, String value) {
        return "  - {name: %s, image: '%s', command: [%s], environment: {VALUE: '%s'}}\n"
                .formatted(
                        name,
                        IMAGE,
                        String.join(", ", IDLE.stream().map(w -> '"' + w + '"').toList()),
                        value);
    }

    static final List<String> IDLE =
            List.of("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done");

    /** From now on {@link #close} leaves it running, for a person to look at. */
    public void keep() {
        kept = true;
    }

    @Override
    public void close() {
        engine.close();
        if (!kept) {
            purge(launcher, home, env);
        }
    }

    private static void purge(Path launcher, Path home, Map<String, String> env) {
        BenchTools.run(env, launcher.toString(), "down", "--purge", "-n");
        BenchTools.run("rm", "-rf", home.toString());
    }
}
