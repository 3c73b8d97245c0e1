package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Containers, the daemon, the agent and the whole VM fail under ten containers: what fails heals,
 * what stands on it follows in order, and nothing else moves.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class ContainerFaultsTest {
    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm ten;

    ContainerFaultsTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.ten = new OneVm(environment, director, "ten-faults");
    }

    @BeforeAll
    void deploy() {
        ten.deploy(ten.manifest(Ten.CONTAINERS));
        ten.awaitWell();
        assertThat(ten.touches().keySet()).isEqualTo(Ten.ALL);
    }

    @AfterEach
    void nothingIsMissingAndTheOneShotRanOnce() {
        ten.awaitWell();
        assertThat(ten.touches().keySet()).isEqualTo(Ten.ALL);
        assertThat(onDisk("migrations")).containsExactly("migrated");
        environment.assertNothingLeaked(director);
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, ten.name());
        director.close();
    }

    @Test
    void containerThatExitsRunsAgainAndItsEndIsKept() {
        Map<String, Touch> before = ten.touches();
        long restarts = ten.seen("n1").integer("restarts");
        ten.signal("USR1", "n1");
        ten.awaitAnew("n1", before.get("n1"));
        Map<String, Touch> after = ten.touches();
        assertThat(after.get("n1").id()).as("the same container").isEqualTo(before.get("n1").id());
        assertThat(OneVm.without(after, "n1")).isEqualTo(OneVm.without(before, "n1"));
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() ->
                        assertThat(ten.why("n1"))
                                .contains(
                                        (restarts + 1) + " restarts",
                                        "last exit 7",
                                        "exited with code 7",
                                        "before it ended last:",
                                        "the last words of n1"));
        assertThat(ten.seen("n1").integer("last_exit_code")).isEqualTo(7);
        assertThat(environment.berth("containers", "-d", ten.name()).ok())
                .contains("started again: exited with code 7");
    }

    @Test
    void dependentsOfOneThatExitsFollowItInOrderAndNobodyElse() {
        Map<String, Touch> before = ten.touches();
        ten.signal("USR1", "db");
        ten.awaitAnew("web", before.get("web"));
        ten.awaitWell();
        Map<String, Touch> after = ten.touches();
        assertThat(OneVm.started(after, "db")).isAfter(OneVm.started(before, "web"));
        assertThat(OneVm.started(after, "app")).isAfter(OneVm.started(after, "db"));
        assertThat(OneVm.started(after, "web")).isAfter(OneVm.started(after, "app"));
        assertThat(OneVm.without(after, "db", "app", "web"))
                .isEqualTo(OneVm.without(before, "db", "app", "web"));
        assertThat(ten.why("app")).contains("started last because: its dependency db");
    }

    @Test
    void killedDaemonStopsNothingAndWhatEndedMeanwhileIsHealed() {
        Map<String, Touch> before = ten.touches();
        String daemon = daemon();
        try (var outside = new Visitors(ten.address());
                var inside = new InnerVisitors(environment, ten, "serve")) {
            outside.awaitServed();
            ten.in("kill -9 " + daemon + " && kill -9 " + before.get("n2").pid());
            ten.awaitAnew("n2", before.get("n2"));
            ten.awaitWell();
            inside.assertServedThroughout();
            outside.awaitServed();
        }
        assertThat(daemon()).isNotEqualTo(daemon);
        assertThat(OneVm.without(ten.touches(), "n2")).isEqualTo(OneVm.without(before, "n2"));
        controlIsBack("n3");
    }

    @Test
    void hungDaemonIsReplacedWhileContainersGoOnServing() {
        Map<String, Touch> before = ten.touches();
        String daemon = daemon();
        try (var outside = new Visitors(ten.address());
                var inside = new InnerVisitors(environment, ten, "serve")) {
            outside.awaitServed();
            ten.in("kill -STOP " + daemon);
            await().atMost(TestEnvironment.SOON)
                    .untilAsserted(() -> assertThat(ten.why("")).contains("docker daemon hung"));
            outside.assertServedThroughout();
            await().atMost(TestEnvironment.SOON)
                    .until(this::daemon, now -> !now.isEmpty() && !now.equals(daemon));
            ten.awaitWell();
            inside.assertServedThroughout();
            outside.awaitServed();
        }
        assertThat(ten.touches()).isEqualTo(before);
        controlIsBack("n4");
    }

    @Test
    void rebootedVmStartsTheSameContainersInOrderAndKeepsTheData() {
        Map<String, Touch> before = ten.touches();
        String vm = ten.vm();
        List<String> starts = onDisk("starts");
        environment.docker("restart", "-t", "30", vm).ok();
        await("all containers of this boot")
                .atMost(TestEnvironment.SOON)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    Map<String, Touch> now = ten.touches();
                    assertThat(OneVm.without(now, "migrate").values()).allMatch(Touch::running);
                    assertThat(OneVm.started(now, "db")).isAfter(OneVm.started(before, "db"));
                });
        ten.awaitWell();
        Map<String, Touch> after = ten.touches();
        assertThat(ten.vm()).isEqualTo(vm);
        after.forEach((name, touch) ->
                assertThat(touch.id())
                        .as("%s is not made anew", name)
                        .isEqualTo(before.get(name).id()));
        assertThat(after.get("migrate")).as("the one-shot").isEqualTo(before.get("migrate"));
        assertThat(OneVm.started(after, "app")).isAfter(OneVm.started(after, "db"));
        assertThat(OneVm.started(after, "web")).isAfter(OneVm.started(after, "app"));
        assertThat(onDisk("starts")).hasSize(starts.size() + 1).containsAll(starts);
    }

    @Test
    void killedAgentAndAgentThatHangsStopNothing() {
        Map<String, Touch> before = ten.touches();
        String agent = agent();
        ten.in("kill -9 " + agent);
        await().atMost(TestEnvironment.SOON)
                .until(this::agent, now -> !now.isEmpty() && !now.equals(agent));
        ten.awaitWell();
        assertThat(ten.touches()).isEqualTo(before);

        // One that hangs is ended by the first program of the VM, and no director has to reboot it.
        String vm = ten.vm();
        String next = agent();
        ten.in("kill -STOP " + next);
        ten.signal("USR1", "n5");
        assertThat(OneVm.without(ten.touches(), "n5")).isEqualTo(OneVm.without(before, "n5"));
        ten.awaitAnew("n5", before.get("n5"));
        ten.awaitWell();
        assertThat(agent()).isNotEqualTo(next);
        assertThat(ten.vm()).isEqualTo(vm);
        assertThat(OneVm.without(ten.touches(), "n5")).isEqualTo(OneVm.without(before, "n5"));
    }

    /** The daemon does what it is asked: a container is killed and comes back. */
    private void controlIsBack(String container) {
        Touch before = ten.touches().get(container);
        ten.signal("KILL", container);
        ten.awaitAnew(container, before);
    }

    private List<String> onDisk(String file) {
        return ten.lines("cat /var/vcap/store/volumes/data/" + file);
    }

    private String daemon() {
        return environment.inVm(ten.vm(), "cat /run/docker.pid").out().strip();
    }

    private String agent() {
        return ten.in(
                        "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '^[^ ]*java .*dev.berth.agent.Main' && echo ${p#/proc/}; done; true")
                .strip();
    }
}
