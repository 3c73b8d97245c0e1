package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.acceptance.TestEnvironment.Touch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The settings of the Docker daemon in VMs are changed by deploys while a container serves, and the
 * deploy says how much that moved.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DaemonStoryTest {
    private static final String NAME = "daemon";

    private final TestEnvironment environment;
    private final DirectorClient director;
    @TempDir Path folder = Path.of("");

    DaemonStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        director.close();
    }

    private static String manifest(String docker) {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-120000, update_watch_time: 0-120000}
        instance_groups:
        - name: web
          instances: 1
          azs: [z1]
          vm_type: small
          stemcell: default
          networks: [{name: default}]
          docker: %s
          containers:
          - name: web
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
        """
                .formatted(NAME, docker);
    }

    private Shell.Ran deploy(String docker) throws IOException {
        Path file = Files.writeString(folder.resolve("daemon.yml"), manifest(docker));
        return environment.berth("deploy", "-n", "-d", NAME, file.toString());
    }

    private String vm() {
        return java.util.Objects.requireNonNull(environment.instances(director, NAME).get("web/0"))
                .string("vm_cid");
    }

    private Map<String, Touch> touches() {
        return environment.containersIn(vm());
    }

    private String info(String format) {
        return environment.inVm(vm(), "docker info --format '" + format + "'").ok().strip();
    }

    @Test
    void settingsChangeWhileAContainerServes() throws IOException {
        // A new VM has them before its first container.
        assertThat(deploy("{labels: [rack=1], ulimit: {nofile: 4096}}").ok()).contains("labels");
        assertThat(info("{{.Labels}}")).isEqualTo("[rack=1]");
        Map<String, Touch> before = touches();
        String vm = vm();

        String same = deploy("{labels: [rack=1], ulimit: {nofile: 4096}}").ok();
        assertThat(same).as("the same twice").doesNotContain("Updating instance web");

        String reloaded = deploy("{labels: [rack=2], ulimit: {nofile: 4096}}").ok();
        assertThat(reloaded).contains("-     - rack=1", "+     - rack=2");
        assertThat(reloaded).contains("docker daemon reloaded (labels); no container touched");
        assertThat(info("{{.Labels}}")).isEqualTo("[rack=2]");
        assertThat(touches()).isEqualTo(before);

        String restarted = deploy("{labels: [rack=2], dns_servers: [10.9.9.9]}").ok();
        assertThat(restarted)
                .contains("docker daemon restarted under live-restore (dns, nofile)")
                .contains("no container stopped");
        assertThat(touches()).isEqualTo(before);

        Shell.Ran refused = deploy("{labels: [rack=2], default_runtime: nosuch}");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.said()).contains("has the old ones again", "nosuch");
        assertThat(info("{{.Labels}} {{.LiveRestoreEnabled}}")).isEqualTo("[rack=2] true");
        assertThat(touches()).isEqualTo(before);

        String anew = deploy("{labels: [rack=2], mtu: 1400}").ok();
        assertThat(anew).contains("stopped in order and made anew", "mtu");
        Map<String, Touch> after = touches();
        assertThat(after)
                .hasSize(1)
                .allSatisfy((name, touch) -> assertThat(touch.running()).isTrue());
        assertThat(after).isNotEqualTo(before);
        assertThat(vm()).as("the VM stays").isEqualTo(vm);
        assertThat(
                        environment
                                .inVm(vm, "docker exec $(docker ps -q) cat /sys/class/net/eth0/mtu")
                                .ok())
                .isEqualTo("1400\n");

        // They outlive the VM's reboot and its agent.
        environment.docker("restart", vm).ok();
        environment.awaitAllUp(director, NAME, 1);
        assertThat(info("{{.Labels}}")).isEqualTo("[rack=2]");
        Map<String, Touch> rebooted = touches();
        environment.inVm(vm, "kill -9 $(pgrep -x java)").ok();
        environment.awaitAllUp(director, NAME, 1);
        assertThat(touches()).isEqualTo(rebooted);
        assertThat(deploy("{labels: [rack=2], mtu: 1400}").ok())
                .doesNotContain("Updating instance web");
    }
}
