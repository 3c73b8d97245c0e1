package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.model.Fields;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** A pool of one: an instance whose VM is lost comes back on the spare one, as what it was. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class PoolStoryTest {
    private static final String NAME = "pooled";

    private static final String MANIFEST =
            """
            name: %s
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 0, max_in_flight: 1, canary_watch_time: 0-120000, update_watch_time: 0-120000}
            instance_groups:
            - name: db
              instances: 1
              azs: [z1]
              vm_type: small
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
    private String cloudConfig;

    PoolStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @BeforeAll
    void deploy() {
        cloudConfig = director.list("/cloud_configs?limit=1&name=").getFirst().string("properties");
        director.await(director.deploy(MANIFEST)).done();
        environment.awaitAllUp(director, NAME, 1);
    }

    @AfterAll
    void clean() {
        configure(cloudConfig);
        Deployments.delete(director, NAME);
        awaitSpares(0);
        director.close();
    }

    @Test
    @Order(1)
    void aPoolGetsASpareVmThatHasTheImages() {
        pool(1);
        awaitPrepared();
        String spare = spares().getFirst().string("vm_cid");
        assertThat(environment.berth("vms").ok().lines().filter(l -> l.contains(spare)))
                .singleElement()
                .satisfies(line -> assertThat(line).contains("small-z1/").contains("ready"));
        assertThat(environment.inVm(spare, "docker images -q").ok()).isNotBlank();
        assertThat(environment.berth("doctor").out()).doesNotContain(spare);
    }

    @Test
    @Order(2)
    void theInstanceOfALostVmComesBackOnTheSpareOne() {
        String spare = spares().getFirst().string("vm_cid");
        Fields before = instance();
        environment.docker("rm", "-f", before.string("vm_cid")).ok();
        await().atMost(TestEnvironment.SOON)
                .until(() -> instance().string("vm_cid", ""), spare::equals);
        environment.awaitAllUp(director, NAME, 1);
        Fields after = instance();
        assertThat(after.string("id")).isEqualTo(before.string("id"));
        assertThat(after.strings("ips")).isEqualTo(before.strings("ips"));
        assertThat(after.strings("disk_cids")).isEqualTo(before.strings("disk_cids"));
        assertThat(environment.inVm(spare, "ip -o -4 addr").ok())
                .contains(" " + before.strings("ips").getFirst() + "/");
        assertThat(
                        environment
                                .inVm(
                                        spare,
                                        "docker exec $(docker ps -q --filter"
                                                + " label=berth.container=writer) cat /data/lives")
                                .ok()
                                .lines())
                .hasSize(2);
        awaitPrepared();
        assertThat(spares().getFirst().string("vm_cid")).isNotEqualTo(spare);
        assertThat(director.await(director.deploy(MANIFEST)).done().result()).contains(NAME);
        assertThat(instance().string("vm_cid")).as("nothing moves").isEqualTo(spare);
    }

    @Test
    @Order(3)
    void ofSizeZeroItHasNone() {
        String spare = spares().getFirst().string("vm_cid");
        pool(0);
        awaitSpares(0);
        await().atMost(TestEnvironment.SOON)
                .until(() -> !environment.vmContainers().contains(spare));
        assertThat(environment.berth("vms").ok()).doesNotContain("small-z1/");
    }

    // --- the pool

    private void pool(int size) {
        configure(
                cloudConfig
                        + """

                        vm_pools:
                        - name: small-z1
                          size: %d
                          vm_type: small
                          az: z1
                          stemcell: {os: berth-debian, version: latest}
                        """
                                .formatted(size));
    }

    private void configure(String yaml) {
        assertThat(
                        director.send("POST", "/cloud_configs", BodyPublishers.ofString(yaml))
                                .statusCode())
                .isEqualTo(201);
    }

    private List<Fields> spares() {
        return director.list("/vm_pools").stream()
                .flatMap(pool -> pool.objects("vms").stream())
                .toList();
    }

    private void awaitSpares(int count) {
        await().atMost(TestEnvironment.SOON).until(() -> spares().size() == count);
    }

    private void awaitPrepared() {
        await().atMost(TestEnvironment.SOON)
                .until(
                        this::spares,
                        spares ->
                                spares.size() == 1
                                        && spares.getFirst().string("job_state").equals("ready")
                                        && spares.getFirst().flag("prepared", false));
    }

    private Fields instance() {
        return environment.instances(director, NAME).get("db/0");
    }
}
