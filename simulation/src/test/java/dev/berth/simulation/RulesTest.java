package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.store.Rows;
import dev.berth.testkit.FakeCloud;
import dev.berth.testkit.FakeCpi;
import dev.berth.testkit.FakeVm;
import dev.berth.testkit.Ledger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A checker that cannot fail proves nothing. Each test does to a healthy deployment what a director
 * with one bug would do, by the director's own ports, and shows that the rule's checker sees it.
 */
class RulesTest {
    private static final Logger ROOT = Logger.getLogger("");

    private final World world = new World(1, World.Settings.USUAL);
    private final CrashPoints.Act act = new CrashPoints.Act(world, CrashPoints.BASE);
    private final CpiContext context = new CpiContext("uuid", "r", null, Map.of());
    private final List<Rows.Instance> instances;
    private final FakeVm db;
    private final FakeVm other;
    private final DiskCid disk;

    RulesTest() {
        world.plantSecret("one");
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.rules.atRest(List.of(CrashPoints.BASE));
        world.rules.expectNoStops();
        instances =
                world.database.read(s -> s.instances("one")).stream()
                        .filter(i -> i.group().equals("db"))
                        .toList();
        db = vm(instances.get(0));
        other = vm(instances.get(1));
        disk = java.util.Objects.requireNonNull(db.mounted());
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

    private FakeVm vm(Rows.Instance instance) {
        Rows.Vm row = world.database.read(s -> s.vms(instance.id())).getFirst();
        return world.agents.vm(row.agent()).orElseThrow();
    }

    private void ask(FakeVm vm, String method, List<Object> arguments) {
        world.calls().call(vm.agent(), method, arguments, Duration.ofSeconds(10));
    }

    private AbstractThrowableAssert<?, ?> assertBroken() {
        world.rules.sweep();
        return assertThatThrownBy(() -> world.rules.atRest(List.of(CrashPoints.BASE)))
                .isInstanceOf(Broken.class);
    }

    // --- R1

    /** The cloud refuses it; whoever asks has broken the rule all the same. */
    @Test
    void aDiskIsAttachedToASecondVm() {
        assertThatThrownBy(() -> world.cpi().attachDisk(context, other.cid(), disk))
                .isInstanceOf(CpiException.class);
        assertBroken().hasMessageContaining("R1: disk " + disk + " is to go to " + other.cid());
    }

    /** A cloud that does not refuse lets the second VM mount what the first has mounted. */
    @Test
    void aDiskIsMountedByTwo() {
        world.cloud.beCareless();
        ask(other, "stop", List.of());
        ask(other, "unmount_disk", List.of(String.valueOf(other.mounted())));
        world.cpi().attachDisk(context, other.cid(), disk);
        ask(other, "add_persistent_disk", List.of(disk.value(), "/dev/vdb"));
        assertThatThrownBy(() -> ask(other, "mount_disk", List.of(disk.value())))
                .hasMessageContaining("R1");
        assertBroken().hasMessageContaining("R1: " + other.cid() + " mounts " + disk);
    }

    /** Data that has not been written out yet would be lost. */
    @Test
    void aDiskIsTakenFromAVmThatHasItMounted() {
        world.cloud.beCareless();
        world.cpi().detachDisk(context, db.cid(), disk);
        assertBroken()
                .hasMessageContaining("R1: disk " + disk + " is to be taken from " + db.cid())
                .hasMessageContaining("is mounted where it is not attached");
    }

    /** An address in use would make a good cloud refuse, and hide that two VMs want one disk. */
    @Test
    void aSecondVmOfAnInstanceIsMadeBesideTheFirst() {
        world.cloud.beCareless();
        FakeCloud.Vm first = world.cloud.vm(db.cid()).orElseThrow();
        world.cpi()
                .createVm(
                        context,
                        new AgentId("second"),
                        first.stemcell(),
                        Map.of(),
                        first.networks(),
                        List.of(),
                        Map.of());
        assertBroken().hasMessageContaining("R1: a second VM is to have an address of " + db.cid());
    }

    /** From end to end: the director is told that the old VM is gone, and it runs on. */
    @Test
    void aDiskMovesThoughItsHolderRunsOn() {
        world.cloud.beCareless();
        world.cloud.hide(db.cid());
        world.agents.mute(db.agent(), true);
        world.pass(Duration.ofMinutes(3));
        assertBroken().hasMessageContaining("R1: a second VM").hasMessageContaining("is to go to");
    }

    /** As after a plan that leaves out the detach: it is given to nobody yet, and it will be. */
    @Test
    void aDiskIsTakenForFreeThatAVmStillHas() {
        world.database.update(s -> s.saveDisk(s.disk(disk).orElseThrow().heldBy(null)));
        assertBroken().hasMessageContaining("R1: " + disk + " is taken for free, and " + db.cid());
    }

    /** Where only free disks grow, growing one that is held harms what is on it. */
    @Test
    void aDiskGrowsUnderAVmInACloudThatCannot() {
        world.cloud.growOnlyDetachedDisks();
        assertThatThrownBy(() -> world.cpi().resizeDisk(context, disk, 2048))
                .isInstanceOf(CpiException.class);
        assertBroken().hasMessageContaining("R1: disk " + disk + " is to grow");
    }

    /** Nobody hears of the first any more, and it writes on. */
    @Test
    void twoVmsWriteToOneDisk() {
        world.rules.started(other, data(), disk);
        assertBroken().hasMessageContaining("R1: " + other).hasMessageContaining("and so does");
    }

    @Test
    void aVmWritesOnAfterAnotherBegan() {
        world.rules.started(other, data(), disk);
        world.pass(Duration.ofSeconds(10));
        assertBroken().hasMessageContaining("whose live writer is " + other.cid());
    }

    // --- pools

    private Rows.Spare spare(AgentId agent) {
        return new Rows.Spare(
                agent, null, "small-1", Rows.Spare.READY, Map.of(), "", world.clock.now());
    }

    @Test
    void aVmIsAnInstancesAndSpareToo() {
        world.database.update(s -> s.saveSpare(spare(db.agent())));
        assertBroken()
                .hasMessageContaining("pool: Spare")
                .hasMessageContaining("has two owners")
                .hasMessageContaining("was told to be " + db.instance());
    }

    @Test
    void aPoolDoesNotHaveItsSize() {
        world.rules.pools.wish(List.of(new Pools.Pool("small", "1", 1)));
        assertBroken().hasMessageContaining("pool: wished {small-1=1}, is []");
    }

    /** As when the row was read before the instance took it. */
    @Test
    void theVmOfAnInstanceIsDeletedForASpareOne() {
        var id = new IntentId("deletes-a-spare");
        world.database.update(s ->
                s.beginIntent(
                        new Rows.Intent(
                                id,
                                1,
                                null,
                                "delete spare",
                                Map.of("agent", db.agent().value()),
                                world.clock.now(),
                                null,
                                null)));
        var call = new CpiContext("uuid", id.toString(), null, Map.of());
        world.cpi().deleteVm(call, db.cid());
        assertBroken().hasMessageContaining("pool: spare VM of " + db.agent() + " is deleted");
    }

    // --- the ledger

    private Ledger ledger(DiskCid cid) {
        world.pass(Duration.ofSeconds(10));
        return world.agents.content(cid).orElseThrow().ledger();
    }

    /** What is missing at the end is seen only at rest. */
    @Test
    void theLastWriteIsLost() {
        Ledger ledger = ledger(disk);
        ledger.truncate(ledger.size() - 1);
        assertBroken().hasMessageContaining("ledger: disk " + disk + " of instance");
    }

    /** As an old copy does: the next write goes where one was before. */
    @Test
    void aWriteIsLostAndTheNextTakesItsPlace() {
        Ledger ledger = ledger(disk);
        ledger.truncate(ledger.size() - 1);
        world.pass(Duration.ofSeconds(10));
        assertBroken().hasMessageContaining("ledger: Row").hasMessageContaining("went to disk");
    }

    @Test
    void aWriteIsThereTwice() {
        ledger(disk).append(db.cid(), "store");
        assertBroken().hasMessageContaining("ledger: disk " + disk + " of instance");
    }

    @Test
    void whatADiskHeldIsGoneWhenNobodyWritesToItAnyMore() {
        world.pass(Duration.ofSeconds(30));
        Wish smaller = CrashPoints.BASE.with(CrashPoints.BASE.groups().getFirst().instances(1));
        act.deploy(smaller);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        Rows.Disk orphan = world.database.read(s -> s.orphanedDisks()).getFirst();
        world.rules.atRest(List.of(smaller));
        ledger(orphan.cid()).truncate(1);
        assertThatThrownBy(() -> world.rules.atRest(List.of(smaller)))
                .hasMessageContaining("ledger: disk " + orphan.cid() + " left by its instance");
    }

    // --- another director

    @Test
    void whatAnotherDirectorHasIsDeleted() {
        FakeCloud.Vm foreign =
                world.cloud.vms().stream().filter(World::isForeign).findFirst().orElseThrow();
        world.cpi().deleteVm(context, foreign.cid());
        assertBroken()
                .hasMessageContaining("foreign: delete_vm of what another director has")
                .hasMessageContaining("foreign: what another director has was changed");
    }

    // --- R2

    @Test
    void aContainerStartsWithoutItsDisk() {
        world.rules.started(db, data(), null);
        assertBroken().hasMessageContaining("R2: store started in").hasMessageContaining("without");
    }

    /** It ran when the disk was there, and writes into the VM's own file system now. */
    @Test
    void dataIsWrittenToNoDisk() {
        world.cloud.unmount(db.cid(), disk);
        world.pass(Duration.ofSeconds(10));
        assertBroken()
                .hasMessageContaining("R2: store writes nowhere")
                .hasMessageContaining("runs data without a disk");
    }

    @Test
    void dataIsWrittenToTheDiskOfAnother() {
        DiskCid wrong = java.util.Objects.requireNonNull(other.mounted());
        world.rules.started(db, data(), wrong);
        assertBroken()
                .hasMessageContaining("R2")
                .hasMessageContaining("disk " + wrong + ", which belongs to " + other.instance());
    }

    private dev.berth.model.ContainerSpec data() {
        return db.running().values().stream()
                .map(FakeVm.Running::spec)
                .filter(dev.berth.model.ContainerSpec::usesPersistentDisk)
                .findFirst()
                .orElseThrow();
    }

    // --- R3

    @Test
    void aDiskInUseIsDeleted() {
        world.cloud.beCareless();
        world.cpi().deleteDisk(context, disk);
        assertBroken().hasMessageContaining("R3: disk " + disk + " is to be deleted");
    }

    /** And one whose time is over may go. */
    @Test
    void anOrphanIsDeletedADayEarly() {
        Wish smaller = CrashPoints.BASE.with(CrashPoints.BASE.groups().getFirst().instances(1));
        act.deploy(smaller);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        Rows.Disk orphan = world.database.read(s -> s.orphanedDisks()).getFirst();
        world.age(orphan, Duration.ofHours(24 * 5 + 1));
        world.await(() -> world.cloud.disk(orphan.cid()).isEmpty(), Duration.ofHours(2));
        world.pass(Duration.ofSeconds(10));
        assertThatCode(() -> world.rules.atRest(List.of(smaller))).doesNotThrowAnyException();

        act.deploy(smaller.with(smaller.groups().getFirst().instances(2)));
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        act.deploy(smaller);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        Rows.Disk young = world.database.read(s -> s.orphanedDisks()).getFirst();
        world.age(young, Duration.ofHours(24 * 4));
        world.cpi().deleteDisk(context, young.cid());
        assertBroken().hasMessageContaining("R3: disk " + young.cid() + " is to be deleted");
    }

    @Test
    void aDiskIsGoneFromTheCloud() {
        world.cloud.beCareless();
        new FakeCpi(world.cloud).deleteDisk(context, disk);
        assertBroken().hasMessageContaining("R3: a disk is gone from the cloud");
    }

    /** The old one is kept, but who looks for the data finds an empty disk. */
    @Test
    void anInstanceGetsAnotherDisk() {
        InstanceId one = instances.get(0).id();
        InstanceId two = instances.get(1).id();
        world.database.update(s -> {
            for (Rows.Disk row : s.disksOf("one")) {
                InstanceId owner = one.equals(row.instance()) ? two : one;
                s.saveDisk(
                        new Rows.Disk(
                                row.cid(),
                                owner,
                                row.attachedTo(),
                                row.sizeMb(),
                                row.cloudProperties(),
                                row.type(),
                                row.active(),
                                null,
                                row.deployment(),
                                row.instanceName(),
                                row.az(),
                                row.cpi()));
            }
        });
        assertBroken().hasMessageContaining("R3: " + one + " had disk " + disk);
    }

    // --- R4

    @Test
    void aVmIsLeftOver() {
        StemcellCid stemcell = world.cloud.vm(db.cid()).orElseThrow().stemcell();
        world.cpi()
                .createVm(
                        context,
                        new AgentId("left"),
                        stemcell,
                        Map.of(),
                        Map.of(),
                        List.of(),
                        Map.of());
        assertBroken().hasMessageContaining("R4: VMs in the cloud");
    }

    @Test
    void aDiskIsLeftOver() {
        world.cpi().createDisk(context, 1024, Map.of(), null);
        assertBroken().hasMessageContaining("R4: disks in the cloud");
    }

    @Test
    void anIntentIsNeverSettled() {
        intent(db);
        assertBroken().hasMessageContaining("R4: open intents");
    }

    /** As of a repair of the instance, which has ended: the next one would settle it. */
    private IntentId intent(FakeVm vm) {
        var id = new IntentId("i");
        long task = repair(vm);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.database.update(s ->
                s.beginIntent(
                        new Rows.Intent(
                                id,
                                task,
                                new InstanceId(vm.instance()),
                                "start vm",
                                Map.of(),
                                world.clock.now(),
                                null,
                                null)));
        return id;
    }

    private long repair(FakeVm... vms) {
        List<String> ids = java.util.Arrays.stream(vms).map(FakeVm::instance).toList();
        Map<String, Object> payload = Json.of("deployment", "one", "jobs", Json.of("db", ids));
        return java.util.Objects.requireNonNull(world.ask("cck_scan_and_fix", "one", payload));
    }

    // --- R5

    @Test
    void whatDidNotChangeIsTouched() {
        long before = world.rules.mutations();
        ask(db, "start", List.of());
        long did = world.rules.mutations() - before;
        assertThatThrownBy(() -> world.rules.untouched("one", did)).hasMessageContaining("R5");
    }

    // --- R6

    @Test
    void aContainerIsStoppedThoughNothingWasToChange() {
        ask(db, "stop", List.of());
        ask(db, "start", List.of());
        world.pass(Duration.ofSeconds(10));
        assertBroken().hasMessageContaining("R6: store in").hasMessageContaining("by 'stop'");
    }

    // --- R7

    @Test
    void anIgnoredInstanceIsRepaired() {
        InstanceId id = new InstanceId(db.instance());
        world.ignore(id, true);
        world.rules.ignored(id);
        world.pass(Duration.ofSeconds(10));
        repair(db);
        assertBroken().hasMessageContaining("R7: task").hasMessageContaining("ignored since");
    }

    @Test
    void aStoppedInstanceIsRepaired() {
        act.state(CrashPoints.BASE, "stopped");
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        Rows.Instance stopped = act.first("db");
        FakeVm vm = vm(stopped);
        IntentId intent = intent(vm);
        world.cpi().rebootVm(new CpiContext("uuid", intent.value(), null, Map.of()), vm.cid());
        assertBroken().hasMessageContaining("R7: nobody wants reboot_vm");
    }

    @Test
    void oneInstanceIsRepairedTwiceAtOnce() {
        repair(db);
        repair(db);
        assertBroken().hasMessageContaining("R7").hasMessageContaining("and so do tasks");
    }

    @Test
    void manyAreRepairedAtOnceInAMeltdown() {
        world.rules.massFailure("one");
        world.pass(Duration.ofSeconds(5));
        repair(db, other);
        assertBroken().hasMessageContaining("R7: in a meltdown 2 are repaired at once");
    }

    /** The first alone is right, the second beside it is not. */
    @Test
    void twoAreRepairedOneByOneButAtOnceInAMeltdown() {
        world.rules.massFailure("one");
        world.pass(Duration.ofSeconds(5));
        repair(db);
        repair(other);
        assertBroken().hasMessageContaining("R7: in a meltdown 1 are repaired at once, tasks: 2");
    }

    // --- R8

    @Test
    void aSecretIsInTheAuditTrail() {
        world.database.update(s ->
                s.addEvent(
                        new Rows.Event(
                                0,
                                null,
                                world.clock.now(),
                                "admin",
                                "create",
                                "vm",
                                "x",
                                null,
                                "one",
                                null,
                                null,
                                Json.of("env", World.SECRET))));
        assertBroken().hasMessageContaining("R8: the secret is in the store");
    }

    @Test
    void aSecretIsInATasksOutput() throws Exception {
        java.nio.file.Files.writeString(
                world.folder.resolve("tasks").resolve("debug"), "password " + World.SECRET);
        assertBroken().hasMessageContaining("R8: the secret is in tasks");
    }

    // --- what was asked for

    @Test
    void aContainerThatShouldRunDoesNot() {
        ask(db, "stop", List.of());
        assertBroken().hasMessageContaining("wish: db/");
    }
}
