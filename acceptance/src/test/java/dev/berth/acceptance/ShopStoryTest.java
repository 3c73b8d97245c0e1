package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The demo's story with assertions, on one deployment of the example from nothing to its end, under
 * shoppers who never pause. After each chapter every row that was ever acknowledged is there.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class ShopStoryTest {
    private static final String SHOP = "shop";

    private final TestEnvironment environment;
    private final DirectorClient director;
    private volatile List<String> shops = List.of("127.0.0.1:1");
    private final Shoppers shoppers = new Shoppers(() -> shops);

    ShopStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    /** As the README says, with the example as it stands. */
    @BeforeAll
    void deployFromNothing() {
        environment.berth("deploy", "-n", "-d", SHOP, example().toString()).ok();
        environment.awaitAllUp(director, SHOP, 4);
        lookForShops();
        shoppers.awaitSales();
    }

    @AfterEach
    void nothingIsLost() {
        if (!instances().isEmpty()) {
            shoppers.awaitSales();
            shoppers.assertNothingLost();
            environment.assertNothingLeaked(director);
        }
    }

    @AfterAll
    void clean() {
        shoppers.close();
        Deployments.delete(director, SHOP);
        director.close();
    }

    @Test
    @Order(1)
    void deployedAsTheManifestSays() {
        Map<String, Fields> instances = instances();
        assertThat(instances.keySet()).containsExactly("db/0", "web/0", "web/1");
        assertThat(db().strings("ips")).containsExactly(environment.base() + ".10");
        assertThat(db().strings("disk_cids")).hasSize(1);
        assertThat(storeMegabytes()).isBetween(900L, 1024L);
        assertThat(instances.values())
                .allSatisfy(i -> assertThat(i.string("job_state")).isEqualTo("running"));
    }

    @Test
    @Order(2)
    void killedContainerReturnsAndItsDependentAfterIt() {
        Map<String, Map<String, Touch>> before = touches();
        inDb("docker kill $(docker ps -q --filter label=berth.container=postgres)");
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() -> {
                    Map<String, Touch> now = environment.containersIn(vm("db/0"));
                    assertThat(now.get("postgres").startedAt())
                            .isNotEqualTo(before.get("db/0").get("postgres").startedAt());
                    assertThat(now.get("writer").startedAt())
                            .isNotEqualTo(before.get("db/0").get("writer").startedAt());
                    assertThat(now.values()).allMatch(Touch::running);
                });
        Map<String, Map<String, Touch>> after = touches();
        assertThat(started(after, "writer")).isAfter(started(after, "postgres"));
        assertUntouched(before, after, "web/0", "web/1");
        environment.awaitAllUp(director, SHOP, 4);
        await().atMost(TestEnvironment.SOON)
                .until(
                        () -> container("writer").string("cause", ""),
                        reason -> reason.contains("postgres"));
    }

    @Test
    @Order(3)
    void killedDaemonReturnsAndNothingThatSurvivedIsTouched() {
        Map<String, Map<String, Touch>> before = touches();
        String old = inDb("cat /run/docker.pid").strip();
        inDb("kill -9 " + old);
        await().atMost(TestEnvironment.SOON)
                .until(() ->
                        environment
                                        .inVm(
                                                vm("db/0"),
                                                "[ \"$(cat /run/docker.pid)\" != "
                                                        + old
                                                        + " ] && docker ps -q")
                                        .code()
                                == 0);
        environment.awaitAllUp(director, SHOP, 4);
        assertThat(touches()).isEqualTo(before);
    }

    @Test
    @Order(4)
    void killedAgentReturnsAndStopsNothing() {
        Map<String, Map<String, Touch>> before = touches();
        String old = agentPid();
        inDb("kill -9 " + old);
        await().atMost(TestEnvironment.SOON)
                .until(this::agentPid, pid -> !pid.isEmpty() && !pid.equals(old));
        environment.awaitAllUp(director, SHOP, 4);
        assertThat(touches()).isEqualTo(before);
    }

    @Test
    @Order(5)
    void removedVmIsReplacedWithItsDiskAndAddress() {
        Fields before = db();
        Map<String, Map<String, Touch>> touches = touches();
        environment.docker("rm", "-f", before.string("vm_cid")).ok();
        await().atMost(TestEnvironment.SOON)
                .until(
                        () -> db().string("vm_cid", ""),
                        cid -> !cid.isEmpty() && !cid.equals(before.string("vm_cid")));
        environment.awaitAllUp(director, SHOP, 4);
        assertThat(db().strings("disk_cids")).isEqualTo(before.strings("disk_cids"));
        assertThat(db().strings("ips")).isEqualTo(before.strings("ips"));
        assertThat(db().string("id")).isEqualTo(before.string("id"));
        assertUntouched(touches, touches(), "web/0", "web/1");
    }

    @Test
    @Order(6)
    void vmThatWasSwitchedOffIsStartedAgain() {
        Fields before = db();
        Map<String, Map<String, Touch>> touches = touches();
        environment.docker("kill", before.string("vm_cid")).ok();
        await().atMost(TestEnvironment.SOON)
                .until(
                        () ->
                                environment
                                        .docker(
                                                "inspect",
                                                "--format",
                                                "{{.State.Running}}",
                                                before.string("vm_cid"))
                                        .out()
                                        .strip(),
                        "true"::equals);
        shoppers.awaitSales();
        environment.awaitAllUp(director, SHOP, 4);
        assertThat(db().string("vm_cid")).isEqualTo(before.string("vm_cid"));
        assertThat(db().strings("disk_cids")).isEqualTo(before.strings("disk_cids"));
        assertUntouched(touches, touches(), "web/0", "web/1");
    }

    @Test
    @Order(7)
    void grownDiskIsLargerAndNoContainerStopped() {
        Map<String, Map<String, Touch>> before = touches();
        director.await(director.deploy(grown())).done();
        assertThat(storeMegabytes()).isBetween(1900L, 2048L);
        assertThat(touches()).isEqualTo(before);
    }

    @Test
    @Order(8)
    void sameManifestAgainHasNoStep() {
        Map<String, Map<String, Touch>> before = touches();
        long task = director.deploy(grown());
        director.await(task).done();
        assertThat(director.stages(task)).containsExactly("Preparing deployment");
        assertThat(director.output(task, "debug")).doesNotContain("step=");
        assertThat(director.output(task, "cpi")).isBlank();
        assertThat(touches()).isEqualTo(before);
    }

    @Test
    @Order(9)
    void changedContainerMovesAlone() {
        Map<String, Map<String, Touch>> before = touches();
        director.await(director.deploy(slowerWriter())).done();
        Map<String, Map<String, Touch>> after = touches();
        assertThat(after.get("db/0").get("writer").id())
                .isNotEqualTo(before.get("db/0").get("writer").id());
        assertThat(after.get("db/0").get("postgres")).isEqualTo(before.get("db/0").get("postgres"));
        assertUntouched(before, after, "web/0", "web/1");
    }

    @Test
    @Order(10)
    void changedContainerTakesItsDependentsAlongAndNothingElse() {
        Map<String, Map<String, Touch>> before = touches();
        director.await(director.deploy(labelledDatabase())).done();
        Map<String, Map<String, Touch>> after = touches();
        assertThat(after.get("db/0").get("postgres").id())
                .isNotEqualTo(before.get("db/0").get("postgres").id());
        assertThat(started(after, "writer")).isAfter(started(after, "postgres"));
        assertUntouched(before, after, "web/0", "web/1");
    }

    @Test
    @Order(11)
    void scalingOutAndInMovesOnlyWhatIsAddedAndRemoved() {
        Map<String, Map<String, Touch>> two = touches();
        director.await(director.deploy(webs(3))).done();
        environment.awaitAllUp(director, SHOP, 5);
        Map<String, Map<String, Touch>> three = touches();
        assertThat(three).hasSize(4).containsAllEntriesOf(two);
        lookForShops();
        shoppers.awaitSales();

        shops = List.of(instances().get("web/0").strings("ips").getFirst());
        director.await(director.deploy(webs(1))).done();
        assertThat(instances().keySet()).containsExactly("db/0", "web/0");
        assertUntouched(two, touches(), "db/0", "web/0");
    }

    @Test
    @Order(12)
    void deletedDeploymentLeavesItsDiskWithTheData() throws IOException {
        Fields db = db();
        String disk = db.strings("disk_cids").getFirst();
        environment.berth("delete-deployment", "-n", "-d", SHOP).ok();
        assertThat(environment.found(CloudObject.Kind.VM)).isEmpty();
        assertThat(environment.vmContainers()).isEmpty();

        Fields shown =
                Fields.of(
                        Json.parse(environment.berth("disks", "--orphaned", "--json").ok()),
                        "disks");
        assertThat(shown.objects("Tables").getFirst().objects("Rows"))
                .anySatisfy(row -> {
                    assertThat(row.string("disk_cid")).isEqualTo(disk);
                    assertThat(row.string("instance")).isEqualTo("db/" + db.string("id"));
                });
        assertThat(filesOn(disk)).contains("./.berth-disk").anyMatch(f -> f.endsWith("PG_VERSION"));

        environment.berth("delete-disk", "-n", disk).ok();
        assertThat(environment.found(CloudObject.Kind.DISK)).doesNotContain(disk);
    }

    // --- manifests: each chapter goes on from the one before

    private static Path example() {
        return TestEnvironment.launcher().resolveSibling("examples/shop.yml");
    }

    private String manifest() {
        try {
            return Files.readString(example()).replace("((berth_network))", environment.base());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private String grown() {
        return changed(manifest(), "persistent_disk: 1024", "persistent_disk: 2048");
    }

    private String slowerWriter() {
        return changed(grown(), "PGHOST: postgres}", "PGHOST: postgres, PAUSE: \"6\"}");
    }

    private String labelledDatabase() {
        return changed(
                slowerWriter(),
                "stop_grace_period: 30s",
                "stop_grace_period: 30s\n    labels: {tier: data}");
    }

    private String webs(int count) {
        return changed(
                labelledDatabase(),
                "name: web\n  instances: 2",
                "name: web\n  instances: " + count);
    }

    private static String changed(String manifest, String from, String to) {
        assertThat(manifest).contains(from);
        return manifest.replace(from, to);
    }

    // --- looking

    private Map<String, Fields> instances() {
        return director.list("/deployments").stream().anyMatch(d -> d.string("name").equals(SHOP))
                ? new TreeMap<>(environment.instances(director, SHOP))
                : Map.of();
    }

    private Fields db() {
        return java.util.Objects.requireNonNull(instances().get("db/0"));
    }

    private String vm(String instance) {
        return java.util.Objects.requireNonNull(instances().get(instance)).string("vm_cid");
    }

    private String inDb(String script) {
        return environment.inVm(vm("db/0"), script).ok();
    }

    private String agentPid() {
        return environment
                .inVm(
                        vm("db/0"),
                        "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '^[^ ]*java .*dev.berth.agent.Main' && echo ${p#/proc/}; done; true")
                .ok()
                .strip();
    }

    private long storeMegabytes() {
        return Long.parseLong(inDb("df -m --output=size /var/vcap/store | tail -1").strip());
    }

    private Fields container(String name) {
        return director.containers(SHOP).stream()
                .filter(c -> c.string("name").equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void lookForShops() {
        shops =
                instances().entrySet().stream()
                        .filter(i -> i.getKey().startsWith("web/"))
                        .map(i -> i.getValue().strings("ips").getFirst())
                        .toList();
    }

    /** What tells of each container whether it was touched, by instance. */
    private Map<String, Map<String, Touch>> touches() {
        var all = new TreeMap<String, Map<String, Touch>>();
        instances()
                .forEach((name, i) -> all.put(name, environment.containersIn(i.string("vm_cid"))));
        return all;
    }

    private static Instant started(Map<String, Map<String, Touch>> touches, String container) {
        return Instant.parse(touches.get("db/0").get(container).startedAt());
    }

    private static void assertUntouched(
            Map<String, Map<String, Touch>> before,
            Map<String, Map<String, Touch>> after,
            String... instances) {
        for (String instance : instances) {
            assertThat(after.get(instance)).as(instance).isEqualTo(before.get(instance));
        }
    }

    /** Files on a detached disk, read without a VM and without changing it. */
    private List<String> filesOn(String disk) throws IOException {
        Path image;
        try (var files = Files.walk(environment.home().resolve("cpi/disks"))) {
            image =
                    files.filter(f -> f.toString().contains(disk) && Files.isRegularFile(f))
                            .max(java.util.Comparator.comparingLong(f -> f.toFile().length()))
                            .orElseThrow();
        }
        String script =
                "set -e; dir=$(mktemp -d); mount -o loop,ro,norecovery '"
                        + image
                        + "' $dir; (cd $dir; find . -maxdepth 4); umount $dir; rmdir $dir";
        return Shell.run(List.of("unshare", "-m", "sh", "-c", script)).ok().lines().toList();
    }
}
