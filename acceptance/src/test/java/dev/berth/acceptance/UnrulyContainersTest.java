package dev.berth.acceptance;

import static dev.berth.acceptance.OneVm.container;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import java.time.Duration;
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
 * Containers that take more than they are given, do not stop, do not start or find their place
 * taken: each is told of by its own words, and {@code serve} beside them never notices.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class UnrulyContainersTest {
    private static final String DATA = "volumes: ['data:/data']";

    private static final String CONTAINERS =
            """
              - name: serve
                image: registry.berth/shop-web:1
                ports: ["80:8080"]
            """
                    + container(
                            "hog",
                            "trap 'exec tail /dev/zero' USR1; ",
                            "mem_limit: 32m",
                            "memswap_limit: 32m")
                    + """
                      - name: bomb
                        image: registry.berth/shop-web:1
                        entrypoint: [sleep, infinity]
                        init: true
                        pids_limit: 40
                        cpus: 0.5
                    """
                    + container("deaf", "trap '' TERM; ", "stop_grace_period: 1s")
                    + container(
                            "loop",
                            "date +%s%N >> /data/loop.starts; if [ -e /data/loop.broken ]; then echo broken on purpose; exit 3; fi; ",
                            DATA,
                            "healthcheck: {test: [CMD, 'true'], interval: 1s, timeout: 5s, retries: 3}")
                    + container(
                            "follower",
                            "echo started >> /data/follower.starts; ",
                            DATA,
                            "depends_on: {loop: {condition: service_healthy}}")
                    + container("named", "")
                    + """
                      - name: port
                        image: registry.berth/shop-web:1
                        ports: ["8099:8080"]
                    """;

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm vm;

    UnrulyContainersTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.vm = new OneVm(environment, director, "unruly");
    }

    @BeforeAll
    void deploy() {
        vm.deploy(vm.manifest(CONTAINERS));
        vm.awaitWell();
    }

    @AfterEach
    void allIsWellAgain() {
        vm.awaitWell();
        assertThat(vm.touches())
                .hasSize(8)
                .allSatisfy((name, t) -> assertThat(t.running()).isTrue());
        environment.assertNothingLeaked(director);
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, vm.name());
        director.close();
    }

    @Test
    void containerKilledForWantOfMemoryIsShownAsSuch() {
        Map<String, Touch> before = vm.touches();
        vm.signal("USR1", "hog");
        vm.awaitAnew("hog", before.get("hog"));
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() ->
                        assertThat(vm.why("hog"))
                                .contains(
                                        "last exit 137 (SIGKILL, out of memory)",
                                        "exited with code 137 (out of memory)"));
        assertThat(environment.berth("containers", "-d", vm.name()).ok())
                .contains("137 (out of memory)");
        assertThat(OneVm.without(vm.touches(), "hog")).isEqualTo(OneVm.without(before, "hog"));
    }

    @Test
    void forkBombUnderALimitHarmsNobodyElse() {
        Map<String, Touch> before = vm.touches();
        try (var visitors = new Visitors(vm.address())) {
            vm.in("docker exec -d bomb bash -c 'bomb() { bomb | bomb & }; bomb'");
            await().atMost(TestEnvironment.SOON)
                    .untilAsserted(() ->
                            assertThat(vm.lines("docker top bomb -o pid | tail -n +2"))
                                    .hasSizeGreaterThan(30));
            assertThat(vm.in("docker exec serve echo still here")).contains("still here");
            assertThat(vm.touches()).isEqualTo(before);
            environment.berth("restart", "-n", "-d", vm.name(), OneVm.INSTANCE + "/bomb").ok();
            visitors.assertServedThroughout();
        }
        assertThat(vm.lines("docker top bomb -o pid | tail -n +2")).hasSizeLessThan(5);
        assertThat(OneVm.without(vm.touches(), "bomb")).isEqualTo(OneVm.without(before, "bomb"));
    }

    @Test
    void containerThatIgnoresItsStopSignalIsKilledAfterItsGrace() {
        Map<String, Touch> before = vm.touches();
        environment.berth("stop", "-n", "-d", vm.name(), OneVm.INSTANCE + "/deaf").ok();
        assertThat(vm.touches().get("deaf").running()).isFalse();
        assertThat(vm.why("deaf"))
                .contains("stopped by an operator", "last exit 137 (SIGKILL)")
                .doesNotContain("out of memory");
        environment.berth("start", "-n", "-d", vm.name(), OneVm.INSTANCE + "/deaf").ok();
        assertThat(OneVm.without(vm.touches(), "deaf")).isEqualTo(OneVm.without(before, "deaf"));
    }

    @Test
    void containerThatExitsAgainAndAgainIsTriedEverMoreSlowlyAndItsDependentStartsOnce() {
        Map<String, Touch> before = vm.touches();
        String data = "/var/vcap/store/volumes/data/";
        vm.in("rm -f " + data + "*.starts && touch " + data + "loop.broken");
        try {
            vm.signal("USR1", "loop");
            await().atMost(TestEnvironment.SOON)
                    .pollInterval(Duration.ofMillis(200))
                    .untilAsserted(() ->
                            assertThat(vm.why("loop"))
                                    .contains(
                                            "exited with code 3; failed 6 times in a row",
                                            "next try in",
                                            "Last lines of loop:",
                                            "broken on purpose"));
            assertThat(vm.touches().get("follower").running()).isFalse();
            assertThat(vm.why("follower")).contains("waits for loop");
            assertThat(vm.in("ls " + data))
                    .as("starts of the dependent")
                    .doesNotContain("follower");
        } finally {
            vm.in("rm " + data + "loop.broken");
        }
        vm.awaitWell();
        assertThat(vm.lines("cat " + data + "follower.starts")).containsExactly("started");
        // The first failure is the end by signal, whose restart is immediate.
        List<Long> starts =
                vm.lines("cat " + data + "loop.starts").stream().map(Long::valueOf).toList();
        for (int failures = 2; failures <= 6; failures++) {
            long waited = (starts.get(failures - 1) - starts.get(failures - 2)) / 1_000_000;
            assertThat(waited)
                    .as("ms between starts after failure %s", failures)
                    .isGreaterThanOrEqualTo(Math.round(0.8 * (500 << (failures - 2))));
        }
        assertThat(OneVm.without(vm.touches(), "loop", "follower"))
                .isEqualTo(OneVm.without(before, "loop", "follower"));
    }

    @Test
    void foreignContainersInTheWayAreNamedAndEachPlaceIsTakenWhenTheyGo() {
        Map<String, Touch> before = vm.touches();
        String image = "$(docker inspect -f '{{.Config.Image}}' serve)";
        String named =
                vm.in(
                        "docker rename named aside && docker create --name named "
                                + image
                                + " && docker rm -f aside > /dev/null");
        environment.berth("stop", "-n", "-d", vm.name(), OneVm.INSTANCE + "/port").ok();
        String port = vm.in("docker run -d --name squatter -p 8099:8080 " + image);
        long task =
                director.begin(
                        "PUT",
                        "/deployments/"
                                + vm.name()
                                + "/instances/"
                                + OneVm.INSTANCE
                                + "/containers/port?state=started",
                        "");
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() -> {
                    assertThat(vm.why("named"))
                            .contains(
                                    "the name 'named' is held by container "
                                            + named.substring(0, 12));
                    assertThat(vm.why("port"))
                            .contains("port 8099 is held by container " + port.substring(0, 12));
                });
        assertThat(OneVm.without(vm.touches(), "named", "port"))
                .isEqualTo(OneVm.without(before, "named", "port"));
        vm.in("docker rm -f named squatter");
        vm.awaitAnew("named", before.get("named"));
        vm.awaitAnew("port", before.get("port"));
        director.await(task).done();
    }
}
