package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerImage.Pull;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Digests;
import dev.berth.model.ImageName;
import dev.berth.model.RegistryLogin;
import dev.berth.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which images are pinned to what, and when a registry is asked for it. */
class ImagePinsTest {
    private static final String OLD = "sha256:" + "0".repeat(64);

    /** An outside registry that has everything, or nothing with some words. */
    private static final class Registries implements OutsideImages {
        final List<String> asked = new ArrayList<>();
        String refusal = "";

        @Override
        public String digest(Wanted image) throws IOException {
            asked.add(image.name().text());
            if (!refusal.isEmpty()) {
                throw new IOException(refusal);
            }
            return digestOf(image.name().text());
        }

        @Override
        public boolean has(ImageName image, String digest) {
            return false;
        }

        @Override
        public void bring(Wanted image, String digest, Consumer<String> progress) {
            throw new AssertionError("nothing is to be copied here");
        }
    }

    private static String digestOf(String text) {
        return "sha256:" + Digests.sha256(text);
    }

    private final Registries outside = new Registries();
    private final ImagePins pins =
            new ImagePins(
                    (name, tag) -> digestOf("own " + name + ":" + tag), outside, Parallel.IN_ORDER);

    private static ImagePins.Use use(String container, String image, Pull pull) {
        return new ImagePins.Use(
                "web",
                ContainerSpec.of(
                        container, new ContainerImage(image, null, null, null, pull, null, null)));
    }

    private Map<String, String> resolve(
            ImagePins.Look look, Map<String, String> earlier, ImagePins.Use... uses) {
        return pins.resolve(List.of(uses), earlier, List.of(), look);
    }

    /** The release's job names what it builds: no registry has it. */
    @Test
    void aNamedImageThatIsBuiltIsAskedForNowhere() {
        var built =
                new ContainerImage("shop/search", null, "FROM x", null, Pull.MISSING, null, null);
        var use = new ImagePins.Use("web", ContainerSpec.of("search", built));
        assertThat(resolve(ImagePins.Look.REFRESH, Map.of(), use)).isEmpty();
        assertThat(outside.asked).isEmpty();
    }

    @Test
    void outsideTagIsPinnedOnceAndTakenFromTheCopy() {
        var uses =
                new ImagePins.Use[] {
                    use("a1", "postgres:16", Pull.MISSING), use("b1", "postgres:16", Pull.MISSING)
                };
        Map<String, String> found = resolve(ImagePins.Look.USUAL, Map.of(), uses);
        assertThat(outside.asked).containsExactly("docker.io/library/postgres:16");
        ContainerImage pinned = ImagePins.pinned(uses[1].container(), found).image();
        assertThat(pinned.reference()).isEqualTo("postgres:16");
        assertThat(pinned.digest()).isEqualTo(digestOf("docker.io/library/postgres:16"));
        assertThat(pinned.source()).isEqualTo("registry.berth/outside/docker.io/library/postgres");
    }

    @Test
    void knownPinAsksNobodyUnlessAFreshLookIsWanted() {
        var earlier = Map.of("postgres:16", OLD);
        outside.refusal = "is down";
        var missing = use("a1", "postgres:16", Pull.MISSING);
        assertThat(resolve(ImagePins.Look.USUAL, earlier, missing)).isEqualTo(earlier);
        assertThat(outside.asked).isEmpty();
        outside.refusal = "";
        assertThat(resolve(ImagePins.Look.REFRESH, earlier, missing))
                .containsEntry("postgres:16", digestOf("docker.io/library/postgres:16"));
        var always = use("b1", "postgres:16", Pull.ALWAYS);
        assertThat(resolve(ImagePins.Look.USUAL, earlier, missing, always))
                .as("one that pulls always decides for all of that image")
                .containsEntry("postgres:16", digestOf("docker.io/library/postgres:16"));
    }

    @Test
    void healingAsksNoOutsideRegistryAtAll() {
        assertThat(
                        resolve(
                                ImagePins.Look.KNOWN_ONLY,
                                Map.of("a:1", OLD),
                                use("a1", "a:1", Pull.ALWAYS),
                                use("b1", "b:1", Pull.MISSING)))
                .containsOnlyKeys("a:1");
        assertThat(outside.asked).isEmpty();
    }

    @Test
    void imageOfTheVmItselfIsLeftAlone() {
        assertThat(resolve(ImagePins.Look.REFRESH, Map.of(), use("a1", "mine", Pull.NEVER)))
                .isEmpty();
    }

    @Test
    void withoutARegistryOfItsOwnVmsPullThemselves() {
        var alone = new ImagePins((name, tag) -> OLD, null, Parallel.IN_ORDER);
        assertThat(
                        alone.resolve(
                                List.of(use("a1", "postgres", Pull.MISSING)),
                                Map.of(),
                                List.of(),
                                ImagePins.Look.USUAL))
                .isEmpty();
    }

    @Test
    void platformsHavePinsOfTheirOwn() {
        var arm =
                new ImagePins.Use(
                        "web",
                        ContainerSpec.of(
                                "a1",
                                new ContainerImage(
                                        "x:1",
                                        null,
                                        null,
                                        "linux/arm64",
                                        Pull.MISSING,
                                        null,
                                        null)));
        assertThat(resolve(ImagePins.Look.USUAL, Map.of("x:1", OLD), arm))
                .containsOnlyKeys("x:1 linux/arm64");
    }

    @Test
    void everyMissIsToldWithContainerImageAndRemedy() {
        outside.refusal = "reading manifest: unauthorized: authentication required";
        assertThatThrownBy(() ->
                        resolve(
                                ImagePins.Look.USUAL,
                                Map.of(),
                                use("one", "h.example/a:1", Pull.MISSING),
                                use("two", "h.example/b:1", Pull.MISSING)))
                .hasMessageContaining("instance group 'web', container 'one'")
                .hasMessageContaining("h.example/a:1")
                .hasMessageContaining("container 'two'")
                .hasMessageContaining("registries': [{host: h.example");
    }

    @ParameterizedTest
    @CsvSource({
        "'unauthorized: authentication required', check username and password of h.example",
        "'x509: certificate signed by unknown authority', CA",
        "'http: server gave HTTP response to HTTPS client', insecure: true",
        "'manifest unknown: manifest unknown', name and tag",
        "'dial tcp: connect: connection refused', must reach h.example"
    })
    void remedyFitsTheWords(String words, String remedy) {
        var login = new RegistryLogin("h.example", new Secret("u"), new Secret("p"), null, false);
        assertThat(RegistryRemedy.of(login, words)).contains(remedy);
    }

    @Test
    void whatDaemonsTrustTheDirectorTrustsToo() {
        var known = new RegistryLogin("a.example", new Secret("u"), new Secret("p"), null, false);
        var own = new RegistryLogin("b.example", null, null, new Secret("own"), false);
        var daemon =
                new DaemonSettings(
                        Map.of("insecure-registries", List.of("C.example:5000")),
                        "",
                        "",
                        Map.of("a.example", "ca", "b.example", "other"),
                        Map.of(),
                        DaemonSettings.Tcp.NONE,
                        0,
                        0);
        assertThat(RegistryTrust.with(List.of(known, own), List.of(daemon, DaemonSettings.NONE)))
                .containsExactlyInAnyOrder(
                        new RegistryLogin(
                                "a.example",
                                new Secret("u"),
                                new Secret("p"),
                                new Secret("ca"),
                                false),
                        own,
                        new RegistryLogin("c.example:5000", null, null, null, true));
    }

    @Test
    void manifestOfThePlatformIsTakenFromAList() throws IOException {
        byte[] list =
                """
                {"schemaVersion": 2, "manifests": [
                  {"digest": "sha256:x", "platform": {"os": "unknown", "architecture": "unknown"}},
                  {"digest": "sha256:a", "platform": {"os": "linux", "architecture": "amd64"}},
                  {"digest": "sha256:6", "platform": {"os": "linux", "architecture": "arm", "variant": "v6"}},
                  {"digest": "sha256:7", "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
                  {"digest": "sha256:8", "platform": {"os": "linux", "architecture": "arm64"}}]}
                """
                        .getBytes(StandardCharsets.UTF_8);
        assertThat(Platform.of("linux/amd64").digestIn(list)).isEqualTo("sha256:a");
        assertThat(Platform.of("linux/arm/v7").digestIn(list)).isEqualTo("sha256:7");
        assertThat(Platform.of("arm64").digestIn(list)).isEqualTo("sha256:8");
        assertThat(Platform.of("linux/arm64/v8").digestIn(list)).isEqualTo("sha256:8");
        assertThatThrownBy(() -> Platform.of("linux/s390x").digestIn(list))
                .hasMessageContaining("not for linux/s390x")
                .hasMessageContaining("linux/arm/v7");
        byte[] one = "{\"schemaVersion\": 2}".getBytes(StandardCharsets.UTF_8);
        assertThat(Platform.of(null).digestIn(one)).isEqualTo("sha256:" + Digests.sha256(one));
    }

    @Test
    void wordsOfTheToolAreASentence() {
        assertThat(
                        Skopeo.words(
                                "time=\"x\" level=fatal msg=\"Error parsing image name \\\"docker://h/a:1\\\": reading manifest 1 in h/a: manifest unknown\""))
                .isEqualTo("reading manifest 1 in h/a: manifest unknown");
        assertThat(Skopeo.words("something else\nlast\n")).isEqualTo("last");
    }
}
