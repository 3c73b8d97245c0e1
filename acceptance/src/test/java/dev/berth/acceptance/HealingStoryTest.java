package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.model.Fields;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What heals by itself: two lost VMs side by side, and what was lost while nobody watched, without
 * a false alarm about anybody else.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class HealingStoryTest {
    private static final String NAME = "healing";
    private static final String MANIFEST =
            """
            name: %s
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-120000, update_watch_time: 0-120000}
            instance_groups:
            - name: db
              instances: 3
              azs: [z1]
              vm_type: default
              stemcell: default
              persistent_disk: 64
              networks: [{name: default}]
              containers:
              - name: writer
                image: registry.berth/shop-web:1
                entrypoint: [sh, -c, "echo $(cat /proc/sys/kernel/random/uuid) >> /data/lives; exec sleep 100000"]
                volumes: ["data:/data"]
            """
                    .formatted(NAME);

    private final TestEnvironment environment;
    private final DirectorClient director;

    HealingStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @BeforeAll
    void deploy() {
        director.await(
                        director.deploy(
                                MANIFEST.replace(
                                        "canaries: 1, max_in_flight: 1",
                                        "canaries: 0, max_in_flight: 3")))
                .done();
        director.await(director.deploy(MANIFEST)).done(); // repairs care for neither
        environment.awaitAllUp(director, NAME, 3);
    }

    @AfterAll
    void clean() {
        environment.up();
        Deployments.delete(director, NAME);
        director.close();
    }

    @Test
    @Order(1)
    void twoVmsLostAtOnceAreRepairedSideBySide() {
        Map<String, Fields> before = environment.instances(director, NAME);
        List<String> lost = List.of(vm(0), vm(1));
        environment.docker("rm", "-f", lost.get(0), lost.get(1)).ok();
        await().atMost(TestEnvironment.SOON)
                .until(() -> !lost.contains(vm(0)) && !lost.contains(vm(1)));
        environment.awaitAllUp(director, NAME, 3);
        awaitWell();
        Map<String, Fields> after = environment.instances(director, NAME);
        for (String instance : List.of("db/0", "db/1")) {
            assertThat(after.get(instance).strings("disk_cids"))
                    .isEqualTo(before.get(instance).strings("disk_cids"));
            assertThat(lives(after.get(instance).string("vm_cid"))).hasSize(2);
        }
        assertThat(vm(2)).isEqualTo(before.get("db/2").string("vm_cid"));
        List<Fields> steps =
                repairs().stream()
                        .flatMap(task -> director.events(task).stream())
                        .filter(e -> e.string("stage", "").equals("Repairing instances"))
                        .toList();
        var begun = new HashMap<String, Long>(); // one may be looked at anew
        steps.stream()
                .filter(e -> e.string("state", "").equals("started"))
                .forEach(e -> begun.putIfAbsent(e.string("task"), e.integer("time")));
        long firstEnded =
                steps.stream()
                        .filter(e -> e.string("state", "").equals("finished"))
                        .mapToLong(e -> e.integer("time"))
                        .min()
                        .orElseThrow();
        assertThat(begun).hasSize(2);
        assertThat(begun.values())
                .as("both are under way at once")
                .allSatisfy(time -> assertThat(time).isLessThanOrEqualTo(firstEnded));
    }

    @Test
    @Order(2)
    void whatIsLostWhileTheDirectorIsAwayHealsWithoutAFalseAlarm() {
        List<Long> repairs = repairs();
        String lost = vm(0);
        String other = vm(1);
        Map<String, Touch> untouched = environment.containersIn(vm(2));
        Touch writer = environment.containersIn(other).get("writer");
        long last = lastEvent();
        environment.killDirector();
        environment.docker("rm", "-f", lost).ok();
        environment.inVm(other, "kill -9 " + writer.pid()).ok();
        await("the agent heals it alone")
                .atMost(TestEnvironment.SOON)
                .until(
                        () -> environment.containersIn(other).get("writer"),
                        w -> w.running() && w.pid() != writer.pid());
        environment.up();
        await().atMost(TestEnvironment.SOON).until(() -> !vm(0).equals(lost));
        environment.awaitAllUp(director, NAME, 3);
        awaitWell();
        assertThat(environment.containersIn(vm(2))).isEqualTo(untouched);
        assertThat(repairs()).hasSize(repairs.size() + 1);
        String instance = environment.instances(director, NAME).get("db/0").string("id");
        assertThat(director.list("/events?object_type=alert&action=create"))
                .filteredOn(e -> Long.parseLong(e.string("id")) > last)
                .flatExtracting(e -> e.object("context").strings("about"))
                .containsOnly("instance/" + instance);
    }

    /** Longer than an agent may be silent; what came meanwhile waits in sockets. */
    @Test
    @Order(3)
    void aDirectorThatWasStoppedTakesNobodyForDead() throws Exception {
        List<Long> repairs = repairs();
        Map<String, Fields> before = environment.instances(director, NAME);
        long last = lastEvent();
        String pid = Long.toString(environment.directorPid());
        signal("STOP", pid);
        try {
            Thread.sleep(20_000);
        } finally {
            signal("CONT", pid);
        }
        Thread.sleep(5_000); // alarms wait two seconds before they are told
        awaitWell();
        assertThat(repairs()).isEqualTo(repairs);
        assertThat(director.list("/events?object_type=alert&action=create"))
                .filteredOn(e -> Long.parseLong(e.string("id")) > last)
                .flatExtracting(e -> e.object("context").strings("about"))
                .noneMatch(about -> about.startsWith("instance/"));
        assertThat(environment.instances(director, NAME).keySet()).isEqualTo(before.keySet());
    }

    private static void signal(String name, String pid) {
        Shell.run(List.of("/bin/sh", "-c", "kill -" + name + " " + pid)).ok();
    }

    // --- looking

    private String vm(int index) {
        return environment.instances(director, NAME).get("db/" + index).string("vm_cid", "");
    }

    private List<String> lives(String vm) {
        return environment
                .inVm(
                        vm,
                        "docker exec $(docker ps -q --filter label=berth.container=writer) cat /data/lives")
                .ok()
                .lines()
                .toList();
    }

    private void awaitWell() {
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() ->
                        assertThat(director.instances(NAME))
                                .extracting(i -> i.string("verdict", ""))
                                .containsOnly("well"));
    }

    private List<Long> repairs() {
        return director.everyTask().stream()
                .filter(t -> t.string("deployment", "").equals(NAME))
                .filter(t -> t.string("description").equals("scan and fix"))
                .map(t -> t.integer("id"))
                .toList();
    }

    private long lastEvent() {
        return director.list("/events").stream()
                .mapToLong(e -> Long.parseLong(e.string("id")))
                .max()
                .orElse(0);
    }
}
