package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.testkit.TinyStemcell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What cannot be done is refused with the place and the remedy, and a running deployment notices
 * nothing of it.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusalsTest {
    private final TestEnvironment environment;
    private final DirectorClient director;
    private final Box box;
    private Map<String, String> vms = Map.of();
    private Map<String, Map<String, Touch>> touches = Map.of();

    RefusalsTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.box = new Box(environment, "steady");
    }

    @BeforeAll
    void deploySomethingThatMustNotBeTouched() {
        director.await(director.deploy(box.manifest())).done();
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        vms = box.vms(director);
        touches = box.touches(vms);
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, box.name());
        Deployments.delete(director, "silent");
        director.close();
    }

    private void assertUntouched() {
        assertThat(box.vms(director)).isEqualTo(vms);
        assertThat(box.touches(vms)).isEqualTo(touches);
        environment.assertNothingLeaked(director);
    }

    // --- manifests

    @Test
    void tenMistakesAreToldAtOnceEachWithItsPathAndLine(@TempDir Path folder) throws IOException {
        String manifest =
                """
                name: steady
                stemcells:
                - {alias: default, os: berth-debian, version: latest}
                - {alias: other, os: nowhere, version: "7"}
                colour: blue
                update: {canaries: 1, max_in_flight: none, canary_watch_time: 0-1000, update_watch_time: 0-1000}
                instance_groups:
                - name: keep
                  instances: 1
                  azs: [z9]
                  vm_type: huge
                  stemcell: default
                  networks: [{name: nonet}]
                  containers:
                  - name: one
                    image: registry.berth/shop-web:1
                    ports: ["80:8080"]
                    volumes: ["data:/data"]
                    memmory: 5g
                  - name: two
                    image: registry.berth/shop-web:1
                    ports: ["80:8081"]
                    depends_on: [three]
                  - name: three
                    image: registry.berth/shop-web:1
                    depends_on: [two]
                - name: front
                  instances: 1
                  azs: [z1]
                  vm_type: small
                  stemcell: missing
                  networks: [{name: default}]
                """;
        Path file = Files.writeString(folder.resolve("ten.yml"), manifest);
        Shell.Ran deploy = environment.berth("deploy", "-n", "-d", box.name(), file.toString());
        assertThat(deploy.code()).isEqualTo(1);
        assertThat(deploy.said())
                .contains("colour (line 5)")
                .contains("stemcells[1].version (line 4)", "nowhere")
                .contains("update.max_in_flight (line 6)")
                .contains("instance_groups[0].azs[0] (line 10)", "z9")
                .contains("instance_groups[0].vm_type (line 11)", "huge")
                .contains("instance_groups[0].networks[0].name (line 13)", "nonet")
                .contains("instance_groups[0].containers[0].volumes (line 18)", "persistent_disk")
                .contains("instance_groups[0].containers[0].memmory (line 19)", "'memory'")
                .contains("instance_groups[0].containers[1].ports (line 22)", "80")
                .contains("(line 26)", "circle")
                .contains("instance_groups[1].stemcell (line 31)", "missing");
        assertUntouched();
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("bad YAML", "name: steady\nstemcells: [\n}\n", "line 3"),
                Arguments.of(
                        "a key twice",
                        "name: steady\nname: steady\ninstance_groups: []\n",
                        "duplicate key 'name'"),
                Arguments.of("no name", "stemcells: []\ninstance_groups: []\n", "name"),
                Arguments.of("another's name", "name: '../etc'\ninstance_groups: []\n", "name"),
                Arguments.of("a list", "- 1\n- 2\n", "hash"),
                Arguments.of("nothing", "", "Manifest should not be empty"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void brokenManifestIsRefusedWithItsPlace(String what, String manifest, String told) {
        var answer =
                director.send(
                        "POST",
                        "/deployments",
                        java.net.http.HttpRequest.BodyPublishers.ofString(manifest));
        String said;
        if (answer.statusCode() / 100 == 3) {
            String location = answer.headers().firstValue("Location").orElseThrow();
            long task = Long.parseLong(location.substring(location.lastIndexOf('/') + 1));
            DirectorClient.Ended ended = director.await(task);
            assertThat(ended.state()).as(what).isEqualTo("error");
            said = ended.result() + director.output(task, "event");
        } else {
            assertThat(answer.statusCode()).as(what).isEqualTo(400);
            said = answer.body();
        }
        assertThat(said).as(what).contains(told);
        assertUntouched();
    }

    // --- images

    @Test
    void imageTheRegistryLacksIsToldBeforeAnythingIsTouched() {
        String manifest = changed("idle", "registry.berth/no-such-image:7");
        DirectorClient.Ended ended = director.await(director.deploy(manifest));
        assertThat(ended.state()).isEqualTo("error");
        assertThat(director.output(ended.id(), "event"))
                .contains("no-such-image:7", "'idle'", "front", "404", "berth push");
        assertThat(director.stages(ended.id())).containsExactly("Preparing deployment");
        assertUntouched();
    }

    @Test
    void imageTheVmCannotPullStopsTheDeployAtTheCanary() {
        String missing = "registry.berth/shop-web@sha256:" + "0".repeat(64);
        DirectorClient.Ended ended = director.await(director.deploy(changed("idle", missing)));
        assertThat(ended.state()).isEqualTo("error");
        String events = director.output(ended.id(), "event");
        assertThat(events).contains(missing, "idle", "manifest unknown");
        assertThat(events.lines().filter(l -> l.contains("Updating instance")))
                .as("only the canary was tried")
                .anyMatch(l -> l.contains("(canary)") && l.contains("failed"))
                .noneMatch(l -> l.contains("front/") && !l.contains("(canary)"));
        assertUntouched();
        // The manifest of before is still what holds.
        long again = director.deploy(box.manifest());
        director.await(again).done();
        assertUntouched();
    }

    private String changed(String container, String image) {
        int at = box.manifest().indexOf("- name: " + container);
        assertThat(at).isPositive();
        return box.manifest().substring(0, at)
                + box.manifest().substring(at).replaceFirst("registry\\.berth/shop-web:1", image);
    }

    // --- VMs

    /** A stemcell without an agent stands for whatever keeps one from answering. */
    @Test
    void vmThatNeverAnswersIsNamedAndDeletedAgain(@TempDir Path folder) throws IOException {
        environment.berth("upload-stemcell", silentStemcell(folder).toString()).ok();
        String manifest =
                """
                name: silent
                stemcells: [{alias: default, os: silent, version: latest}]
                update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-1000, update_watch_time: 0-1000}
                instance_groups:
                - {name: mute, instances: 1, azs: [z1], vm_type: small, stemcell: default, jobs: [], persistent_disk: 128, networks: [{name: default}]}
                """;
        environment.berth("down").ok();
        environment.set("BERTH_AGENT_WAIT", "2");
        environment.up();
        try {
            long task = director.deploy(manifest);
            DirectorClient.Ended ended = director.await(task);
            assertThat(ended.state()).isEqualTo("error");
            assertThat(ended.result()).contains("mute/", "Timed out pinging VM 'vm-");
            assertThat(director.output(task, "event"))
                    .contains("after 2 seconds", "deleted again", "'silent/1'", "deploy again");
            assertThat(director.instances("silent"))
                    .allSatisfy(i -> assertThat(i.has("vm_cid")).isFalse());
            assertUntouched();
            Deployments.delete(director, "silent");
        } finally {
            environment.berth("down").ok();
            environment.set("BERTH_AGENT_WAIT", "");
            environment.up();
            environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        }
        environment.berth("delete-stemcell", "-n", "silent/1").ok();
        assertUntouched();
    }

    private static Path silentStemcell(Path folder) throws IOException {
        Path image = TinyStemcell.image(folder);
        String sha1 = dev.berth.model.Digests.sha1(Files.readAllBytes(image));
        Files.writeString(
                folder.resolve("stemcell.MF"),
                """
                name: silent
                version: '1'
                operating_system: silent
                api_version: 3
                sha1: %s
                stemcell_formats: [docker-light, docker-tar]
                cloud_properties: {}
                """
                        .formatted(sha1));
        Shell.run(
                        List.of(
                                "tar",
                                "-C",
                                folder.toString(),
                                "-cf",
                                folder + "/silent.tar",
                                "stemcell.MF",
                                "image"))
                .ok();
        return folder.resolve("silent.tar");
    }

    // --- who asks

    @Test
    void wrongCredentialsAreRefusedInWords() {
        Shell.Ran vms = environment.berth("vms", "--client", "admin", "--client-secret", "wrong");
        assertThat(vms.code()).isEqualTo(1);
        assertThat(vms.err()).contains("does not know these credentials", "admin");
        assertThat(vms.said()).doesNotContain("wrong");
    }

    @Test
    void printedEnvironmentIsAllThatAnotherShellNeeds() {
        var env = new HashMap<String, String>();
        String exports = environment.berth("print-env").ok();
        java.util.regex.Pattern.compile("(?s)export (\\w+)='([^']*)'")
                .matcher(exports)
                .results()
                .forEach(found -> env.put(found.group(1), found.group(2)));
        assertThat(env)
                .containsOnlyKeys(
                        "BOSH_ENVIRONMENT", "BOSH_CLIENT", "BOSH_CLIENT_SECRET", "BOSH_CA_CERT");
        env.put("BERTH_HOME", environment.home() + "-none");
        Shell.Ran elsewhere =
                Shell.run(
                        env,
                        List.of(TestEnvironment.launcher().toString(), "deployments", "--json"));
        assertThat(elsewhere.ok()).contains(box.name());
    }

    // --- shapes for scripts

    @Test
    void tablesHaveTheStockShapeInJson() {
        for (String command :
                List.of(
                        "deployments",
                        "vms",
                        "instances --ps",
                        "containers",
                        "stemcells",
                        "disks",
                        "locks",
                        "tasks --recent",
                        "env")) {
            String[] words = (command + " --json").split(" ");
            Fields answer = Fields.of(Json.parse(environment.berth(words).ok()), command);
            assertThat(answer.tree().keySet())
                    .as(command)
                    .containsExactly("Tables", "Blocks", "Lines");
            assertThat(answer.objects("Tables"))
                    .as(command)
                    .isNotEmpty()
                    .allSatisfy(table -> {
                        assertThat(table.tree().keySet())
                                .containsExactly("Content", "Header", "Rows", "Notes");
                        assertThat(table.objects("Rows"))
                                .allSatisfy(row ->
                                        assertThat(row.tree().keySet())
                                                .isEqualTo(table.object("Header").tree().keySet()));
                    });
        }
        assertThat(environment.found(CloudObject.Kind.VM)).hasSize(3);
    }

    @Test
    void failedTaskEndsTheCommandWithOne() {
        DirectorClient.Ended ended =
                director.await(director.deploy(changed("idle", "registry.berth/no-such-image:8")));
        Shell.Ran shown = environment.berth("task", String.valueOf(ended.id()));
        assertThat(shown.code()).isEqualTo(1);
        assertThat(shown.said()).contains("no-such-image:8");
        assertThat(environment.berth("task", "99999").code()).isEqualTo(1);
        assertThat(environment.berth("vms", "-d", "no-such").err()).contains("no-such");
    }
}
