package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.model.Fields;
import java.net.http.HttpRequest.BodyPublishers;
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
 * The ways of disks that are seldom gone: btrfs, raw devices, a Docker daemon that stands on the
 * disk that moves, another name, another zone. What was written stays, in order and none twice.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class DiskPathsTest {
    private static final String NAME = "disk-paths";
    private static final String TYPES =
            """
            azs: [{name: paths-other}]
            disk_types:
            - {name: tree, disk_size: 256, file_system: btrfs}
            - {name: tree-more, disk_size: 320, file_system: btrfs}
            - {name: tree-less, disk_size: 288, file_system: btrfs}
            - {name: device, disk_size: 32}
            - {name: device-more, disk_size: 48}
            - {name: images, disk_size: 512, file_system: ext4}
            - {name: images-other, disk_size: 512, file_system: xfs}
            networks:
            - name: paths
              type: manual
              subnets:
              - {range: %s, gateway: %s, azs: [z1, paths-other], cloud_properties: {name: %s}}
            """;

    private static final String WRITER =
            """
              - name: writer
                image: registry.berth/shop-web:1
                entrypoint: [sh, -c, "trap 'exit 0' TERM; n=0; [ -f /d/rows ] && n=$(wc -l < /d/rows); while :; do n=$(expr $n + 1); echo $n >> /d/rows; sync /d/rows; sleep 0.1 & wait $!; done"]
                volumes: ["%s:/d"]
            """;

    private static final String TREE = "/var/vcap/disks/tree/d/rows";
    private static final String IMAGES = "/var/vcap/store/volumes/data/rows";

    private final TestEnvironment environment;
    private final DirectorClient director;

    DiskPathsTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    /** As it is asked for; what is not named is as in the beginning. */
    private record Ask(String tree, String device, String images, String second, String az) {
        static final Ask FIRST = new Ask("tree", "device", "images", "name: second", "z1");

        String manifest() {
            return """
            name: %s
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 0, max_in_flight: 2, serial: false, canary_watch_time: 0-60000, update_watch_time: 0-60000}
            instance_groups:
            - name: first
              instances: 1
              azs: [%s]
              vm_type: small
              stemcell: default
              persistent_disks:
              - {name: tree, type: %s}
              - {name: device, type: %s, raw: true}
              networks: [{name: paths}]
              containers:
            %s\
            - %s
              instances: 1
              azs: [z1]
              vm_type: small
              stemcell: default
              persistent_disk_type: %s
              docker: {store_dir: /var/vcap/store}
              networks: [{name: paths}]
              containers:
            %s\
            """
                    .formatted(
                            NAME,
                            az,
                            tree,
                            device,
                            WRITER.formatted("/var/vcap/disks/tree/d"),
                            second,
                            images,
                            WRITER.formatted("data"));
        }
    }

    @BeforeAll
    void deployed() {
        var file = environment.file();
        String types = TYPES.formatted(file.networkRange(), file.gateway(), file.networkName());
        assertThat(
                        director.send(
                                        "POST",
                                        "/cloud_configs?name=" + NAME,
                                        BodyPublishers.ofString(types))
                                .statusCode())
                .isBetween(200, 299);
        deploy(Ask.FIRST, "");
        environment.awaitAllUp(director, NAME, 2);
    }

    @AfterAll
    void removed() {
        try (director) {
            Deployments.delete(director, NAME);
            director.send("DELETE", "/configs?type=cloud&name=" + NAME, BodyPublishers.noBody());
        }
    }

    /** What the task told. */
    private String deploy(Ask ask, String query) {
        long task = director.begin("POST", "/deployments" + query, ask.manifest());
        director.await(task).done();
        return director.output(task, "event");
    }

    private Fields instance(String group) {
        return environment.instances(director, NAME).get(group + "/0");
    }

    private String in(String group, String script) {
        return environment.inVm(instance(group).string("vm_cid"), script).ok().strip();
    }

    private List<String> rows(String group, String file) {
        return in(group, "cat " + file).lines().toList();
    }

    private void goesOnAfter(List<String> before, String group, String file) {
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(
                        () -> assertThat(rows(group, file)).hasSizeGreaterThan(before.size() + 3));
        List<String> now = rows(group, file);
        for (int i = 0; i < now.size(); i++) {
            assertThat(now.get(i)).isEqualTo(String.valueOf(i + 1));
        }
    }

    private static final String DEVICE = "$(readlink -f /var/vcap/instance/disks/device)";

    @Test
    @Order(1)
    void btrfsAndRawDevicesGrowUnderRunningContainers() {
        assertThat(in("first", "findmnt -no FSTYPE /var/vcap/disks/tree")).isEqualTo("btrfs");
        assertThat(environment.berth("why", "-d", NAME, "first/0").ok())
                .contains("raw, 32", "its container has the device for itself")
                .doesNotContain("not proven");
        in("first", "printf 'by its own job' > " + DEVICE);
        List<String> rows = rows("first", TREE);
        Map<String, TestEnvironment.Touch> touches = touches("first");
        String told =
                deploy(new Ask("tree-more", "device-more", "images", "name: second", "z1"), "");
        assertThat(told)
                .contains("256 → 320 MB in place, no container stopped")
                .contains("32 → 48 MB in place");
        assertThat(touches("first")).isEqualTo(touches);
        assertThat(in("first", "blockdev --getsize64 " + DEVICE)).isEqualTo("" + (48L << 20));
        assertThat(in("first", "head -c 14 " + DEVICE)).isEqualTo("by its own job");
        goesOnAfter(rows, "first", TREE);
    }

    private Map<String, TestEnvironment.Touch> touches(String group) {
        return environment.containersIn(instance(group).string("vm_cid"));
    }

    /** The daemon leaves with its containers, and is back with them on the other disk. */
    @Test
    @Order(2)
    void btrfsShrinksByCopyAndADaemonMovesWithItsDisk() {
        List<String> tree = rows("first", TREE);
        List<String> images = rows("second", IMAGES);
        String told =
                deploy(
                        new Ask("tree-less", "device-more", "images-other", "name: second", "z1"),
                        "?allow_shrink=true");
        assertThat(told).contains("320 → 288 MB by copy", "512 → 512 MB by copy");
        assertThat(in("second", "docker info -f '{{.DockerRootDir}}'"))
                .isEqualTo("/var/vcap/store/docker/docker");
        assertThat(in("second", "findmnt -no FSTYPE /var/vcap/store")).isEqualTo("xfs");
        goesOnAfter(tree, "first", TREE);
        goesOnAfter(images, "second", IMAGES);
    }

    @Test
    @Order(3)
    void anotherNameTouchesNothingAndAnotherZoneTakesTheDisksAlong() {
        Fields was = instance("first");
        List<String> tree = rows("first", TREE);
        Map<String, TestEnvironment.Touch> touches = touches("second");
        String renamed = "name: later\n  migrated_from: [{name: second}]";
        deploy(new Ask("tree-less", "device-more", "images-other", renamed, "paths-other"), "");
        assertThat(touches("later")).isEqualTo(touches);
        Fields now = instance("first");
        assertThat(now.string("az")).isEqualTo("paths-other");
        assertThat(now.string("vm_cid")).isNotEqualTo(was.string("vm_cid"));
        assertThat(now.strings("disk_cids"))
                .containsExactlyInAnyOrderElementsOf(was.strings("disk_cids"));
        assertThat(in("first", "head -c 14 " + DEVICE)).isEqualTo("by its own job");
        goesOnAfter(tree, "first", TREE);
        environment.assertNothingLeaked(director);
    }
}
