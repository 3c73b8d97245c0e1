package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.model.Fields;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * One deployment on two VMs whose image is of a private registry that only the director reaches:
 * the VMs pull from the environment's registry, the outside one may then die, and its credentials
 * are nowhere. The tests stand on each other.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OutsideImagesTest {
    private static final String NAME = "outside";

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OutsideRegistry registry;
    private final Path folder;
    private final ConcurrentSkipListSet<String> processLines = new ConcurrentSkipListSet<>();
    private final AtomicBoolean watching = new AtomicBoolean(true);
    private Map<String, Map<String, TestEnvironment.Touch>> touches = Map.of();

    OutsideImagesTest(TestEnvironment environment, @TempDir Path folder) {
        this.environment = environment;
        this.director = environment.director();
        this.folder = folder;
        this.registry = new OutsideRegistry(folder);
    }

    @BeforeAll
    void watchProcesses() {
        registry.push(environment, "shop-web:1", "team/web:1");
        Thread.ofVirtual()
                .start(() -> {
                    while (watching.get()) {
                        ProcessHandle.allProcesses()
                                .forEach(p -> processLines.addAll(words(p.pid())));
                    }
                });
    }

    @AfterAll
    void clean() {
        watching.set(false);
        Deployments.delete(director, NAME);
        registry.close();
        director.close();
    }

    private String manifest(String tag, String password) {
        return """
        name: outside
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 2, canary_watch_time: 0-120000, update_watch_time: 0-120000}
        registries:
        - host: %s
          username: ((registry_user))
          password: ((%s))
          ca: ((registry_ca))
        instance_groups:
        - name: web
          instances: 2
          azs: [z1]
          vm_type: small
          stemcell: default
          networks: [{name: default}]
          containers:
          - name: idle
            image: %s/team/web:%s
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
        """
                .formatted(registry.host(), password, registry.host(), tag);
    }

    private Shell.Ran deploy(String manifest, String... more) {
        try {
            Path file = Files.writeString(folder.resolve("outside.yml"), manifest);
            var words = new ArrayList<>(List.of("deploy", "-n", "-d", NAME, file.toString()));
            words.addAll(List.of(more));
            return environment.berth(words.toArray(String[]::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void variable(String name, String value) {
        try {
            Path file = Files.writeString(folder.resolve("value"), value + "\n");
            environment.berth("set-variable", "-d", NAME, name, "--file", file.toString()).ok();
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, Map<String, TestEnvironment.Touch>> touched() {
        var all = new HashMap<String, Map<String, TestEnvironment.Touch>>();
        environment
                .instances(director, NAME)
                .forEach((name, i) -> all.put(name, environment.containersIn(i.string("vm_cid"))));
        return all;
    }

    private String vm(String instance) {
        Fields found = environment.instances(director, NAME).get(instance);
        return found == null ? "" : found.string("vm_cid", "");
    }

    private long lastTask() {
        return director.tasks().getFirst().integer("id");
    }

    // --- the story

    @Test
    @Order(1)
    void privateImageReachesVmsThatCannotReachItsRegistry() {
        variable("registry_user", OutsideRegistry.USER);
        variable("registry_password", OutsideRegistry.PASSWORD);
        variable("registry_ca", registry.ca());
        variable("wrong_password", "planted-wrong-0815");

        Shell.Ran wrong = deploy(manifest("1", "wrong_password"));
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.said())
                .contains("instance group 'web', container 'idle'", registry.host() + "/team/web:1")
                .contains("check username and password of " + registry.host());

        String said = deploy(manifest("1", "registry_password")).ok();
        assertThat(said).contains("Preparing images", "idle (" + registry.host() + "/team/web:1)");
        environment.awaitAllUp(director, NAME, 2);
        touches = touched();
        for (Fields container : director.containers(NAME)) {
            assertThat(container.string("image")).isEqualTo(registry.host() + "/team/web:1");
            assertThat(container.string("image_digest")).startsWith("sha256:");
        }
        environment
                .instances(director, NAME)
                .forEach((name, i) ->
                        assertThat(
                                        environment
                                                .inVm(
                                                        i.string("vm_cid"),
                                                        "docker ps --no-trunc --format '{{.Image}}'")
                                                .ok())
                                .contains(
                                        "registry.berth/outside/"
                                                + registry.host().replace(':', '_')
                                                + "/team/web@sha256:"));
    }

    @Test
    @Order(2)
    void wrongCredentialsAreRefusedBeforeAnythingIsTouched() {
        Shell.Ran refused = deploy(manifest("2", "wrong_password"));
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.said()).contains("check username and password");
        Shell.Ran none = deploy(manifest("no-such-tag", "registry_password"));
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.said()).contains("no-such-tag", "check the image's name and tag");
        assertThat(touched()).isEqualTo(touches);
    }

    @Test
    @Order(3)
    void tagThatMovedIsTakenOnlyWhenAskedFor() {
        registry.push(environment, "shop-db:1", "team/web:1");
        long before = lastTask();
        assertThat(deploy(manifest("1", "registry_password")).ok()).contains("Nothing to do");
        assertThat(touched()).isEqualTo(touches);
        assertThat(director.stages(lastTask())).containsExactly("Preparing deployment");
        assertThat(lastTask()).isGreaterThan(before);
        String plan =
                deploy(manifest("1", "registry_password"), "--refresh-images", "--dry-run").ok();
        assertThat(plan).contains("web/");
        registry.push(environment, "shop-web:1", "team/web:1");
        assertThat(deploy(manifest("1", "registry_password"), "--refresh-images").ok())
                .contains("Nothing to do");
        assertThat(touched()).isEqualTo(touches);
    }

    @Test
    @Order(4)
    void withTheRegistryDeadVmsAreHealedAndTheSameManifestIsNoStep() {
        registry.kill();
        assertThat(deploy(manifest("1", "registry_password")).ok()).contains("Nothing to do");
        assertThat(touched()).isEqualTo(touches);

        String gone = vm("web/0");
        environment.docker("rm", "-f", "-v", gone).ok();
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() -> assertThat(vm("web/0")).isNotIn("", gone));
        environment.awaitAllUp(director, NAME, 2);
        assertThat(touched().get("web/1")).isEqualTo(touches.get("web/1"));

        Shell.Ran refused = deploy(manifest("2", "registry_password"));
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.said()).contains("must reach " + registry.host(), "nothing was changed");
        registry.back();
    }

    @Test
    @Order(5)
    void credentialsAreNowhere() throws IOException {
        watching.set(false);
        assertThat(processLines)
                .as("process list")
                .anyMatch(line -> line.contains("skopeo\0"))
                .noneMatch(OutsideImagesTest::planted);
        for (Fields task : director.tasks()) {
            for (String type : List.of("event", "result", "debug", "cpi")) {
                assertThat(planted(director.output(task.integer("id"), type)))
                        .as("%s output of task %s", type, task.integer("id"))
                        .isFalse();
            }
        }
        assertThat(planted(environment.berth("manifest", "-d", NAME).ok())).isFalse();
        assertThat(planted(environment.berth("events").ok())).isFalse();
        // The environment's own files, and the places for files that live briefly.
        assertThat(holding("registry_password")).as("what a search finds").isNotEmpty();
        assertThat(holding("planted-[pw]")).as("files of the director").isEmpty();
        try (Stream<Path> memory = Files.list(Path.of("/dev/shm"))) {
            assertThat(memory.map(Path::toString).filter(p -> p.contains("berth-login"))).isEmpty();
        }
        for (String instance : List.of("web/0", "web/1")) {
            assertThat(holdingInVm(instance, "registry.berth/outside")).isNotBlank();
            assertThat(holdingInVm(instance, "planted-[puw]")).as(instance).isBlank();
        }
    }

    private String holdingInVm(String instance, String words) {
        String places = "/var/vcap/bosh /run/berth /etc /root /tmp /var/log";
        String search = "grep -rlas -e '" + words + "' " + places + " || true";
        return environment.inVm(vm(instance), search).ok();
    }

    private static boolean planted(String text) {
        String auth = OutsideRegistry.USER + ":" + OutsideRegistry.PASSWORD;
        return text.contains(OutsideRegistry.PASSWORD)
                || text.contains("planted-wrong-0815")
                || text.contains(
                        java.util.Base64.getEncoder()
                                .encodeToString(auth.getBytes(StandardCharsets.UTF_8)));
    }

    /** Arguments and environment of a process. */
    private static List<String> words(long pid) {
        var words = new ArrayList<String>();
        for (String file : List.of("cmdline", "environ")) {
            try {
                words.add(
                        new String(
                                Files.readAllBytes(Path.of("/proc/" + pid + "/" + file)),
                                StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                // it has ended
            }
        }
        return words;
    }

    /** Files of the environment but for images and the cache. */
    private List<String> holding(String words) {
        String search =
                "grep -rlas --exclude-dir=engine --exclude-dir=cache --exclude-dir=data -e '"
                        + words
                        + "' \"$0\" || true";
        return Shell.run(List.of("sh", "-c", search, environment.home().toString()))
                .ok()
                .lines()
                .toList();
    }
}
