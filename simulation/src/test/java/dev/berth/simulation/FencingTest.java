package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.testkit.FakeCpi;
import dev.berth.testkit.FakeVm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Each way in which a disk comes to another VM, on a cloud that refuses nothing: it moves only
 * after its last holder is proven gone (R1), whatever the cloud answers and fails to answer.
 */
class FencingTest {
    private static final Logger ROOT = Logger.getLogger("");

    private final World world = new World(1, World.Settings.USUAL);
    private final CrashPoints.Act act = new CrashPoints.Act(world, CrashPoints.BASE);
    private final List<String> calls = new ArrayList<>();
    private final FakeVm db;
    private final DiskCid disk;

    FencingTest() {
        world.cloud.beCareless();
        world.plantSecret("one");
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.rules.atRest(List.of(CrashPoints.BASE));
        world.rules.expectNoStops();
        db = act.vm("db");
        disk = Objects.requireNonNull(db.mounted());
        onDelete(() -> {});
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

    private void onDelete(Runnable answer) {
        world.faults.plant(call -> {
            if (Set.of("delete_vm", "attach_disk", "create_vm").contains(call.method())) {
                calls.add(text(call));
            }
            if (call.method().equals("delete_vm") && db.cid().equals(call.arguments().getFirst())) {
                answer.run();
            }
        });
    }

    private static String text(FakeCpi.Call call) {
        return call.method()
                + (call.method().equals("attach_disk") ? " " + call.arguments().get(1) : "");
    }

    private VmCid holder() {
        return Objects.requireNonNull(world.cloud.disk(disk).orElseThrow().attachedTo());
    }

    private boolean isRecordedAsHeld() {
        return db.cid()
                .equals(world.database.read(s -> s.disk(disk)).map(Rows.Disk::attachedTo).get());
    }

    /** Nothing of it was given to another; and when the cloud comes right, so does all. */
    private void assertHeldAndThenHealed() {
        assertThat(holder()).isEqualTo(db.cid());
        assertThat(isRecordedAsHeld()).isTrue();
        assertThat(calls).doesNotContain("create_vm", "attach_disk " + disk);
        world.cloud.beHonest();
        onDelete(() -> {});
        assertHealed();
    }

    private void assertHealed() {
        assertThat(world.await(() -> act.isHealed() && isElsewhere(), Duration.ofMinutes(30)))
                .isTrue();
        world.pass(Duration.ofSeconds(30));
        world.rules.atRest(List.of(CrashPoints.BASE));
        List<String> moves = calls.subList(calls.lastIndexOf("delete_vm"), calls.size());
        assertThat(moves).containsExactly("delete_vm", "create_vm", "attach_disk " + disk);
    }

    private boolean isElsewhere() {
        return world.cloud.vm(db.cid()).isEmpty() && act.vm("db").mounted() != null;
    }

    private void silence() {
        world.agents.cut(db.agent());
    }

    /** The agent is not heard, and the containers write on until the VM is gone. */
    @Test
    void aVmCutFromTheNetworkWritesUntilItIsDeletedAndNotOnceMore() {
        silence();
        int before = rows();
        world.pass(Duration.ofSeconds(15));
        assertThat(rows()).isGreaterThan(before);
        assertHealed();
    }

    private int rows() {
        return world.agents.content(disk).orElseThrow().ledger().size();
    }

    /** One that is being removed is switched off first. */
    @Test
    void aVmThatVanishesWhileItIsStartedIsReplacedByTheSameRepair() {
        world.faults.plant(call -> {
            if (Set.of("delete_vm", "attach_disk", "create_vm").contains(call.method())) {
                calls.add(text(call));
            }
            if (call.method().equals("reboot_vm")) {
                world.cloud.loseVm(db.cid());
            }
        });
        world.cloud.stopVm(db.cid());
        assertHealed();
        List<Rows.Task> repairs =
                world.database.read(s -> s.tasks(null, List.of("cck_scan_and_fix"), null, 9));
        assertThat(repairs).extracting(Rows.Task::state).containsExactly("done");
    }

    @Test
    void deletionWithoutAnAnswerKeepsTheDiskWhereItIs() {
        onDelete(() -> {
            throw new CpiException(CpiException.Type.UNKNOWN, "no answer");
        });
        silence();
        world.pass(Duration.ofMinutes(5));
        assertHeldAndThenHealed();
    }

    @Test
    void deletionThatIsRefusedKeepsTheDiskWhereItIs() {
        onDelete(() -> {
            throw new CpiException(CpiException.Type.CLOUD_ERROR, "it will not go");
        });
        silence();
        world.pass(Duration.ofMinutes(5));
        assertHeldAndThenHealed();
    }

    @Test
    void deletionThatIsAnsweredAndNotDoneKeepsTheDiskWhereItIs() {
        world.cloud.keepAlive(db.cid());
        silence();
        world.pass(Duration.ofMinutes(8));
        assertThat(lastFailure()).contains("delete_vm was answered").contains("stay with it (R1)");
        assertHeldAndThenHealed();
    }

    /** To say that there is no such VM is an answer like any other. */
    @Test
    void aVmThatIsCalledUnknownAndRunsOnKeepsItsDisk() {
        onDelete(() -> {
            throw new CpiException(CpiException.Type.VM_NOT_FOUND, "there is none");
        });
        silence();
        world.pass(Duration.ofMinutes(8));
        assertHeldAndThenHealed();
    }

    private String lastFailure() {
        return world.database.read(s ->
                s.tasks(List.of("error"), null, null, 1).stream()
                        .flatMap(t -> s.intents(t.id()).stream())
                        .map(i -> String.valueOf(i.outcome()))
                        .filter(o -> o.startsWith("failed"))
                        .findFirst()
                        .orElse("no task failed"));
    }

    /**
     * Asked for by a person while the agent answers: containers, mount and attachment end first.
     */
    @Test
    void recreateDetachesBeforeItDeletes() {
        act.state(CrashPoints.BASE, "recreate");
        world.await(act::tasksEnded, Duration.ofMinutes(10));
        assertHealed();
    }

    /** A VM that is off keeps its disk: it is started again, and nobody else gets it. */
    @Test
    void aVmThatIsSwitchedOffIsStartedWithItsDisk() {
        world.cloud.stopVm(db.cid());
        world.pass(Duration.ofMinutes(3));
        world.rules.atRest(List.of(CrashPoints.BASE));
        assertThat(act.vm("db").cid()).isEqualTo(db.cid());
        assertThat(db.mounted()).isEqualTo(disk);
        assertThat(calls).containsOnly("attach_disk " + disk); // to the VM that has it
    }

    /** The director dies between any two steps of a repair, and its successor knows no more. */
    @Test
    void aDirectorThatDiesOverADeletionLeavesTheDiskHeldUntilTheCloudIsAsked() {
        world.cloud.keepAlive(db.cid());
        onDelete(() -> {
            throw new CpiException(CpiException.Type.UNKNOWN, "no answer");
        });
        silence();
        world.await(() -> calls.contains("delete_vm"), Duration.ofMinutes(5));
        world.crashes.at(1);
        world.pass(Duration.ofMinutes(5));
        assertThat(world.crashes.done()).isPositive();
        assertHeldAndThenHealed();
    }

    /** A checker that is blind proves nothing: told that the VM is gone, the director moves on. */
    @Test
    void theCheckerSeesADiskThatMovesTooEarly() {
        world.cloud.hide(db.cid());
        silence();
        assertThatThrownBy(
                        () -> {
                            world.pass(Duration.ofMinutes(8));
                            world.rules.throwIfBroken();
                        })
                .hasMessageContaining("R1: disk " + disk + " is to go to");
    }
}
