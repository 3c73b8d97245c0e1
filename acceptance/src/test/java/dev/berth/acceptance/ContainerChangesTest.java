package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.acceptance.TestEnvironment.Touch;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Changes of one container among ten, and images that are not what they were or not there: what
 * changed moves with what stands on it, the rest keeps its processes, and a change that cannot be
 * made leaves the old one running.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class ContainerChangesTest {
    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm ten;

    /** What is deployed; each test goes on from the one before. */
    private String manifest;

    ContainerChangesTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.ten = new OneVm(environment, director, "ten-changes");
        this.manifest = ten.manifest(Ten.CONTAINERS);
    }

    @BeforeAll
    void deployFirst() {
        ten.deploy(manifest);
        ten.awaitWell();
    }

    @AfterEach
    void nothingIsMissing() {
        ten.awaitWell();
        assertThat(ten.touches().keySet()).isEqualTo(Ten.ALL);
        environment.assertNothingLeaked(director);
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, ten.name());
        director.close();
    }

    @Test
    void changedContainerMovesWithItsDependentsAndTheOthersStay() {
        Map<String, Touch> before = ten.touches();
        deploy(Ten.round(2, "n1", manifest));
        Map<String, Touch> alone = ten.touches();
        assertThat(alone.get("n1").id()).isNotEqualTo(before.get("n1").id());
        assertThat(OneVm.without(alone, "n1")).isEqualTo(OneVm.without(before, "n1"));

        deploy(Ten.round(2, "db", manifest));
        Map<String, Touch> after = ten.touches();
        assertThat(after.get("db").id()).isNotEqualTo(alone.get("db").id());
        assertThat(after.get("app").id())
                .as("stopped and started")
                .isEqualTo(alone.get("app").id());
        assertThat(OneVm.started(after, "app")).isAfter(OneVm.started(after, "db"));
        assertThat(OneVm.started(after, "web")).isAfter(OneVm.started(after, "app"));
        assertThat(OneVm.without(after, "db", "app", "web"))
                .isEqualTo(OneVm.without(alone, "db", "app", "web"));
        assertThat(ten.in("docker exec db printenv ROUND")).contains("2 of db");
        assertThat(ten.lines("cat /var/vcap/store/volumes/data/migrations"))
                .containsExactly("migrated");
    }

    @Test
    void sameManifestMovesNothingWhenATagHasMoved() {
        push("moving:1", "first");
        deploy(imageChanged("n1", "moving:1"));
        Map<String, Touch> before = ten.touches();
        String digest = ten.seen("n1").string("image_digest");
        push("moving:1", "second");
        long task = director.deploy(manifest);
        director.await(task).done();
        assertThat(director.stages(task)).containsExactly("Preparing deployment");
        assertThat(ten.touches()).isEqualTo(before);
        // Not even a VM that has never seen the image takes the other one.
        environment.berth("recreate", "-n", "-d", ten.name(), OneVm.INSTANCE).ok();
        ten.awaitWell();
        assertThat(ten.seen("n1").string("image_digest")).isEqualTo(digest);
        assertThat(ten.in("docker inspect -f '{{.Config.Labels.which}}' n1")).contains("first");
        environment.docker("rmi", "-f", "moving:1");
    }

    @Test
    void imageThatIsNowhereIsNamedBeforeAnythingIsTouched() {
        Map<String, Touch> before = ten.touches();
        assertThat(ten.deployInVain(imageChanged("n2", "nowhere:9")))
                .contains("container 'n2'", "registry.berth/nowhere:9", "berth push nowhere:9");
        assertThat(ten.touches()).isEqualTo(before);
        director.await(director.deploy(manifest)).done();
        assertThat(ten.touches()).isEqualTo(before);
    }

    @Test
    void registryLostInTheMiddleOfADeployLeavesTheOldContainerRunning() {
        Map<String, Touch> before = ten.touches();
        push("fresh:1", "fresh");
        String wish = imageChanged("n3", "fresh:1");
        String refusal =
                " OUTPUT -p tcp --dport " + environment.file().registryPort() + " -j REJECT";
        ten.in("iptables -w 10 -I" + refusal);
        try {
            assertThat(ten.deployInVain(wish))
                    .contains(
                            "container n3",
                            "registry.berth/fresh",
                            "cannot be pulled",
                            "the registry");
            assertThat(ten.touches()).isEqualTo(before);
        } finally {
            ten.in("iptables -w 10 -D" + refusal);
        }
        ten.awaitWell();
        deploy(wish);
        Map<String, Touch> after = ten.touches();
        assertThat(ten.in("docker inspect -f '{{.Config.Labels.which}}' n3")).contains("fresh");
        assertThat(OneVm.without(after, "n3")).isEqualTo(OneVm.without(before, "n3"));
        environment.docker("rmi", "-f", "fresh:1");
    }

    @Test
    void programThatIsNotInTheImageIsNamedAndTheNextDeployHeals() {
        Map<String, Touch> before = ten.touches();
        int at = manifest.indexOf("- name: n4");
        String wrong =
                manifest.substring(0, at)
                        + manifest.substring(at)
                                .replaceFirst("\\[sh, -c,", "[no-such-program, -c,");
        String impatient = Ten.changed(wrong, "0-60000", "0-10000");
        assertThat(ten.deployInVain(impatient)).contains("failed jobs: n4", "no-such-program");
        assertThat(OneVm.without(ten.touches(), "n4")).isEqualTo(OneVm.without(before, "n4"));
        deploy(manifest);
        assertThat(OneVm.without(ten.touches(), "n4")).isEqualTo(OneVm.without(before, "n4"));
    }

    @Test
    void imageAndContainerRemovedBehindItsBackAreBroughtBack() {
        Map<String, Touch> before = ten.touches();
        ten.in(
                "docker rmi -f $(docker inspect -f '{{.Config.Image}}' n5) > /dev/null && docker rm -f n5");
        ten.awaitAnew("n5", before.get("n5"));
        Map<String, Touch> after = ten.touches();
        assertThat(after.get("n5").id()).isNotEqualTo(before.get("n5").id());
        assertThat(OneVm.without(after, "n5")).isEqualTo(OneVm.without(before, "n5"));
    }

    @Test
    void diskGrowsUnderRunningContainers() {
        Map<String, Touch> before = ten.touches();
        assertThat(storeMegabytes()).isBetween(400L, 512L);
        deploy(Ten.changed(manifest, "persistent_disk: 512", "persistent_disk: 768"));
        assertThat(storeMegabytes()).isBetween(600L, 768L);
        assertThat(ten.touches()).isEqualTo(before);
    }

    private void deploy(String wish) {
        ten.deploy(wish);
        manifest = wish;
        ten.awaitWell();
    }

    private long storeMegabytes() {
        return Long.parseLong(ten.in("df -m --output=size /var/vcap/store | tail -1").strip());
    }

    private String imageChanged(String container, String image) {
        return manifest.replaceFirst(
                "(- name: " + container + "\n *image: )\\S+", "$1registry.berth/" + image);
    }

    /** An image of the example's under another name, with a label that tells it apart. */
    private void push(String image, String which) {
        String id = environment.docker("create", "shop-web:1").ok().strip();
        environment.docker("commit", "-c", "LABEL which=" + which, id, image).ok();
        environment.docker("rm", id).ok();
        environment.berth("push", image).ok();
    }
}
