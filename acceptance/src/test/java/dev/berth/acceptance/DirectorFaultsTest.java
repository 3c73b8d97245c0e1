package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.model.Fields;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Whatever dies on the director's side, at whatever moment: no container notices, and the next
 * start goes on where it stood, with nothing lost and nothing left over (rules R4 and R6).
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class DirectorFaultsTest {
    private final TestEnvironment environment;
    private final DirectorClient director;
    private final Box box;

    DirectorFaultsTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.box = new Box(environment, "box");
    }

    @AfterAll
    void clean() {
        environment.up();
        Deployments.delete(director, box.name());
        director.close();
    }

    @Test
    @Order(1)
    void deployGoesOnAfterItsDirectorIsKilledAtEveryStage() {
        long task = director.deploy(box.manifest());
        int kills =
                killAt(
                        task,
                        "creating vm",
                        "waiting for agent",
                        "create disk",
                        "attach disk",
                        "mount disk",
                        "installing packages",
                        "starting jobs",
                        "waiting for containers");
        director.await(task).done();
        assertThat(kills).as("kills").isGreaterThanOrEqualTo(4);
        assertThat(updates()).containsExactly(task);
        box.assertWell(director);
        long again = director.deploy(box.manifest());
        director.await(again).done();
        assertThat(director.stages(again)).containsExactly("Preparing deployment");
        assertAudited(task);
    }

    @Test
    @Order(2)
    void changeGoesOnAfterItsDirectorIsKilledAndMovesEachContainerOnce() {
        Map<String, String> vms = box.vms(director);
        List<String> before = box.starts(keep(vms));
        long task = director.deploy(box.round(2));
        int kills = killAt(task, "installing packages", "starting jobs", "waiting for containers");
        director.await(task).done();
        assertThat(kills).as("kills").isPositive();
        box.assertWell(director);
        assertThat(box.vms(director)).isEqualTo(vms);
        assertThat(box.starts(keep(vms))).hasSize(before.size() + 1);
        assertThat(
                        environment
                                .inVm(
                                        keep(vms),
                                        "docker exec $(docker ps -q --filter label=berth.container=keeper) printenv ROUND")
                                .ok())
                .isEqualToIgnoringNewLines("2");
    }

    @Test
    @Order(3)
    void secondDirectorOnTheSameHomeRefuses() {
        long first = environment.directorPid();
        Shell.Ran second = environment.berth("director");
        assertThat(second.code()).isEqualTo(1);
        assertThat(second.said())
                .contains(
                        "another director runs on " + environment.home() + "/director/berth.db",
                        "process " + first + " on host ",
                        "berth down");
        assertThat(environment.directorPid()).isEqualTo(first);
        assertThat(director.get("/info").statusCode()).isEqualTo(200);
    }

    @Test
    @Order(4)
    void killedBusReturnsAndNoContainerNotices() {
        Map<String, String> vms = box.vms(director);
        Map<String, Map<String, Touch>> before = box.touches(vms);
        List<Long> tasks = changes();
        long bus = environment.pidOf("nats-server");
        TestEnvironment.kill(bus);
        await().atMost(TestEnvironment.SOON)
                .until(
                        () -> environment.processes().values().toString(),
                        p -> p.contains("nats-server"));
        assertThat(environment.pidOf("nats-server")).isNotEqualTo(bus);
        assertThat(box.instances(director)).hasSize(3);
        // A deploy needs every agent's answer.
        director.await(director.deploy(box.round(3))).done();
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(changes()).hasSize(tasks.size() + 1);
        assertThat(mate(box.touches(vms))).isNotEqualTo(mate(before));
        assertThat(box.vms(director)).isEqualTo(vms);
    }

    @Test
    @Order(4)
    void killedRegistryReturns() {
        long registry = environment.pidOf("docker-registry");
        TestEnvironment.kill(registry);
        await().atMost(TestEnvironment.SOON)
                .until(() ->
                        environment.processes().values().toString().contains("docker-registry")
                                && environment.berth("push", "shop-web:1").code() == 0);
        assertThat(environment.pidOf("docker-registry")).isNotEqualTo(registry);
    }

    @Test
    @Order(5)
    void downAndUpTouchNothing() {
        Map<String, String> vms = box.vms(director);
        Map<String, Map<String, Touch>> before = box.touches(vms);
        List<Long> tasks = changes();
        environment.berth("down").ok();
        assertThat(environment.processes()).isEmpty();
        assertThat(box.touches(vms)).isEqualTo(before);
        environment.up();
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(box.touches(vms)).isEqualTo(before);
        assertThat(changes()).isEqualTo(tasks);
    }

    @Test
    @Order(6)
    void killedDirectorStopsNothingAndUpAgainChangesNothing() {
        Map<String, String> vms = box.vms(director);
        Map<String, Map<String, Touch>> before = box.touches(vms);
        List<Long> tasks = changes();
        long bus = environment.pidOf("nats-server");
        environment.killDirector();
        assertThat(environment.berth("vms").code()).isEqualTo(1);
        environment.up();
        assertThat(environment.pidOf("nats-server")).as("the bus is taken over").isEqualTo(bus);
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(box.touches(vms)).isEqualTo(before);
        assertThat(changes()).isEqualTo(tasks);
    }

    @Test
    @Order(6)
    void downAfterAKilledDirectorLeavesNoProcessAndStopsNoContainer() {
        Map<String, String> vms = box.vms(director);
        Map<String, Map<String, Touch>> before = box.touches(vms);
        environment.killDirector();
        assertThat(environment.processes().values().toString())
                .as("what the director had started")
                .contains("nats-server", "docker-registry");
        environment.berth("down").ok();
        assertThat(environment.processes()).isEmpty();
        assertThat(box.touches(vms)).isEqualTo(before);
        environment.up();
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(box.touches(vms)).isEqualTo(before);
    }

    @Test
    @Order(7)
    void everythingReturnsAfterTheHostIsRebooted() {
        Map<String, String> vms = box.vms(director);
        String disk = disk();
        List<String> starts = box.starts(keep(vms));
        powerOff();
        environment.up();
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() -> assertThat(environment.vmContainers()).hasSize(3));
        box.assertWell(director);
        assertThat(box.vms(director)).isEqualTo(vms);
        assertThat(disk()).isEqualTo(disk);
        // Had the container started before its disk was mounted, the lines of before were missing.
        assertThat(box.starts(keep(vms)))
                .startsWith(starts.toArray(String[]::new))
                .hasSizeGreaterThan(starts.size());
    }

    @Test
    @Order(8)
    void deletionGoesOnAfterItsDirectorIsKilled() {
        String disk = disk();
        long task = director.begin("DELETE", "/deployments/" + box.name(), "");
        int kills = killAt(task, "stopping jobs", "deleting vm", "detach disk");
        director.await(task).done();
        assertThat(kills).as("kills").isPositive();
        assertThat(environment.vmContainers()).isEmpty();
        assertThat(director.list("/disks"))
                .extracting(d -> d.string("disk_cid"))
                .containsExactly(disk);
        environment.assertNothingLeaked(director);
    }

    // --- doing

    /**
     * Kills the director each time the task says one of these for the first time, and starts it
     * again; what is said in one breath is one kill, and what is never said none.
     */
    private int killAt(long task, String... moments) {
        Path events = environment.home().resolve("director/tasks/" + task + "/event");
        var left = new ArrayList<>(List.of(moments));
        for (int kills = 0; ; kills++) {
            await("one of " + left + " or the end of the task")
                    .atMost(DirectorClient.TASK_LIMIT)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> left.stream().anyMatch(m -> isSaid(events, m)) || hasEnded(task));
            if (hasEnded(task)) {
                return kills;
            }
            left.removeIf(moment -> isSaid(events, moment));
            environment.killDirector();
            environment.up();
        }
    }

    private static boolean isSaid(Path events, String moment) {
        return text(events).contains("\"status\":\"" + moment + "\"");
    }

    private boolean hasEnded(long task) {
        return !List.of("queued", "processing", "cancelling").contains(director.look(task).state());
    }

    private static String text(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a reboot of the host leaves: files. */
    private void powerOff() {
        environment.killDirector();
        environment.processes().keySet().forEach(TestEnvironment::kill);
        environment.vmContainers().forEach(vm -> environment.docker("kill", vm).ok());
        environment
                .loopDevices()
                .forEach(device -> Shell.run(List.of("losetup", "-d", device)).ok());
        await().atMost(TestEnvironment.SOON).until(() -> environment.loopDevices().isEmpty());
    }

    // --- looking

    /** Who deployed, and what became of it, each once though its director was killed meanwhile. */
    private void assertAudited(long task) {
        List<Fields> events =
                director.list("/events?deployment=" + box.name()).stream()
                        .filter(e -> e.string("task", "").equals(String.valueOf(task)))
                        .toList();
        assertThat(events)
                .filteredOn(e -> e.string("object_type").equals("deployment"))
                .extracting(e -> e.string("action"))
                .contains("create");
        assertThat(events)
                .extracting(e -> e.string("user"))
                .containsOnly(environment.file().user());
        assertThat(environment.berth("events", "-d", box.name()).ok())
                .contains("create", "deployment", box.name(), String.valueOf(task));
    }

    /** Tasks that deployed, newest first. */
    private List<Long> updates() {
        return director.tasks().stream()
                .filter(t -> t.string("deployment", "").equals(box.name()))
                .filter(t -> t.string("description").equals("create deployment"))
                .map(t -> t.integer("id"))
                .toList();
    }

    /** Tasks that changed this deployment, repairs among them. */
    private List<Long> changes() {
        return director.tasks().stream()
                .filter(t -> t.string("deployment", "").equals(box.name()))
                .filter(t -> !t.string("description").startsWith("retrieve"))
                .map(t -> t.integer("id"))
                .toList();
    }

    private String keep(Map<String, String> vms) {
        return vms.get("keep/0");
    }

    private String disk() {
        Fields keep = box.instances(director).get("keep/0");
        String disk = keep.strings("disk_cids").getFirst();
        assertThat(environment.found(CloudObject.Kind.DISK)).contains(disk);
        return disk;
    }

    private static Touch mate(Map<String, Map<String, Touch>> touches) {
        return touches.get("keep/0").get("mate");
    }
}
