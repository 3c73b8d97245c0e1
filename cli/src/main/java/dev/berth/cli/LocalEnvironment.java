package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The environment of this machine: one director with its bus and registry, VMs on the machine's
 * Docker Engine, all state under BERTH_HOME. Every step looks first and does only what is missing.
 */
final class LocalEnvironment {
    private final Home home;
    private final Screen screen;

    LocalEnvironment(Home home, Screen screen) {
        this.home = home;
        this.screen = screen;
    }

    /** What can be chosen at the first start; null: the first that is free. */
    record Choices(@Nullable String network, @Nullable Integer port, String listen) {}

    EnvironmentFile file() {
        return home.environment();
    }

    /** True when this was the first start. */
    boolean up(Choices choices) {
        home.create();
        boolean first = !EnvironmentFile.exists(home.path());
        EnvironmentFile file = first ? choose(choices) : onFreePorts(file());
        new DirectorProcess(home, screen).start(file);
        Api api = new Api(Target.of(file, home));
        stemcell(api);
        cloudConfig(api, file);
        screen.line(
                "environment '"
                        + file.name()
                        + "' is up at "
                        + file.url()
                        + " (VMs on "
                        + file.networkRange()
                        + ", images from "
                        + EnvironmentFile.REGISTRY_NAME
                        + ")");
        return first;
    }

    private EnvironmentFile choose(Choices choices) {
        String engine = home.engine();
        if (engine == null) {
            throw new CliException(
                    "no Docker Engine is known; start this command with the launcher ./berth, or set BERTH_DOCKER_HOST=unix:///var/run/docker.sock");
        }
        var taken = new ArrayList<Integer>();
        int api =
                Ports.free(
                        choices.port() == null ? 25555 : choices.port(),
                        choices.port() != null,
                        "director",
                        taken);
        int bus = Ports.free(4222, false, "bus", taken);
        int registry = Ports.free(5000, false, "registry", taken);
        String network = choices.network();
        if (network == null) {
            network = Ports.freeNetwork();
        } else {
            Ports.checkFree(network);
        }
        String name = "berth-" + word(5);
        var file =
                new EnvironmentFile(
                        name,
                        java.util.UUID.randomUUID().toString(),
                        choices.listen(),
                        api,
                        bus,
                        registry,
                        engine,
                        name,
                        network,
                        Ports.gateway(network),
                        "admin",
                        new Secret(word(24)),
                        "berth",
                        new Secret(word(24)));
        save(file);
        screen.line(
                "new environment '"
                        + name
                        + "' in "
                        + home.path()
                        + ": director on port "
                        + api
                        + ", bus on "
                        + bus
                        + ", registry on "
                        + registry
                        + ", VMs on "
                        + network);
        return file;
    }

    /**
     * Ports chosen for a start that never came to an end may be another's by now. Once a director
     * was ready they stay: agents know them.
     */
    private EnvironmentFile onFreePorts(EnvironmentFile file) {
        List<Integer> ports = List.of(file.apiPort(), file.busPort(), file.registryPort());
        if (Files.exists(home.pidFile()) || ports.stream().allMatch(Ports::isFree)) {
            return file;
        }
        var taken = new ArrayList<Integer>();
        EnvironmentFile moved =
                file.withPorts(
                        Ports.free(file.apiPort(), false, "director", taken),
                        Ports.free(file.busPort(), false, "bus", taken),
                        Ports.free(file.registryPort(), false, "registry", taken));
        save(moved);
        screen.line(
                "its first start found ports in use; now director on port "
                        + moved.apiPort()
                        + ", bus on "
                        + moved.busPort()
                        + ", registry on "
                        + moved.registryPort());
        return moved;
    }

    private void save(EnvironmentFile file) {
        try {
            file.save(home.path());
        } catch (IOException e) {
            throw new CliException(
                    "cannot write "
                            + home.path().resolve("env.json")
                            + ": "
                            + e.getMessage()
                            + "; free some space or set BERTH_HOME elsewhere",
                    e);
        }
    }

    private static String word(int length) {
        String letters = "abcdefghijkmnpqrstuvwxyz23456789";
        return new SecureRandom()
                .ints(length, 0, letters.length())
                .mapToObj(i -> letters.substring(i, i + 1))
                .reduce("", String::concat);
    }

    // --- what every environment has

    private void stemcell(Api api) {
        String made =
                Tools.answer(
                        Map.of("BERTH_HOME", home.path().toString()),
                        List.of(home.launcher(), "stemcell", "build", "--json"),
                        "the stemcell could not be built; what stands above says why");
        Fields stemcell = Fields.of(Json.parse(lastLine(made)), "stemcell");
        String name = stemcell.string("name");
        String version = stemcell.string("version");
        boolean there =
                api.list("/stemcells").stream()
                        .map(s -> Fields.of(s, "stemcell"))
                        .anyMatch(s ->
                                s.string("name").equals(name)
                                        && s.string("version").equals(version));
        if (!there) {
            screen.line("taking stemcell " + name + "/" + version + " to the engine");
            // The director is on this host: it reads the file itself, without a copy or TLS.
            String location = Path.of(stemcell.string("file")).toUri().toString();
            new TaskFollower(api, screen)
                    .resultOf(
                            Api.taskOf(
                                    api.post(
                                            "/stemcells?",
                                            "application/json",
                                            Json.write(Json.of("location", location)))));
        }
    }

    private static String lastLine(String text) {
        return text.strip().lines().reduce((a, b) -> b).orElse("");
    }

    private void cloudConfig(Api api, EnvironmentFile file) {
        if (api.list("/cloud_configs?limit=1&name=").isEmpty()) {
            screen.line(
                    "setting a first cloud config: network 'default', vm types small, default, large, disk types 1GB, 5GB, 10GB");
            api.post("/cloud_configs?name=", "text/yaml", firstCloudConfig(file));
        }
    }

    static String firstCloudConfig(EnvironmentFile file) {
        String base = file.gateway().substring(0, file.gateway().lastIndexOf('.'));
        return """
        azs:
        - name: z1
        vm_types:
        - name: small
          cloud_properties: {memory: 512}
        - name: default
          cloud_properties: {memory: 1024}
        - name: large
          cloud_properties: {memory: 4096}
        disk_types:
        - name: 1GB
          disk_size: 1024
        - name: 5GB
          disk_size: 5120
        - name: 10GB
          disk_size: 10240
        networks:
        - name: default
          type: manual
          subnets:
          - range: %s
            gateway: %s
            az: z1
            static: [%s.10 - %s.99]
            cloud_properties: {name: %s}
        compilation:
          workers: 1
          az: z1
          network: default
          vm_type: default
        """
                .formatted(file.networkRange(), file.gateway(), base, base, file.networkName());
    }

    // --- down

    void down(boolean purge) {
        if (!EnvironmentFile.exists(home.path())) {
            screen.line("there is no environment at " + home.path() + ": nothing to stop");
            return;
        }
        new DirectorProcess(home, screen).stop();
        if (purge) {
            screen.line("deleting VMs, disks, images and networks of this environment");
            int code =
                    Tools.show(
                            Map.of("BERTH_HOME", home.path().toString()),
                            List.of(home.launcher(), "cpi", "docker", "--purge", file().uuid()));
            if (code != 0) {
                throw new CliException(
                        "not everything could be deleted; " + home.path() + " is kept, try again");
            }
        }
        if (purge) {
            deleteHome();
        }
        screen.line(
                purge
                        ? "everything of this environment is gone (the stemcell cache is kept in "
                                + home.path().resolve("cache")
                                + ")"
                        : "director, bus and registry are stopped; "
                                + (ownEngine()
                                        ? "VMs stop with the private engine, disks are kept"
                                        : "VMs and containers go on")
                                + "; start again with: "
                                + home.command()
                                + " up");
    }

    /** The launcher started an engine for this environment, and ends it after this. */
    private boolean ownEngine() {
        return Files.exists(home.path().resolve("engine/docker.pid"));
    }

    /**
     * All but the cache, which costs minutes to make and holds nothing of this environment, and a
     * private engine, which the launcher ends.
     */
    private void deleteHome() {
        Tools.run(
                        Map.of(),
                        "find",
                        home.path().toString(),
                        "-mindepth",
                        "1",
                        "-maxdepth",
                        "1",
                        "!",
                        "-name",
                        "cache",
                        "!",
                        "-name",
                        "engine",
                        "-exec",
                        "rm",
                        "-rf",
                        "{}",
                        "+")
                .orFail("deleting " + home.path());
    }

    // --- images

    static String tagged(String image) {
        return image.substring(image.lastIndexOf('/') + 1).contains(":")
                ? image
                : image + ":latest";
    }

    /**
     * Through the loopback address every engine trusts, so that nothing on this machine needs to be
     * configured.
     */
    void push(String image) {
        EnvironmentFile file = file();
        String engine = home.engine() == null ? file.engine() : home.engine();
        String registry = "127.0.0.1:" + file.registryPort();
        String name = tagged(image);
        String remote = registry + "/" + name;
        Path config = temporaryLogin(registry, file);
        try {
            Tools.run(Map.of(), "docker", "-H", engine, "tag", name, remote)
                    .orFail(
                            "finding image '"
                                    + name
                                    + "' on this machine's engine (docker images)");
            Tools.run(
                            Map.of("DOCKER_CONFIG", config.toString()),
                            "docker",
                            "-H",
                            engine,
                            "push",
                            "-q",
                            remote)
                    .orFail("pushing '" + name + "'");
            Tools.run(Map.of(), "docker", "-H", engine, "rmi", remote);
        } finally {
            Tools.run(Map.of(), "rm", "-rf", config.toString());
        }
    }

    private Path temporaryLogin(String registry, EnvironmentFile file) {
        try {
            Path config = Files.createTempDirectory("berth-push");
            String auth =
                    java.util.Base64.getEncoder()
                            .encodeToString(
                                    (file.registryUser() + ":" + file.registryPassword().reveal())
                                            .getBytes(StandardCharsets.UTF_8));
            Files.writeString(
                    config.resolve("config.json"),
                    Json.write(Json.of("auths", Json.of(registry, Json.of("auth", auth)))));
            return config;
        } catch (IOException e) {
            throw new CliException("cannot write a temporary file: " + e.getMessage(), e);
        }
    }
}
