package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Clock;
import dev.berth.model.ContainerBuild;
import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerImage.Pull;
import dev.berth.model.ContainerSpec;
import dev.berth.model.RegistryLogin;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When an image is built, what it is called, and what its Dockerfile stands on. */
class ImageBuildsTest {
    private static final String CONTEXT = "sha256:" + "c".repeat(64);

    @TempDir Path folder;
    private final List<String> built = new ArrayList<>();
    private String refusal = "";

    private final ImageBuilder builder =
            new ImageBuilder() {
                @Override
                public void build(
                        Recipe recipe, List<RegistryLogin> logins, Consumer<String> progress)
                        throws IOException {
                    if (!refusal.isEmpty()) {
                        throw new IOException(refusal);
                    }
                    built.add(recipe.tag());
                }
            };

    private final ImageBuilds builds =
            new ImageBuilds(
                    builder,
                    (name, tag) -> {
                        if (name.equals("built") && built.contains(tag)) {
                            return "sha256:" + "b".repeat(64);
                        }
                        throw new IOException("answered 404");
                    });

    private static ImagePins.Use use(String name, Map<String, String> args) {
        var build = new ContainerBuild(CONTEXT, null, args, null, Map.of());
        var image = new ContainerImage(null, null, null, null, Pull.MISSING, null, build);
        return new ImagePins.Use("web", ContainerSpec.of(name, image));
    }

    private Set<String> ready(ImagePins.Look look, boolean dry, ImagePins.Use... uses) {
        TaskLog log = TaskLog.into(folder, Clock.SYSTEM);
        return builds.ready(List.of(uses), Map.of(), List.of(), look, dry, log);
    }

    @Test
    void sameInputsAreOneImageBuiltOnce() {
        var one = use("one", Map.of("A", "1", "B", "2"));
        var two = use("two", Map.of("B", "2", "A", "1"));
        var other = use("three", Map.of("A", "2"));
        String name = String.valueOf(builds.named(one).image().reference());
        assertThat(name).startsWith("registry.berth/built:");
        assertThat(builds.named(two).image().reference()).isEqualTo(name);
        assertThat(builds.named(other).image().reference()).isNotEqualTo(name);
        assertThat(builds.named(one).image().isBuilt()).isFalse();

        assertThat(ready(ImagePins.Look.USUAL, true, one, two)).containsExactly(name);
        assertThat(built).isEmpty();
        assertThat(ready(ImagePins.Look.USUAL, false, one, two, other)).isEmpty();
        assertThat(built).hasSize(2);
        assertThat(ready(ImagePins.Look.USUAL, false, one, two, other)).isEmpty();
        assertThat(ready(ImagePins.Look.KNOWN_ONLY, false, use("x", Map.of()))).isEmpty();
        assertThat(built).hasSize(2);
        assertThat(ready(ImagePins.Look.REFRESH, false, one)).isEmpty();
        assertThat(built).hasSize(3);
    }

    @Test
    void failedBuildIsToldWithItsContainerAndLastWords() {
        refusal =
                "The command '/bin/sh -c make' returned a non-zero code: 2; before that:\nno rule";
        assertThatThrownBy(() -> ready(ImagePins.Look.USUAL, false, use("one", Map.of())))
                .hasMessageContaining("instance group 'web', container 'one'")
                .hasMessageContaining("no rule")
                .hasMessageContaining("nothing was changed");
    }

    @Test
    void withoutAnEngineOnlyATextCanBeBuilt() {
        var vms = new ImageBuilds(null, (name, tag) -> "");
        assertThatThrownBy(() -> vms.named(use("one", Map.of())))
                .hasMessageContaining("container 'one'")
                .hasMessageContaining("push it");
        var text = ContainerSpec.of("one", ContainerImage.built("FROM a"));
        assertThat(vms.named(new ImagePins.Use("web", text))).isEqualTo(text);
    }

    @Test
    void basesAreReplacedWhereTheyStand() throws IOException, InterruptedException {
        var dockerfile =
                new Dockerfile(
                        """
                        ARG V=1
                        from --platform=linux/amd64 debian:12 AS Build
                        RUN echo FROM nothing
                        FROM scratch
                        FROM app:$V
                        FROM build AS last
                        FROM debian:12
                        FROM registry.berth/web:1@sha256:abc
                        """);
        assertThat(dockerfile.bases())
                .containsExactly("debian:12", "registry.berth/web:1@sha256:abc");
        assertThat(dockerfile.on(base -> "copy/" + base.length()).text().lines())
                .containsExactly(
                        "ARG V=1",
                        "from --platform=linux/amd64 copy/9 AS Build",
                        "RUN echo FROM nothing",
                        "FROM scratch",
                        "FROM app:$V",
                        "FROM build AS last",
                        "FROM copy/9",
                        "FROM copy/31");
    }

    @Test
    void eachStageIsLabelled() {
        assertThat(new Dockerfile("FROM a AS b\nRUN x\nFROM b\n").labelled("k", "v").text())
                .isEqualTo("FROM a AS b\nLABEL k=\"v\"\nRUN x\nFROM b\nLABEL k=\"v\"\n");
    }

    @Test
    void contextIsTakenWholeAndRightOrNotAtAll() throws IOException {
        var contexts = new BuildContexts(folder.resolve("contexts"), Clock.SYSTEM);
        byte[] tar = "a tar".getBytes(StandardCharsets.UTF_8);
        String digest = "sha256:" + dev.berth.model.Digests.sha256(tar);
        assertThat(contexts.has(digest)).isFalse();
        assertThatThrownBy(() -> contexts.open(digest)).hasMessageContaining("berth deploy");
        contexts.save(digest, new ByteArrayInputStream(tar), tar.length);
        assertThat(contexts.open(digest)).hasBinaryContent(tar);
        assertThatThrownBy(() -> contexts.save(CONTEXT, new ByteArrayInputStream(tar), tar.length))
                .hasMessageContaining("came as " + digest);
        assertThat(folder.resolve("contexts")).isDirectoryContaining("glob:**.tar");
        assertThatThrownBy(() -> contexts.has("../x")).hasMessageContaining("no digest");
        for (int i = 0; i < 45; i++) {
            byte[] next = ("tar " + i).getBytes(StandardCharsets.UTF_8);
            contexts.save(
                    "sha256:" + dev.berth.model.Digests.sha256(next),
                    new ByteArrayInputStream(next),
                    -1);
        }
        try (var left = java.nio.file.Files.list(folder.resolve("contexts"))) {
            assertThat(left).hasSize(40);
        }
    }
}
