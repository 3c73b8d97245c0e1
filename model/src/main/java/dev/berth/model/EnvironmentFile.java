package dev.berth.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/**
 * What makes one environment on this machine: where it listens, its network and its first
 * credentials; {@code env.json} under BERTH_HOME, written once by {@code berth up}, read by the
 * director and the command line. Holds secrets, so the file is for its owner only.
 *
 * @param uuid of the director; what it makes is labelled with it
 * @param host address the director's API listens on
 * @param engine of this machine, {@code unix:///...}
 * @param networkRange of the environment's Docker network, in CIDR
 * @param gateway its first address: where VMs reach the director's host
 */
public record EnvironmentFile(
        String name,
        String uuid,
        String host,
        int apiPort,
        int busPort,
        int registryPort,
        String engine,
        String networkName,
        String networkRange,
        String gateway,
        String user,
        Secret password,
        String registryUser,
        Secret registryPassword) {
    private static final String FILE = "env.json";

    public static boolean exists(Path home) {
        return Files.exists(home.resolve(FILE));
    }

    public static EnvironmentFile load(Path home) throws IOException {
        Fields f =
                Fields.of(
                        Json.parse(Files.readString(home.resolve(FILE))),
                        home.resolve(FILE).toString());
        Fields network = f.object("network");
        Fields registry = f.object("registry");
        return new EnvironmentFile(
                f.string("name"),
                f.string("uuid"),
                f.string("host"),
                (int) f.integer("api_port"),
                (int) f.integer("bus_port"),
                (int) registry.integer("port"),
                f.string("engine"),
                network.string("name"),
                network.string("range"),
                network.string("gateway"),
                f.string("user"),
                new Secret(f.string("password")),
                registry.string("user"),
                new Secret(registry.string("password")));
    }

    public EnvironmentFile withPorts(int api, int bus, int registry) {
        return new EnvironmentFile(
                name,
                uuid,
                host,
                api,
                bus,
                registry,
                engine,
                networkName,
                networkRange,
                gateway,
                user,
                password,
                registryUser,
                registryPassword);
    }

    /** Replaces the file in one step, so that a crash or a full disk never leaves half of it. */
    public void save(Path home) throws IOException {
        Map<String, Object> tree =
                Json.of(
                        "name",
                        name,
                        "uuid",
                        uuid,
                        "host",
                        host,
                        "api_port",
                        apiPort,
                        "bus_port",
                        busPort,
                        "engine",
                        engine,
                        "network",
                        Json.of("name", networkName, "range", networkRange, "gateway", gateway),
                        "registry",
                        Json.of(
                                "port",
                                registryPort,
                                "user",
                                registryUser,
                                "password",
                                registryPassword.reveal()),
                        "user",
                        user,
                        "password",
                        password.reveal());
        Path draft = home.resolve(FILE + ".new");
        Files.deleteIfExists(draft);
        Files.createFile(
                draft,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(draft, Json.write(tree) + "\n");
        Files.move(
                draft,
                home.resolve(FILE),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** {@code https://HOST:PORT} of the director's API. */
    public String url() {
        return "https://" + host + ":" + apiPort;
    }

    /** What images of the environment's registry are called, in manifests and in every VM. */
    public static final String REGISTRY_NAME = "registry.berth";
}
