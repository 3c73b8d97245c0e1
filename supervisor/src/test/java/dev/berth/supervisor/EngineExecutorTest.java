package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.engine.EngineException;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage.Volume;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What steps do to an engine, and how its answers are read. */
class EngineExecutorTest {
    @TempDir Path root;
    private final FakeEngine engine = new FakeEngine(() -> Instant.EPOCH);
    private DiskState disk = new DiskState.Proven("d");
    private EngineExecutor executor =
            new EngineExecutor(engine, World.CONFIG, () -> disk, RegistryAuths.none());

    @BeforeEach
    void below() {
        var config =
                new SupervisorConfig(
                        "i1",
                        "b",
                        root.resolve("store"),
                        root.resolve("data"),
                        "berth",
                        Duration.ofSeconds(10));
        executor = new EngineExecutor(engine, config, () -> disk, RegistryAuths.none());
        engine.images.add("img:1");
    }

    private Outcome create(ContainerSpec spec) {
        return executor.run(
                new Step.CreateContainer(spec, spec.digest(), spec.name(), "intent", "test"));
    }

    /** Directories of volumes are made when missing, for everybody to enter and nobody to write. */
    @Test
    void makesDirectories() throws IOException {
        ContainerSpec spec =
                Specs.named("a")
                        .volume(Volume.Kind.STORE, "containers/a", "/data")
                        .volume(Volume.Kind.DATA, "scratch", "/tmp")
                        .make();
        assertThat(create(spec)).isInstanceOf(Outcome.Created.class);
        Path made = root.resolve("store/containers/a");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                .isEqualTo("rwxr-xr-x");
        assertThat(root.resolve("data/scratch")).isDirectory();
        assertThat(engine.networks).contains("berth");
    }

    /** A directory that exists keeps mode and owner: its data are older than this container. */
    @Test
    void leavesExistingDirectoriesAlone() throws IOException {
        Path old = Files.createDirectories(root.resolve("store/x"));
        Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwx------"));
        create(Specs.named("a").user("app").volume(Volume.Kind.STORE, "x", "/data").make());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(old)))
                .isEqualTo("rwx------");
    }

    /** A path of the VM must exist: nothing is made in its place. */
    @Test
    void aMissingHostPathNeedsAChange() {
        ContainerSpec spec = Specs.named("a").volume(Volume.Kind.HOST, root + "/none", "/x").make();
        assertThat(create(spec))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        f -> {
                            assertThat(f.needsChange()).isTrue();
                            assertThat(f.reason()).contains(root + "/none");
                        });
        assertThat(engine.boxes).isEmpty();
    }

    /** The disk is proven once more at the very moment of create and start. */
    @Test
    void theDiskIsProvenLast() {
        disk = new DiskState.Unproven("it vanished");
        assertThat(create(Specs.named("a").volume(Volume.Kind.STORE, "x", "/d").make()))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class, f -> assertThat(f.reason()).contains("it vanished"));
        assertThat(root.resolve("store")).doesNotExist();
    }

    /** The engine only says that a port is taken; who has it is looked up. */
    @Test
    void whoHoldsAPortIsNamed() {
        ContainerSpec spec = Specs.named("a").port(8080, 80).make();
        String id = ((Outcome.Created) create(spec)).id();
        engine.refusals.put(
                "start a",
                new EngineException(
                        500,
                        "driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated"));
        var start = new Step.StartContainer(spec, id, spec.name(), "test");
        assertThat(executor.run(start))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        f -> {
                            assertThat(f.needsChange()).as("nobody else has it").isFalse();
                            assertThat(f.reason()).contains("already allocated");
                        });
        Object binding = Json.of("8000/tcp", List.of(Json.of("HostIp", "", "HostPort", "8080")));
        String foreign =
                engine.createContainer(
                        "squatter",
                        Json.of("Image", "img:1", "HostConfig", Json.of("PortBindings", binding)));
        engine.startContainer(foreign);
        assertThat(executor.run(start))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        f -> {
                            assertThat(f.needsChange()).isTrue();
                            assertThat(f.reason())
                                    .contains("port 8080 is held by container " + foreign);
                        });
    }

    /** A pull says what the registry said, and by which name it was asked. */
    @Test
    void aFailedPullCarriesTheWords() {
        ContainerSpec spec = Specs.named("a").image("r/x:2").digest("sha256:99").make();
        assertThat(executor.ensureImage(spec, false))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        f -> {
                            assertThat(f.reason()).contains("r/x@sha256:99").contains("not found");
                            assertThat(f.needsChange()).isTrue();
                        });
        engine.registry.add("r/x@sha256:99");
        assertThat(executor.ensureImage(spec, false)).isInstanceOf(Outcome.Done.class);
    }

    /** A registry that is away is no reason to wait for a change. */
    @Test
    void anAwayRegistryIsTriedAgain() {
        engine.refusals.put("pull", new EngineException(500, "dial tcp: i/o timeout"));
        assertThat(executor.ensureImage(Specs.named("a").image("x:1").make(), false))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class, f -> assertThat(f.needsChange()).isFalse());
    }

    /** What a Dockerfile stands on is pulled first, stages and scratch apart. */
    @Test
    void basesAreFound() {
        assertThat(
                        Images.basesOf(
                                "FROM --platform=linux/amd64 r/base:1 AS build\n"
                                        + "FROM scratch\nfrom debian\nFROM build\nFROM $X\n"))
                .containsExactly("r/base:1", "debian:latest");
    }

    /** The build context is a tar with the Dockerfile in it. */
    @Test
    void theContextIsATar() throws IOException {
        byte[] tar = Images.context("FROM x\n").readAllBytes();
        assertThat(tar.length % 512).isZero();
        assertThat(new String(tar, 0, 10, StandardCharsets.US_ASCII)).isEqualTo("Dockerfile");
        assertThat(new String(tar, 512, 7, StandardCharsets.US_ASCII)).isEqualTo("FROM x\n");
    }

    /** Names of images: registries with ports, tags, digests. */
    @Test
    void imageNames() {
        assertThat(Images.nameOf(Specs.named("a").image("debian").make()))
                .isEqualTo("debian:latest");
        assertThat(Images.nameOf(Specs.named("a").image("h:5000/x").digest("sha256:1").make()))
                .isEqualTo("h:5000/x@sha256:1");
        assertThat(Images.nameOf(Specs.named("a").image("h:5000/x:3").digest("sha256:1").make()))
                .isEqualTo("h:5000/x@sha256:1");
    }

    /** A list row tells state, health, exit code and ports in its own way. */
    @Test
    void readsTheList() {
        var row =
                dev.berth.model.Json.object(
                        """
                        {"Id":"abc","Names":["/db"],"State":"running","Status":"Up 3 minutes (unhealthy)",
                         "Labels":{"berth.container":"db","berth.spec":"s1"},
                         "Ports":[{"PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":81}]}
                        """);
        Observed o = EngineList.read(List.of(row)).getFirst();
        assertThat(o.health()).isEqualTo(Observed.Health.UNHEALTHY);
        assertThat(o.hostPorts()).containsExactly(8080);
        row.put("State", "exited");
        row.put("Status", "Exited (137) 4 seconds ago");
        assertThat(EngineList.read(List.of(row)).getFirst().exitCode()).isEqualTo(137);
    }

    /** The memory is whole after a write, and for its owner only. */
    @Test
    void remembersInFiles() throws IOException {
        var memory = new FileMemory(root.resolve("memory"));
        assertThat(memory.read("wish")).isEmpty();
        memory.write("wish", "one");
        memory.write("wish", "two");
        assertThat(memory.read("wish")).contains("two");
        Path file = root.resolve("memory/wish.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }
}
