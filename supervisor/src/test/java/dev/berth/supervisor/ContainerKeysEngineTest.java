package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.engine.DockerEngine;
import dev.berth.engine.EngineException;
import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage.Volume;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real engine takes every form of every key, and does what is meant. It is the one that {@code
 * DOCKER_HOST} names, or else a daemon of the test's own.
 */
@Tag("engine")
class ContainerKeysEngineTest {
    private static final String NETWORK = "berth-keys-" + ProcessHandle.current().pid();

    @TempDir Path home = Path.of("");
    private @Nullable PrivateDockerd own;
    private @Nullable DockerEngine shared;
    private final List<String> made = new ArrayList<>();

    @BeforeEach
    void begin() throws Exception {
        String host = System.getenv("DOCKER_HOST");
        if (host != null && host.startsWith("unix://")) {
            shared = new DockerEngine(Path.of(host.substring("unix://".length())));
        } else {
            own = new PrivateDockerd();
            own.start();
        }
        PrivateDockerd.importImage(engine());
    }

    @AfterEach
    void end() throws Exception {
        made.reversed().forEach(id -> engine().removeContainer(id, true, true));
        engine().removeNetwork(NETWORK);
        engine().removeNetwork(NETWORK + "-back");
        if (own != null) {
            own.close();
        } else {
            engine().close();
        }
    }

    private DockerEngine engine() {
        return own != null ? own.engine : Objects.requireNonNull(shared);
    }

    private SupervisorConfig config() {
        return new SupervisorConfig(
                NETWORK,
                "boot",
                home.resolve("store"),
                home.resolve("data"),
                NETWORK,
                Duration.ofSeconds(10),
                home.resolve("run"));
    }

    private EngineExecutor executor() {
        return new EngineExecutor(
                engine(), config(), () -> new DiskState.Proven("d"), RegistryAuths.none());
    }

    private String create(ContainerSpec spec) {
        var step = new Step.CreateContainer(spec, spec.digest(), spec.name(), "intent", "test");
        Outcome outcome = executor().run(step);
        assertThat(outcome).as(spec.name()).isInstanceOf(Outcome.Created.class);
        String id = ((Outcome.Created) outcome).id();
        made.add(id);
        return id;
    }

    private String start(ContainerSpec spec) {
        String id = create(spec);
        assertThat(executor().run(new Step.StartContainer(spec, id, spec.name(), "test")))
                .isInstanceOf(Outcome.Done.class);
        return id;
    }

    private String read(String id, String path) {
        return engine().exec(id, List.of("cat", path), Map.of(), Duration.ofSeconds(10)).stdout();
    }

    private static Specs sleeper(String name) {
        return Specs.named(NETWORK + "-" + name)
                .image(PrivateDockerd.IMAGE)
                .command("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done");
    }

    /** No line of the golden tables is refused at create. */
    @Test
    void everyFormIsTaken() throws IOException {
        var bodies = new CreateBody(config());
        EngineFacts facts = EngineFacts.of(engine());
        engine().createNetwork(Json.of("Name", NETWORK, "Driver", "bridge"));
        engine().createNetwork(Json.of("Name", NETWORK + "-back", "Driver", "bridge"));
        String two = create(sleeper("two").make());
        var refused = new ArrayList<String>();
        for (String table : List.of("compose", "release")) {
            for (String line : CreateBodyTest.table(table)) {
                String keys = CreateBodyTest.keys(line);
                if (keys.contains("storage_opt")) {
                    continue; // takes a file system with quotas
                }
                ContainerSpec spec =
                        CreateBodyTest.spec(keys, table.equals("release"))
                                .with(ContainerImage.of(PrivateDockerd.IMAGE));
                var around =
                        new CreateBody.Surroundings(
                                facts, null, Map.of(), spec.security().securityOptions());
                Map<String, Object> tree = bodies.of(spec, "d", "i", around).tree();
                // the tiny image runs nothing by itself
                tree.compute("Cmd", (k, v) -> v == null || v.equals(List.of()) ? List.of("sh") : v);
                String body =
                        Json.write(tree)
                                .replace("container:two", "container:" + two)
                                .replace("\"two", "\"" + NETWORK + "-two")
                                .replace("\"/x\"", "\"" + home + "/x\"")
                                .replace("/mnt/big", home + "/big");
                try {
                    makeSources(body);
                    engine().removeContainer(
                                    engine().createContainer(NETWORK + "-one", Json.object(body)),
                                    true,
                                    true);
                } catch (EngineException e) {
                    refused.add(keys + ": " + e.getMessage());
                }
            }
        }
        assertThat(refused).isEmpty();
    }

    /** Sources of mounts below the test's own folder, as the supervisor makes them. */
    private void makeSources(String body) throws IOException {
        Fields host = Fields.of(Json.object(body), "body").object("HostConfig");
        for (Fields mount : host.objects("Mounts")) {
            Path source = Path.of(mount.string("Source", "/"));
            if (source.startsWith(home)) {
                Files.createDirectories(source);
            }
        }
    }

    /** A secret is read by its owner in the container, and the engine knows only its place. */
    @Test
    void secretsAreReadAndNotInspected() {
        ContainerSpec spec = sleeper("a").secret("/run/secrets/key", "pl4nted").make();
        String id = start(spec);
        assertThat(read(id, "/run/secrets/key")).isEqualTo("pl4nted");
        String known = Json.write(engine().inspectContainer(id).orElseThrow());
        assertThat(known).contains("/run/secrets/key").doesNotContain("pl4nted");
    }

    /** Whoever joins a network is in the very namespace of its owner, old and new. */
    @Test
    void guestsShareTheNamespaceOfTheirOwner() {
        ContainerSpec owner = sleeper("vpn").make();
        String first = start(owner);
        String guest = start(sleeper("app").joinsNetworkOf(owner.name()).make());
        assertThat(read(guest, "/proc/net/dev").lines().count())
                .isEqualTo(read(first, "/proc/net/dev").lines().count());
        assertThat(hostname(guest)).isEqualTo(hostname(first));
    }

    private String hostname(String id) {
        return read(id, "/proc/sys/kernel/hostname");
    }

    /** Hooks run in the container; one that fails makes the start fail and stops it. */
    @Test
    void hooksRunInside() {
        ContainerSpec fails = sleeper("b").hooks("/bin/nothing", null).make();
        String id = create(fails);
        Outcome outcome = executor().run(new Step.StartContainer(fails, id, fails.name(), "test"));
        assertThat(outcome).isInstanceOf(Outcome.Failed.class);
        assertThat(((Outcome.Failed) outcome).reason()).startsWith("post_start: hook 1 of 1");
        boolean runs =
                Fields.of(engine().inspectContainer(id).orElseThrow(), "container")
                        .object("State")
                        .flag("Running", true);
        assertThat(runs).isFalse();
    }

    /** Memory is mounted with its size and mode. */
    @Test
    void tmpfsIsMounted() {
        var memory =
                new Volume(
                        Volume.Kind.TMPFS,
                        "",
                        "/scratch",
                        false,
                        "",
                        new Volume.Options(false, false, 1 << 20, 0700));
        ContainerSpec plain = sleeper("c").make();
        var storage = plain.storage();
        ContainerSpec spec =
                plain.with(
                        new dev.berth.model.ContainerStorage(
                                List.of(memory),
                                storage.volumesFrom(),
                                Map.of("/tmp", "size=64k"),
                                storage.secrets(),
                                storage.configs(),
                                storage.storageOptions(),
                                true));
        String id = start(spec);
        assertThat(read(id, "/proc/mounts"))
                .contains("tmpfs /scratch tmpfs rw")
                .contains("size=1024k,mode=700")
                .contains("tmpfs /tmp tmpfs rw");
    }
}
