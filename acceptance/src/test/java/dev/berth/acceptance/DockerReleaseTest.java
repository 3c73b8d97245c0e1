package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Manifests that were written for the BOSH release of Docker, in its first form and in its last,
 * are deployed as they are.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class DockerReleaseTest {
    private static final String NAME = "old-hand";

    /** The names that the properties of the daemon had, and what else changed. */
    enum Release {
        FIRST(
                """
                      docker:
                        tcp_address: 127.0.0.1
                        log_level: error
                        mtu: 1400
                        dns_servers: [192.0.2.53]
                """,
                """
                      docker:
                        containers:
                          logrotate: {size: 3M, rotate: 2, frequency: "0 * * * *"}
                """),
        LAST(
                """
                      tcp_address: 0.0.0.0
                      tcp_port: 2376
                      tls_cacert: ((docker_tls.ca))
                      tls_cert: ((docker_tls.certificate))
                      tls_key: ((docker_tls.private_key))
                      log_level: error
                      mtu: 1400
                      dns_servers: [192.0.2.53]
                """,
                "");

        private final String daemon;
        private final String rotation;

        Release(String daemon, String rotation) {
            this.daemon = daemon;
            this.rotation = rotation;
        }

        String manifest() {
            return """
            name: %s
            releases: [{name: docker, version: latest}]
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 0, max_in_flight: 32, canary_watch_time: 1000-60000, update_watch_time: 1000-60000, serial: false}
            variables:
            - name: docker_ca
              type: certificate
              options: {is_ca: true, common_name: docker-ca}
            - name: docker_tls
              type: certificate
              options: {ca: docker_ca, common_name: docker, extended_key_usage: [server_auth, client_auth]}
            instance_groups:
            - name: docker
              instances: 1
              azs: [z1]
              vm_type: default
              stemcell: default
              persistent_disk: 256
              networks: [{name: default}]
              jobs:
              - name: docker
                release: docker
                properties:
            %s  - name: containers
                release: docker
                properties:
            %s      containers:
                  - name: cache
                    image: registry.berth/shop-web:1
                    entrypoint: sleep
                    command: "100000"
                    bind_ports: ["6379:6379"]
                    bind_volumes: ["/var/lib/cache"]
                    memory: "64m"
                    env_vars: ["EXAMPLE_VAR=1", "OTHER=a b"]
                    user: root
                    privileged: false
                  - name: search
                    image: shop/search
                    dockerfile: |
                      FROM registry.berth/shop-web:1
                      ENV MADE=here
                      ENTRYPOINT ["sleep"]
                      CMD ["100000"]
                    links: ["cache:db"]
                    depends_on: [cache]
                    lxc_conf: 1
                    kernel_memory: "16m"
            """
                    .formatted(NAME, daemon, rotation);
        }
    }

    private final TestEnvironment environment;
    private final DirectorClient director;

    DockerReleaseTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        director.close();
    }

    private String inVm(String vm, String script) {
        return environment.inVm(vm, script).ok().strip();
    }

    @ParameterizedTest
    @EnumSource
    void manifestIsDeployedAsItIs(Release release) {
        long task = director.deploy(release.manifest());
        director.await(task).done();
        String events = director.output(task, "event");
        assertThat(events).contains("lxc_conf").contains("kernel_memory");
        environment.awaitAllUp(director, NAME, 2);
        Fields instance = environment.instances(director, NAME).get("docker/0");
        String vm = instance.string("vm_cid");
        assertThat(inVm(vm, "docker inspect cache --format '{{json .Config.Env}}'"))
                .contains("\"EXAMPLE_VAR=1\"", "\"OTHER=a b\"");
        assertThat(inVm(vm, "docker inspect cache --format '{{.HostConfig.Memory}}'"))
                .isEqualTo("67108864");
        assertThat(inVm(vm, "docker exec cache sh -c 'echo kept > /var/lib/cache/it'")).isEmpty();
        assertThat(
                        inVm(
                                vm,
                                "cat /var/vcap/store/containers/cache/it || find /var/vcap/store -name it -exec cat {} +"))
                .isEqualTo("kept");
        assertThat(inVm(vm, "docker exec search printenv MADE")).isEqualTo("here");
        assertThat(inVm(vm, "docker exec search getent hosts db")).contains("db");
        assertThat(
                        inVm(
                                vm,
                                "docker network inspect berth --format '{{index .Options \"com.docker.network.driver.mtu\"}}'"))
                .isEqualTo("1400");
        if (release == Release.LAST) {
            assertThat(environment.inVm(vm, "curl -sk https://127.0.0.1:2376/version").said())
                    .as("nobody is let in without a certificate")
                    .doesNotContain("ApiVersion");
            assertThat(inVm(vm, "ss -ltn | grep -c ':2376 '")).isEqualTo("1");
        } else {
            assertThat(events).contains("frequency");
            assertThat(
                            inVm(
                                    vm,
                                    "docker inspect cache --format '{{json .HostConfig.LogConfig.Config}}'"))
                    .contains("\"max-file\":\"2\"", "\"max-size\":\"3m\"");
        }
        long again = director.deploy(release.manifest());
        director.await(again).done();
        assertThat(director.stages(again)).containsExactly("Preparing deployment");
    }
}
