package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cpi.CpiContext;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.testkit.FakeCpi;
import dev.berth.testkit.FakeVm;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The doctor of a whole director: it finds what was broken, repairs what it may, and is content.
 */
class DoctorTest {
    private static final Logger ROOT = Logger.getLogger("");
    private static final CpiContext OURS =
            new CpiContext("5e1f0000-0000-0000-0000-000000000000", "by hand", null, Map.of());

    private final World world = new World(1, World.Settings.USUAL);
    private final CrashPoints.Act act = new CrashPoints.Act(world, CrashPoints.BASE);
    private final FakeVm db;
    private final DiskCid disk;

    DoctorTest() {
        world.plantSecret("one");
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.rules.expectNoStops();
        db = act.vm("db");
        disk = Objects.requireNonNull(db.mounted());
        world.pass(Duration.ofSeconds(20));
    }

    @BeforeAll
    static void quiet() {
        ROOT.setLevel(Level.OFF);
    }

    @AfterAll
    static void loud() {
        ROOT.setLevel(Level.INFO);
    }

    @AfterEach
    void close() {
        world.close();
    }

    private List<Fields> doctor(boolean fix, String... yes) {
        Map<String, Object> payload = Json.of("fix", fix, "yes", List.of(yes));
        String type = fix ? "doctor_fix" : "doctor";
        Long id =
                world.request(
                        core -> core.tasks().enqueue(type, type, "admin", null, "", payload).id());
        Rows.Task task =
                Objects.requireNonNull(
                        world.ended(Objects.requireNonNull(id), Duration.ofMinutes(30)));
        assertThat(task.state()).as(String.valueOf(task.result())).isEqualTo("done");
        try {
            return Files.readString(world.folder.resolve("tasks/" + id + "/result"))
                    .lines()
                    .map(line -> Fields.of(Json.parse(line), "finding"))
                    .filter(f -> !f.has("findings"))
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private List<String> kinds(List<Fields> findings) {
        return findings.stream().map(f -> f.string("kind")).toList();
    }

    private void assertContent() {
        assertThat(kinds(doctor(false))).isEmpty();
        world.pass(Duration.ofSeconds(20));
        world.rules.atRest(List.of(CrashPoints.BASE));
    }

    @Test
    void aHealthyDeploymentHasNoFindingAndNothingIsTouched() {
        long before = world.rules.mutations();
        assertContent();
        assertThat(kinds(doctor(true))).isEmpty();
        assertThat(world.rules.mutations()).isEqualTo(before);
    }

    @Test
    void whatOnlyTheCloudKnowsIsDeletedOrAdopted() {
        var cpi = new FakeCpi(world.cloud);
        var stemcell = world.cloud.vm(db.cid()).orElseThrow().stemcell();
        VmCid stray =
                cpi.createVm(
                        OURS,
                        new AgentId("stray"),
                        stemcell,
                        Map.of(),
                        Map.of(),
                        List.of(),
                        Map.of());
        VmCid keeper =
                cpi.createVm(
                        OURS,
                        new AgentId("keeper"),
                        stemcell,
                        Map.of(),
                        Map.of(),
                        List.of(),
                        Map.of());
        DiskCid loose = cpi.createDisk(OURS, 100, Map.of(), null);
        DiskCid held = cpi.createDisk(OURS, 100, Map.of(), null);
        cpi.attachDisk(OURS, keeper, held);
        assertThat(kinds(doctor(false)))
                .containsExactly(
                        "disk-unrecorded", "disk-unrecorded", "vm-unrecorded", "vm-unrecorded");
        doctor(true, keeper.value());
        assertThat(world.cloud.vm(stray)).isEmpty();
        assertThat(world.cloud.vm(keeper)).as("it holds a disk").isPresent();
        List<Rows.Disk> orphans = world.database.read(s -> s.orphanedDisks());
        assertThat(orphans).extracting(Rows.Disk::cid).containsExactlyInAnyOrder(loose, held);
        // What a VM still has is not deleted, however old it becomes.
        world.database.read(s -> s.orphanedDisks()).forEach(d -> world.age(d, Duration.ofDays(6)));
        world.await(() -> world.cloud.disk(loose).isEmpty(), Duration.ofHours(3));
        world.pass(Duration.ofHours(2));
        assertThat(world.cloud.disk(held)).isPresent();
    }

    @Test
    void aVmThatIsGoneAndADiskThatIsRecordedOtherwiseAreRepaired() {
        world.database.update(s -> s.ips().forEach(ip -> s.releaseIp(ip.address())));
        new FakeCpi(world.cloud).setVmMetadata(OURS, act.vm("web").cid(), Map.of());
        world.cloud.loseVm(db.cid());
        assertThat(kinds(doctor(false)))
                .contains("vm-missing", "disk-attachment", "address-unreserved", "vm-metadata");
        doctor(true);
        doctor(true); // an address that is reserved again is to be told to the cloud
        world.pass(Duration.ofSeconds(20));
        assertThat(act.vm("db").mounted()).isEqualTo(disk);
        assertContent();
    }

    @Test
    void aSilentAgentsVmIsReplacedWhenItIsNamedAndNotBefore() {
        world.request(core -> {
            // Else the watch would heal it before a person could.
            core.store().update(s -> s.putSetting("resurrection_paused", "true"));
            return 1L;
        });
        world.agents.mute(db.agent(), true);
        world.pass(Duration.ofSeconds(20));
        List<Fields> first = doctor(true);
        assertThat(kinds(first)).containsExactly("agent-silent");
        assertThat(first.getFirst().flag("needs_yes", false)).isTrue();
        assertThat(world.cloud.vm(db.cid())).isPresent();
        doctor(true, db.cid().value());
        world.pass(Duration.ofSeconds(20));
        assertThat(world.cloud.vm(db.cid())).isEmpty();
        assertThat(act.vm("db").mounted()).isEqualTo(disk);
        assertContent();
    }
}
