package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.model.Fields;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
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
 * Two disks of one instance, changed in each of the three ways, made smaller, and one of them given
 * back: what is written goes on, in order and none twice, and only what must stop stops.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class DiskStoryTest {
    private static final String NAME = "disk-story";
    private static final String TYPES =
            """
            disk_types:
            - {name: rows, disk_size: 320, file_system: xfs}
            - {name: rows-more, disk_size: 512, file_system: xfs, mount_options: [noatime]}
            - {name: rows-other, disk_size: 512, file_system: ext4}
            - {name: rows-less, disk_size: 200, file_system: ext4}
            - {name: logs, disk_size: 96, file_system: ext4}
            - {name: logs-more, disk_size: 160, file_system: ext4}
            """;

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm one;

    DiskStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.one = new OneVm(environment, director, NAME);
    }

    /** Each writes numbered lines to a disk of its own, after the last it finds; one to none. */
    private static String manifest(String rows, String logs) {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-60000, update_watch_time: 0-60000}
        instance_groups:
        - name: all
          instances: 1
          azs: [z1]
          vm_type: small
          stemcell: default
          persistent_disks:
          - {name: rows, type: %s}
          - {name: logs, type: %s}
          networks: [{name: default}]
          containers:
        %s%s%s\
        """
                .formatted(
                        NAME,
                        rows,
                        logs,
                        OneVm.container(
                                "writer", writing(), "volumes: [\"/var/vcap/disks/rows/data:/d\"]"),
                        OneVm.container(
                                "logger",
                                writing(),
                                "volumes: [{type: volume, source: log, target: /d,"
                                        + " x-berth.disk: logs}]"),
                        OneVm.container("aside", ""));
    }

    private static String writing() {
        return "n=0; [ -f /d/rows ] && n=$(wc -l < /d/rows);"
                + " (while :; do n=$(expr $n + 1); echo $n >> /d/rows; sleep 0.1; done) & ";
    }

    @BeforeAll
    void deployed() {
        assertThat(
                        director.send(
                                        "POST",
                                        "/cloud_configs?name=" + NAME,
                                        BodyPublishers.ofString(TYPES))
                                .statusCode())
                .isBetween(200, 299);
        one.deploy(manifest("rows", "logs"));
        environment.awaitAllUp(director, NAME, 3);
    }

    @AfterAll
    void removed() {
        try (director) {
            Deployments.delete(director, NAME);
            director.send("DELETE", "/configs?type=cloud&name=" + NAME, BodyPublishers.noBody());
        }
    }

    // --- what is on the disks

    private List<String> rows(String disk, String folder) {
        return one.in("cat /var/vcap/disks/" + disk + "/" + folder + "/rows").lines().toList();
    }

    private List<String> rows() {
        return rows("rows", "data");
    }

    private static void inOrder(List<String> rows) {
        for (int i = 0; i < rows.size(); i++) {
            assertThat(rows.get(i)).isEqualTo(String.valueOf(i + 1));
        }
    }

    /** All that was there is there, more comes, in order and none twice. */
    private void goesOnAfter(List<String> before, String disk, String folder) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> assertThat(rows(disk, folder)).hasSizeGreaterThan(before.size() + 5));
        List<String> now = rows(disk, folder);
        assertThat(now.subList(0, before.size())).isEqualTo(before);
        inOrder(now);
    }

    private String cid(String name) {
        Fields instance = one.instance();
        Map<String, Object> names = instance.object("disk_names").tree();
        return names.entrySet().stream()
                .filter(e -> e.getValue().equals(name))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }

    private String mounted(String disk) {
        return one.in("findmnt -no FSTYPE,SIZE,OPTIONS /var/vcap/disks/" + disk);
    }

    private List<String> orphans() {
        return director.list("/disks").stream()
                .filter(d -> d.string("deployment_name").equals(NAME))
                .map(d -> d.string("disk_cid"))
                .toList();
    }

    // --- the story

    @Test
    @Order(1)
    void twoDisksEachWithItsFileSystemAndItsContainers() {
        assertThat(mounted("rows")).startsWith("xfs");
        assertThat(mounted("logs")).startsWith("ext4");
        goesOnAfter(rows(), "rows", "data");
        goesOnAfter(rows("logs", "volumes/log"), "logs", "volumes/log");
        assertThat(environment.berth("disks").ok()).contains("rows", "logs", "320 MiB");
    }

    @Test
    @Order(2)
    void onlineNothingStopsAndOfflineOnlyWhoUsesTheDisk() {
        Map<String, Touch> before = one.touches();
        List<String> rows = rows();
        String sizes =
                environment
                        .berth("resize-disk", "-n", "-d", NAME, "all/0", "400", "--disk", "rows")
                        .ok();
        assertThat(sizes).contains("320 → 400 MB in place, no container stopped");
        assertThat(one.touches()).isEqualTo(before);
        goesOnAfter(rows, "rows", "data");

        String cid = cid("logs");
        String grown =
                environment
                        .berth("resize-disk", "-n", "-d", NAME, "all/0", "160", "--disk", "logs")
                        .ok();
        assertThat(grown).contains("96 → 160 MB in place");
        assertThat(cid("logs")).isEqualTo(cid);
        assertThat(OneVm.without(one.touches(), "logger"))
                .isEqualTo(OneVm.without(before, "logger"));
        goesOnAfter(rows("logs", "volumes/log"), "logs", "volumes/log");
        assertThat(orphans()).isEmpty();
    }

    /** The manifest of before would make it smaller, and says so. */
    @Test
    @Order(3)
    void whatResizeDiskGaveIsNotLostInSilence() {
        assertThat(one.deployInVain(manifest("rows", "logs-more")))
                .contains("has 400 MB since resize-disk (the manifest said 320)")
                .contains("write 400 into the manifest");
    }

    @Test
    @Order(4)
    void anotherFileSystemGoesByCopyWhileContainersRun() {
        one.deploy(manifest("rows-more", "logs-more"));
        assertThat(mounted("rows")).startsWith("xfs").contains("noatime");
        one.in("dd if=/dev/urandom of=/var/vcap/disks/rows/data/ballast bs=1M count=40 2>&1");
        String sum = one.in("md5sum < /var/vcap/disks/rows/data/ballast");
        Map<String, Touch> before = one.touches();
        List<String> rows = rows();
        String old = cid("rows");

        long task = director.deploy(manifest("rows-other", "logs-more"));
        director.await(task).done();
        assertThat(director.output(task, "event")).contains("by copy to");
        assertThat(mounted("rows")).startsWith("ext4");
        assertThat(one.in("md5sum < /var/vcap/disks/rows/data/ballast")).isEqualTo(sum);
        assertThat(cid("rows")).isNotEqualTo(old);
        assertThat(orphans()).containsExactly(old);
        assertThat(OneVm.without(one.touches(), "writer"))
                .isEqualTo(OneVm.without(before, "writer"));
        goesOnAfter(rows, "rows", "data");

        // Nothing is left to do: the same again touches nothing.
        Map<String, Touch> now = one.touches();
        one.deploy(manifest("rows-other", "logs-more"));
        assertThat(one.touches()).isEqualTo(now);
    }

    @Test
    @Order(5)
    void aDiskShrinksOnlyWhenAskedToAndIfTheDataFits() {
        String manifest = manifest("rows-less", "logs-more");
        assertThat(one.deployInVain(manifest))
                .contains("has 512 MB and cannot shrink to 200 MB", "--allow-shrink");
        String tight =
                environment
                        .berth(
                                "resize-disk",
                                "-n",
                                "-d",
                                NAME,
                                "all/0",
                                "40",
                                "--disk",
                                "rows",
                                "--allow-shrink")
                        .said();
        assertThat(tight).contains("does not fit");
        List<String> rows = rows();
        long task = director.begin("POST", "/deployments?allow_shrink=true", manifest);
        director.await(task).done();
        assertThat(director.output(task, "event")).contains("512 → 200 MB by copy to");
        goesOnAfter(rows, "rows", "data");
    }

    /** The old disk of the first copy, with what was on it then, larger and with another file system. */
    @Test
    @Order(6)
    void anOrphanIsGivenBackToAStoppedInstance() {
        String old = orphans().getFirst();
        String live = cid("rows");
        assertThat(environment.berth("attach-disk", "-n", "-d", NAME, "all/0", old).said())
                .contains("must be in 'bosh stopped' state");
        environment.berth("stop", "-n", "-d", NAME, "all/0").ok();
        List<String> newer = rows();
        environment.berth("attach-disk", "-n", "-d", NAME, "all/0", old, "--disk", "rows").ok();
        environment.berth("start", "-n", "-d", NAME, "all/0").ok();
        assertThat(cid("rows")).isEqualTo(old);
        assertThat(orphans()).contains(live).doesNotContain(old);
        inOrder(rows());
        assertThat(rows()).hasSizeLessThan(newer.size() + 200);
        goesOnAfter(rows(), "rows", "data");
    }
}
