package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.cpi.CpiContext;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** What was done behind the director's back is found, and mended without a loss. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class DoctorStoryTest {
    private static final String NAME = "doctored";
    private static final String STRANGER = "vm-stranger";
    private static final String ROWS = "/var/vcap/store/volumes/data/rows";

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm one;

    DoctorStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.one = new OneVm(environment, director, NAME);
    }

    /** The doctor is asked, not the resurrector. */
    @BeforeAll
    void deployed() {
        environment.berth("update-resurrection", "-n", "off").ok();
        one.deploy(
                one.manifest(
                        OneVm.container(
                                "db", "echo kept >> /data/rows; ", "volumes: [\"data:/data\"]")));
        one.awaitWell();
    }

    @AfterAll
    void removed() {
        try (director) {
            environment.docker("rm", "-f", STRANGER);
            Deployments.delete(director, NAME);
            environment.berth("update-resurrection", "-n", "on").ok();
        }
    }

    private List<Fields> findings(String... words) {
        var all = new java.util.ArrayList<>(List.of("doctor", "--json"));
        all.addAll(List.of(words));
        Shell.Ran ran = environment.berth(all.toArray(String[]::new));
        return Fields.of(Json.parse(ran.out()), "doctor")
                .objects("Tables")
                .getFirst()
                .objects("Rows");
    }

    private List<String> kinds(String... words) {
        return findings(words).stream().map(f -> f.string("kind")).toList();
    }

    private <T> T cpi(Function<DockerCpi, T> call) {
        try (var engine = new DockerEngine(EngineUnderTest.socket())) {
            return call.apply(new DockerCpi(engine, environment.home().resolve("cpi")));
        }
    }

    private CpiContext context() {
        return new CpiContext(environment.file().uuid(), "by-hand", null, Map.of());
    }

    private List<String> orphans() {
        return director.list("/disks").stream().map(d -> d.string("disk_cid")).toList();
    }

    @Test
    @Order(1)
    void whatOnlyTheCloudKnowsIsAdoptedOrDeleted() {
        DiskCid disk = cpi(c -> c.createDisk(context(), 32, Map.of(), null));
        String uuid = environment.file().uuid();
        environment
                .docker(
                        "run",
                        "-d",
                        "--name",
                        STRANGER,
                        "--label",
                        "berth.director=" + uuid,
                        "--label",
                        "berth.kind=vm",
                        "--label",
                        "berth.cid=" + STRANGER,
                        "--label",
                        "berth.agent=stranger",
                        "--entrypoint",
                        "sleep",
                        "shop-web:1",
                        "3600")
                .ok();
        String network = "doctored-left-over";
        environment
                .docker(
                        "network",
                        "create",
                        "--label",
                        "berth.director=" + uuid,
                        "--label",
                        "berth.kind=network",
                        "--label",
                        "berth.cid=" + network,
                        network)
                .ok();
        assertThat(kinds())
                .containsExactlyInAnyOrder(
                        "disk-unrecorded", "vm-unrecorded", "network-unrecorded");
        environment.berth("doctor", "--fix", "-n", "--yes", network);
        assertThat(environment.docker("inspect", STRANGER).said()).contains("No such object");
        assertThat(environment.docker("network", "inspect", network).code()).isNotZero();
        assertThat(orphans()).contains(disk.value());
        assertThat(kinds()).isEmpty();

        // Given to a VM by hand, it is recorded so, and cannot be deleted under it.
        var vm = new VmCid(one.vm());
        cpi(c -> c.attachDisk(context(), vm, disk));
        assertThat(kinds()).containsExactly("disk-attachment");
        environment.berth("doctor", "--fix", "-n").ok();
        assertThat(environment.berth("delete-disk", "-n", disk.value()).code()).isEqualTo(1);
        cpi(c -> {
            c.detachDisk(context(), vm, disk);
            return true;
        });
        environment.berth("doctor", "--fix", "-n").ok();
        environment.berth("delete-disk", "-n", disk.value()).ok();
        assertThat(kinds()).isEmpty();
        environment.assertNothingLeaked(director);
    }

    @Test
    @Order(2)
    void anotherFileSystemInTheDisksPlaceGivesWay() {
        String disk = one.instance().strings("disk_cids").getFirst();
        one.in("umount -l /var/vcap/store && mount -t tmpfs none /var/vcap/store");
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() -> assertThat(kinds("-d", NAME)).contains("disk-unmounted"));
        await("the container to leave what is not its disk")
                .atMost(TestEnvironment.SOON)
                .until(() -> one.in("docker ps -q").isBlank());
        environment.berth("doctor", "-d", NAME, "--fix", "-n");
        one.awaitWell();
        assertThat(one.instance().strings("disk_cids")).containsExactly(disk);
        assertThat(one.lines("cat " + ROWS)).containsExactly("kept", "kept");
        await().atMost(TestEnvironment.SOON).until(() -> kinds("-d", NAME).isEmpty());
    }

    /** A VM that is cut off may be alive: nothing is done until it is named. */
    @Test
    @Order(3)
    void aVmOffItsNetworkIsReplacedWhenItIsNamed() {
        String vm = one.vm();
        environment.docker("network", "disconnect", environment.file().networkName(), vm).ok();
        assertThat(kinds("-d", NAME)).contains("vm-network", "agent-silent");
        environment.berth("doctor", "-d", NAME, "--fix", "-n");
        assertThat(one.vm()).isEqualTo(vm);
        environment.berth("doctor", "-d", NAME, "--fix", "-n", "--yes", vm);
        one.awaitWell();
        assertThat(one.vm()).isNotEqualTo(vm);
        assertThat(one.lines("cat " + ROWS)).hasSize(3);
    }

    @Test
    @Order(4)
    void aVmThatIsGoneIsMadeAnewWithItsDisk() {
        environment.docker("rm", "-f", "-v", one.vm()).ok();
        assertThat(kinds("-d", NAME)).contains("vm-missing");
        environment.berth("doctor", "-d", NAME, "--fix", "-n");
        one.awaitWell();
        assertThat(one.lines("cat " + ROWS)).hasSize(4);
        assertThat(kinds("-d", NAME)).isEmpty();
        environment.assertNothingLeaked(director);
    }
}
