package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import java.time.Duration;
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
 * What a change moves: as little as there is, and when it does not come right, back to what ran
 * before.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class LeastMotionTest {
    private static final String NAME = "motion";
    private final TestEnvironment environment;
    private final DirectorClient director;
    private String vm = "";

    LeastMotionTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    /** One instance of three: {@code app}, {@code front} that needs it, and {@code aside}. */
    private static String manifest(String version, String memory, String check, String onFailure) {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-12000, update_watch_time: 0-60000, on_failure: %s}
        instance_groups:
        - name: one
          instances: 1
          azs: [z1]
          vm_type: small
          stemcell: default
          networks: [{name: default}]
          containers:
          - name: app
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
            environment: {VERSION: "%s"}
            mem_limit: %s
            healthcheck: {test: [CMD-SHELL, "%s"], interval: 1s, timeout: 2s, retries: 2}
          - name: front
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
            depends_on: {app: {condition: service_healthy}}
          - name: aside
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
        """
                .formatted(NAME, onFailure, version, memory, check);
    }

    @BeforeAll
    void deploy() {
        director.await(director.deploy(manifest("1", "64m", "true", "stop"))).done();
        vm = environment.instances(director, NAME).get("one/0").string("vm_cid");
    }

    @AfterAll
    void clean() {
        environment.up();
        Deployments.delete(director, NAME);
        director.close();
    }

    private Map<String, Touch> touches() {
        return environment.containersIn(vm);
    }

    private String inspect(String container, String format) {
        return environment
                .inVm(vm, "docker inspect --format '" + format + "' " + container)
                .ok()
                .strip();
    }

    @Test
    @Order(1)
    void newLimitsStopNothing() {
        Map<String, Touch> before = touches();
        director.await(director.deploy(manifest("1", "96m", "true", "stop"))).done();
        assertThat(touches()).isEqualTo(before);
        assertThat(inspect("app", "{{.HostConfig.Memory}}")).isEqualTo("" + (96L << 20));
        long again = director.deploy(manifest("1", "96m", "true", "stop"));
        director.await(again).done();
        assertThat(director.stages(again)).containsExactly("Preparing deployment");
    }

    @Test
    @Order(2)
    void aChangeThatFailsIsTakenBackToTheVeryContainerOfBefore() {
        Map<String, Touch> before = touches();
        DirectorClient.Ended failed =
                director.await(director.deploy(manifest("2", "96m", "exit 1", "rollback")));
        assertThat(failed.state()).isEqualTo("error");
        assertThat(director.output(failed.id(), "event"))
                .contains("is not running after update")
                .contains("app: ")
                .contains("Rolled back, running the containers of before: one/");
        assertBack(before);
        long again = director.deploy(manifest("1", "96m", "true", "rollback"));
        director.await(again).done();
        assertThat(director.stages(again)).containsExactly("Preparing deployment");
    }

    private void assertBack(Map<String, Touch> before) {
        Map<String, Touch> after = touches();
        assertThat(after.get("aside")).isEqualTo(before.get("aside"));
        assertThat(after.get("app").id()).isEqualTo(before.get("app").id());
        assertThat(after.values()).allMatch(Touch::running);
        assertThat(inspect("app", "{{.Config.Env}}")).contains("VERSION=1");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        assertThat(environment.inVm(vm, "docker ps -aq").ok().lines()).hasSize(3));
    }

    @Test
    @Order(3)
    void aRollbackGoesOnAfterItsDirectorIsKilled() {
        Map<String, Touch> before = touches();
        long task = director.deploy(manifest("2", "96m", "exit 1", "rollback"));
        await().atMost(DirectorClient.TASK_LIMIT)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> director.stages(task).contains("Rolling back instance"));
        environment.killDirector();
        environment.up();
        DirectorClient.Ended failed = director.await(task);
        assertThat(failed.state()).isEqualTo("error");
        assertThat(director.output(task, "event"))
                .contains("Rolled back, running the containers of before: one/");
        assertBack(before);
    }

    @Test
    @Order(4)
    void withoutRollbackTheFailedOneStaysAndTheNextDeployMendsIt() {
        Map<String, Touch> before = touches();
        DirectorClient.Ended failed =
                director.await(director.deploy(manifest("3", "96m", "exit 1", "stop")));
        assertThat(failed.state()).isEqualTo("error");
        assertThat(failed.result()).contains("is not running after update");
        assertThat(touches().get("aside")).isEqualTo(before.get("aside"));
        director.await(director.deploy(manifest("4", "96m", "true", "stop"))).done();
        Map<String, Touch> after = touches();
        assertThat(after.get("aside")).isEqualTo(before.get("aside"));
        assertThat(after.get("app").id()).isNotEqualTo(before.get("app").id());
        assertThat(inspect("app", "{{.Config.Env}}")).contains("VERSION=4");
        environment.awaitAllUp(director, NAME, 3);
    }
}
