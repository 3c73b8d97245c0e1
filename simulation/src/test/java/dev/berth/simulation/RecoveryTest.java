package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.DiskCid;
import dev.berth.store.Rows;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A director that has lost its store knows everything again, and nothing stops for it. */
class RecoveryTest {
    private static final Logger ROOT = Logger.getLogger("");

    private final World world = new World(1, World.Settings.USUAL);
    private final CrashPoints.Act act = new CrashPoints.Act(world, CrashPoints.BASE);

    RecoveryTest() {
        world.plantSecret("one");
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.pass(Duration.ofSeconds(30));
        world.rules.atRest(List.of(CrashPoints.BASE));
        world.rules.expectNoStops();
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

    /** Row by row, but for what only time and tasks make. */
    private List<Object> rows() {
        return world.database.read(s ->
                Stream.<Object>of(
                                s.instances(null),
                                s.disksOf(null),
                                s.ips(),
                                s.stemcells().stream().map(Rows.Stemcell::cid).toList(),
                                s.variables("/").stream().map(Rows.Variable::sealed).toList(),
                                s.deployments().stream().map(Rows.Deployment::manifest).toList(),
                                s.vmsOf(null).stream().map(v -> v.cid() + " " + v.agent()).toList())
                        .toList());
    }

    private void assertWhole() {
        world.pass(Duration.ofMinutes(3));
        long before = world.rules.mutations();
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(10));
        world.rules.untouched("one", world.rules.mutations() - before);
        world.rules.atRest(List.of(CrashPoints.BASE));
    }

    @Test
    void everythingIsAsItWasAndTheSameManifestHasNothingToDo() {
        List<Object> before = rows();
        world.loseStore();
        assertThat(rows()).isEqualTo(before);
        assertWhole();
    }

    /** An instance without a VM has no agent: the others keep what is to be known of it. */
    @Test
    void anInstanceThatWasDetachedIsKnownAgain() {
        act.state(CrashPoints.BASE, "detached");
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        List<Object> before = rows();
        world.loseStore();
        assertThat(rows()).isEqualTo(before);
        world.rules.expectNoStops();
        assertWhole();
    }

    /** A VM that was replaced just before has the record, too. */
    @Test
    void aVmThatWasRepairedIsKnownAgain() {
        DiskCid disk = Objects.requireNonNull(act.vm("db").mounted());
        world.cloud.loseVm(act.vm("db").cid());
        assertThat(world.await(act::isHealed, Duration.ofMinutes(10))).isTrue();
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.rules.expectNoStops();
        List<Object> before = rows();
        world.loseStore();
        assertThat(rows()).isEqualTo(before);
        assertThat(act.vm("db").mounted()).isEqualTo(disk);
        world.rules.expectNoStops();
        assertWhole();
    }

    /** What nobody claims is kept as an orphan. */
    @Test
    void aDiskThatNobodyClaimsBecomesAnOrphan() {
        Wish smaller = CrashPoints.BASE.with(CrashPoints.BASE.groups().getFirst().instances(1));
        act.deploy(smaller);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        DiskCid left = world.database.read(s -> s.orphanedDisks()).getFirst().cid();
        world.loseStore();
        List<Rows.Disk> orphans = world.database.read(s -> s.orphanedDisks());
        assertThat(orphans).extracting(Rows.Disk::cid).containsExactly(left);
        world.rules.atRest(List.of(smaller));
    }

    /** A silent agent's instance is known by its labels; the disk it has stays its own. */
    @Test
    void anInstanceWhoseAgentIsSilentIsKnownByItsLabels() {
        var db = act.vm("db");
        DiskCid disk = Objects.requireNonNull(db.mounted());
        world.agents.mute(db.agent(), true);
        world.loseStore();
        Rows.Instance row =
                world.database.read(s -> s.instances("one")).stream()
                        .filter(i -> i.id().value().equals(db.instance()))
                        .findFirst()
                        .orElseThrow();
        assertThat(row.group()).isEqualTo("db");
        assertThat(row.updateCompleted()).isFalse();
        Rows.Disk kept = world.database.read(s -> s.disk(disk)).orElseThrow();
        assertThat(kept.instance()).isEqualTo(row.id());
        assertThat(kept.attachedTo()).isEqualTo(db.cid());
        world.agents.unmute(db.agent());
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(10));
        world.pass(Duration.ofMinutes(1));
        world.rules.atRest(List.of(CrashPoints.BASE));
    }

    /** With another key all secrets would be made anew, and all that depends on them. */
    @Test
    void anotherKeyIsRefused() throws Exception {
        Files.writeString(world.folder.resolve("key"), "00".repeat(32));
        assertThatThrownBy(world::loseStore).hasStackTraceContaining("sealed with another key");
    }
}
