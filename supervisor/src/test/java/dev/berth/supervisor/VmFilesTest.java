package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerProcess;
import dev.berth.model.ContainerProcess.EnvFile;
import dev.berth.model.ContainerSecurity;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Secrets become files in memory, and files of the VM become part of a body. */
class VmFilesTest {
    @TempDir Path root = Path.of("");
    private final FakeEngine engine = new FakeEngine(() -> Instant.EPOCH);
    private static final Path SECRET =
            Path.of("files/db", db("pl4nted").fixedDigest().substring(0, 16), "run~secrets~key");

    private EngineExecutor executor() {
        var config =
                new SupervisorConfig(
                        "i1",
                        "b",
                        root.resolve("store"),
                        root.resolve("data"),
                        "berth",
                        Duration.ofSeconds(10),
                        root.resolve("run"));
        return new EngineExecutor(
                engine, config, () -> new DiskState.Proven("d"), RegistryAuths.none());
    }

    @BeforeEach
    void image() {
        engine.images.add("img:1");
    }

    private static ContainerSpec db(String content) {
        return Specs.named("db").secret("/run/secrets/key", content).make();
    }

    private String create(ContainerSpec spec) {
        var step = new Step.CreateContainer(spec, spec.digest(), spec.name(), "intent", "test");
        Outcome outcome = executor().run(step);
        assertThat(outcome).isInstanceOf(Outcome.Created.class);
        return ((Outcome.Created) outcome).id();
    }

    /** Owner and mode are the spec's; the folder is root's alone; the engine is told no content. */
    @Test
    void aSecretIsAFileInMemory() throws IOException {
        create(db("pl4nted"));
        Path file = root.resolve("run").resolve(SECRET);
        assertThat(file).hasContent("pl4nted");
        assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(7);
        assertThat(Files.getAttribute(file, "unix:gid")).isEqualTo(8);
        assertThat(mode(file)).isEqualTo("r--r-----");
        assertThat(mode(Objects.requireNonNull(file.getParent()))).isEqualTo("rwx------");
        String body = Json.write(Objects.requireNonNull(engine.box("db")).body);
        assertThat(body).contains("run~secrets~key").doesNotContain("pl4nted");
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    /** After a boot the memory is empty: the file is there again before the container starts. */
    @Test
    void aBootLosesNothing() throws IOException {
        ContainerSpec spec = db("pl4nted");
        String id = create(spec);
        Path file = root.resolve("run").resolve(SECRET);
        Files.delete(file);
        assertThat(executor().run(new Step.StartContainer(spec, id, spec.name(), "test")))
                .isInstanceOf(Outcome.Done.class);
        assertThat(file).hasContent("pl4nted");
    }

    /** What is not wished any more is removed, with the container at the latest. */
    @Test
    void nothingIsLeftBehind() throws IOException {
        ContainerSpec spec = db("pl4nted");
        String id = create(spec);
        executor().run(new Step.RemoveContainer("db", id, spec.fixedDigest(), "test"));
        assertThat(root.resolve("run/files/db")).doesNotExist();
    }

    /** Memory of the wish brings the secret back, so that a boot needs no director. */
    @Test
    void theWishRemembersContents() {
        Wish wish = MemoryText.wish(MemoryText.ofWish(Wish.of(List.of(db("pl4nted")), true)));
        assertThat(wish.specs()).isEqualTo(List.of(db("pl4nted")));
        assertThat(wish.specs().toString()).doesNotContain("pl4nted");
    }

    /** The later file wins over the earlier, the spec over both; a missing one says so. */
    @Test
    void filesOfVariables() throws IOException {
        Path one = Files.writeString(root.resolve("one"), "# note\nA=1\nB='x y'\n\nC=\"q\"\n");
        Path two = Files.writeString(root.resolve("two"), "B='z'\n");
        assertThat(VmFiles.environment(withFiles(new EnvFile(one.toString(), false, false))))
                .isEqualTo(Map.of("A", "1", "B", "x y", "C", "q"));
        assertThat(
                        VmFiles.environment(
                                withFiles(
                                        new EnvFile(one.toString(), false, true),
                                        new EnvFile(two.toString(), false, true),
                                        new EnvFile("/none/such", true, true))))
                .isEqualTo(Map.of("A", "1", "B", "'z'", "C", "\"q\""));
        assertThatThrownBy(() ->
                        VmFiles.environment(withFiles(new EnvFile("/none/such", false, false))))
                .hasMessageContaining("the VM has no file /none/such, which 'env_file' names");
    }

    private static ContainerSpec withFiles(EnvFile... files) {
        ContainerProcess none = ContainerProcess.DEFAULT;
        return ContainerSpec.of("db", ContainerImage.of("img:1"))
                .with(
                        new ContainerProcess(
                                null,
                                null,
                                Map.of(),
                                List.of(files),
                                none.user(),
                                none.workingDir(),
                                none.hostname(),
                                none.domainname(),
                                none.init(),
                                false,
                                false,
                                Map.of(),
                                Map.of(),
                                none.runtime()));
    }

    /** Engines want a seccomp profile itself, not its place. */
    @Test
    void profilesAreRead() throws IOException {
        Path profile = Files.writeString(root.resolve("p.json"), "{\"a\":1}");
        ContainerSpec spec =
                ContainerSpec.of("db", ContainerImage.of("img:1"))
                        .with(
                                new ContainerSecurity(
                                        false,
                                        List.of(),
                                        List.of(),
                                        List.of(),
                                        List.of("seccomp=" + profile, "label=disable"),
                                        null,
                                        null,
                                        null,
                                        null,
                                        null,
                                        null,
                                        Map.of()));
        assertThat(VmFiles.securityOptions(spec))
                .isEqualTo(List.of("seccomp={\"a\":1}", "label=disable"));
    }
}
