package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** References of images as every engine reads them, and the registries a manifest may name. */
class RegistriesTest {
    private static final String SHA = "sha256:" + "a".repeat(64);

    @ParameterizedTest
    @CsvSource({
        "postgres, docker.io/library/postgres:latest, outside/docker.io/library/postgres",
        "postgres:16, docker.io/library/postgres:16, outside/docker.io/library/postgres",
        "team/web:1, docker.io/team/web:1, outside/docker.io/team/web",
        "index.docker.io/team/web, docker.io/team/web:latest, outside/docker.io/team/web",
        "Quay.io/a/b/c:2, quay.io/a/b/c:2, outside/quay.io/a/b/c",
        "host:5000/web, host:5000/web:latest, outside/host_5000/web",
        "localhost/web:1, localhost/web:1, outside/localhost/web"
    })
    void shortNamesAreWrittenOut(String reference, String text, String inside) {
        ImageName name = ImageName.parse(reference);
        assertThat(name.text()).isEqualTo(text);
        assertThat(name.repositoryInside()).isEqualTo(inside);
        assertThat(name.isOfEnvironment()).isFalse();
    }

    @Test
    void digestCountsBesideATag() {
        ImageName name = ImageName.parse("h.example:5000/a/b:1@" + SHA);
        assertThat(name.tag()).isEqualTo("1");
        assertThat(name.version()).isEqualTo(SHA);
        assertThat(name.text()).isEqualTo("h.example:5000/a/b@" + SHA);
        assertThat(ImageName.parse("registry.berth/web:1").isOfEnvironment()).isTrue();
    }

    private static final String MANIFEST =
            """
            name: shop
            stemcells: [{alias: default, os: debian, version: latest}]
            update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-1, update_watch_time: 0-1}
            instance_groups: []
            """;

    private static DeploymentManifest read(String registries) {
        return Manifests.parse(YamlDocument.parse(MANIFEST + registries));
    }

    @Test
    void credentialsStayPlaceholdersUntilTheyAreUsed() {
        YamlDocument document =
                YamlDocument.parse(
                        MANIFEST
                                + "registries:\n- {host: Registry.Example.com, username: ((u)), password: ((p.word))}\n");
        Interpolation values =
                Interpolation.of(
                        name ->
                                Optional.ofNullable(
                                        Map.<String, Object>of(
                                                        "/d/shop/u",
                                                        "bob",
                                                        "/d/shop/p",
                                                        Map.of("word", "hush-hush"))
                                                .get(name)),
                        "d",
                        "shop");
        DeploymentManifest manifest = Manifests.parse(document, values);
        assertThat(manifest.registries())
                .containsExactly(
                        new RegistryLogin(
                                "registry.example.com",
                                new Secret("((u))"),
                                new Secret("((p.word))"),
                                null,
                                false));
        RegistryLogin login = manifest.interpolated(values).registries().getFirst();
        assertThat(login.username()).isEqualTo(new Secret("bob"));
        assertThat(login.password()).isEqualTo(new Secret("hush-hush"));
        assertThat(login.toString()).doesNotContain("hush-hush", "bob");
    }

    @Test
    void allThatIsWrongIsToldAtOnce() {
        String registries =
                """
                registries:
                - {host: "https://a.example", username: u, password: p}
                - {host: b.example, username: u}
                - {host: c.example, ca: x, insecure: true}
                - {host: registry.berth}
                - {host: hub}
                - {host: docker.io}
                - {host: index.docker.io, user: me}
                """;
        assertThatThrownBy(() -> read(registries))
                .hasMessageContaining("registries[0].host (line 6)")
                .hasMessageContaining("without https://")
                .hasMessageContaining(
                        "registries[1] (line 7): 'username' and 'password' go together")
                .hasMessageContaining("registries[2].ca (line 8)")
                .hasMessageContaining("registries[3].host (line 9): the environment's own registry")
                .hasMessageContaining(
                        "registries[4].host (line 10): no image is of the registry 'hub'")
                .hasMessageContaining("registries[6].host (line 12): 'docker.io' is there twice")
                .hasMessageContaining("Unknown key 'user'");
    }

    @Test
    void cloudConfigTakesVariablesOnly() {
        String networks =
                "networks: [{name: n, type: manual, subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1}]}]\n";
        String open = networks + "registries: [{host: a.example, username: u, password: open}]\n";
        assertThatThrownBy(() -> CloudConfigs.parse(YamlDocument.parse(open)))
                .hasMessageContaining("registries[0].password (line 2)")
                .hasMessageContaining("set-variable");
        CloudConfig config = CloudConfigs.parse(YamlDocument.parse(open.replace("open", "((/p))")));
        List<RegistryLogin> logins =
                config.registries(Interpolation.absoluteOnly(name -> Optional.of("of " + name)));
        assertThat(logins.getFirst().password()).isEqualTo(new Secret("of /p"));
    }

    @Test
    void diffsHideThem() {
        Map<String, Object> with =
                Json.asObject(
                        YamlDocument.parse("registries: [{host: h.example, password: planted}]")
                                .root());
        assertThat(ManifestDiff.between(Map.of(), with, true).toString())
                .contains("registries")
                .doesNotContain("planted");
    }
}
