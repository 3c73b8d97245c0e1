package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Compose project whose service is built from a folder, on two VMs: built once, on base images of
 * a private registry and of the environment's, and shared. And an image from an archive. The tests
 * stand on each other.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BuiltImagesTest {
    private static final String NAME = "built";

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OutsideRegistry registry;
    private final Path folder;
    private String extra = "";

    BuiltImagesTest(TestEnvironment environment, @TempDir Path folder) {
        this.environment = environment;
        this.director = environment.director();
        this.folder = folder;
        this.registry = new OutsideRegistry(folder);
        registry.push(environment, "shop-web:1", "team/tools:1");
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        registry.close();
        director.close();
    }

    private void file(String name, String text) {
        try {
            Path file = folder.resolve(name);
            Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Shell.Ran deploy(String... more) {
        file(
                "built.yml",
                """
                name: built
                stemcells: [{alias: default, os: berth-debian, version: latest}]
                update: {canaries: 1, max_in_flight: 2, canary_watch_time: 0-120000, update_watch_time: 0-120000}
                registries:
                - {host: "%s", username: %s, password: ((registry_password)), ca: ((registry_ca))}
                instance_groups:
                - name: web
                  instances: 2
                  azs: [z1]
                  vm_type: small
                  stemcell: default
                  networks: [{name: default}]
                  compose: project/compose.yml
                %s
                """
                        .formatted(registry.host(), OutsideRegistry.USER, extra.indent(2)));
        var words =
                new java.util.ArrayList<>(
                        List.of(
                                "deploy",
                                "-n",
                                "-d",
                                NAME,
                                folder.resolve("built.yml").toString()));
        words.addAll(List.of(more));
        return environment.berth(words.toArray(String[]::new));
    }

    private void variable(String name, String value) {
        file("value", value);
        environment
                .berth(
                        "set-variable",
                        "-d",
                        NAME,
                        name,
                        "--file",
                        folder.resolve("value").toString())
                .ok();
    }

    private String said(String instance, String container, String command) {
        Fields found =
                java.util.Objects.requireNonNull(
                        environment.instances(director, NAME).get(instance));
        return environment
                .inVm(
                        found.string("vm_cid"),
                        "docker exec $(docker ps -q --filter label=berth.container="
                                + container
                                + ") "
                                + command)
                .ok()
                .strip();
    }

    private Map<String, String> digests() {
        var digests = new TreeMap<String, String>();
        for (Fields c : director.containers(NAME)) {
            assertThat(c.string("image")).startsWith("registry.berth/");
            digests.put(
                    c.string("instance", c.string("index", "")) + "/" + c.string("name"),
                    c.string("image_digest"));
        }
        return digests;
    }

    private Map<String, Map<String, TestEnvironment.Touch>> touched() {
        var all = new TreeMap<String, Map<String, TestEnvironment.Touch>>();
        environment
                .instances(director, NAME)
                .forEach((name, i) -> all.put(name, environment.containersIn(i.string("vm_cid"))));
        return all;
    }

    @Test
    @Order(1)
    void serviceIsBuiltOnceAndRunsOnBothVms() {
        variable("registry_password", OutsideRegistry.PASSWORD);
        variable("registry_ca", registry.ca());
        file(
                "project/compose.yml",
                """
                services:
                  web:
                    build: {context: app, args: {WORD: "${WORD:-first}"}}
                    stop_grace_period: 1s
                """);
        file(
                "project/app/Dockerfile",
                """
                FROM %s/team/tools:1 AS tools
                RUN echo from-tools > /tools
                FROM registry.berth/shop-web:1
                ARG WORD
                COPY --from=tools /tools /tools
                COPY hello /hello
                RUN echo $WORD > /word && test ! -e /ignored
                ENTRYPOINT ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
                """
                        .formatted(registry.host()));
        file("project/app/.dockerignore", "ignored\n");
        file("project/app/ignored", "x");
        file("project/app/hello", "hello-1\n");

        assertThat(deploy().ok()).contains("Building images: web", "2 to create");
        environment.awaitAllUp(director, NAME, 2);
        for (String instance : List.of("web/0", "web/1")) {
            assertThat(said(instance, "web", "cat /tools /hello /word"))
                    .isEqualTo("from-tools\nhello-1\nfirst");
        }
        assertThat(digests().values()).hasSize(2).doesNotContainNull();
        assertThat(digests().values().stream().distinct()).hasSize(1);
        var touches = touched();
        Shell.Ran again = deploy();
        assertThat(again.ok()).contains("Nothing to do").doesNotContain("Building");
        assertThat(touched()).isEqualTo(touches);
    }

    @Test
    @Order(2)
    void failedBuildTouchesNothingAndShowsItsLastWords() {
        var touches = touched();
        String good = "RUN echo $WORD";
        String dockerfile;
        try {
            dockerfile = Files.readString(folder.resolve("project/app/Dockerfile"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        file(
                "project/app/Dockerfile",
                dockerfile.replace(good, "RUN echo no-such-rule; exit 7; echo"));
        Shell.Ran refused = deploy();
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.said())
                .contains("instance group 'web', container 'web'", "cannot be built")
                .contains("no-such-rule", "returned a non-zero code: 7");
        assertThat(touched()).isEqualTo(touches);
        file("project/app/Dockerfile", dockerfile);
        file("project/app/hello", "hello-2\n");
        assertThat(deploy().ok()).contains("Building images: web", "2 to update");
        environment.awaitAllUp(director, NAME, 2);
        assertThat(said("web/1", "web", "cat /hello")).isEqualTo("hello-2");
    }

    @Test
    @Order(3)
    void archiveBecomesAnImage() {
        Path archive = folder.resolve("web.tar");
        environment.docker("save", "-o", archive.toString(), "shop-web:1").ok();
        assertThat(environment.berth("upload-image", archive.toString()).ok())
                .contains("registry.berth/shop-web:1");
        assertThat(
                        environment
                                .berth("upload-image", archive.toString(), "--name", "up/load:3")
                                .ok())
                .contains("registry.berth/up/load:3");
        file("nothing.tar", "nothing");
        Shell.Ran refused =
                environment.berth("upload-image", folder.resolve("nothing.tar").toString());
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.said()).contains("no archive of an image");
        extra =
                """
                containers:
                - name: side
                  image: registry.berth/up/load:3
                  entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
                """;
        assertThat(deploy().ok()).contains("2 to update");
        environment.awaitAllUp(director, NAME, 4);
    }
}
