package dev.berth.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.InstanceId;
import dev.berth.model.ProblemException;
import dev.berth.model.VmCid;
import dev.berth.planner.Plan.InstancePlan;
import java.util.AbstractMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What each kind of difference leads to, by example. */
class PlannerTest {
    private final World world = new World();
    private final Planner planner = new Planner(Wishes.ids("i"));

    @Test
    void aNewInstanceGetsItsVmAheadOfItsTurn() {
        Plan plan = plan(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        InstancePlan db = single(plan);
        assertThat(verbs(db.creation()))
                .containsExactly(
                        "create vm", "welcome agent", "create disk", "attach disk", "mount disk");
        assertThat(verbs(db.steps()))
                .containsExactly(
                        "prepare", "apply", "start containers", "await running", "record state");
        assertThat(db.addresses()).containsEntry("default", "10.0.0.10");
        assertThat(db.bootstrap()).isTrue();
    }

    @Test
    void changedContainersMoveWithoutAStop() {
        deploy(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        InstancePlan db = single(plan(Wishes.of(Wishes.group("db", 1, 100L, "h2"))));
        assertThat(kinds(db)).containsExactly("configuration");
        assertThat(verbs(db.steps()))
                .containsExactly(
                        "prepare", "apply", "start containers", "await running", "record state");
    }

    @Test
    void aChangedShapeReplacesTheVmAndKeepsTheDisk() {
        deploy(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        Desired.Group wished =
                Wishes.withVm(
                        Wishes.group("db", 1, 100L, "h1"),
                        Wishes.vm("deb/2", 2),
                        Map.of("password", "planted-secret"));
        InstancePlan db = single(plan(Wishes.of(wished)));
        assertThat(kinds(db)).containsExactly("cloud_properties", "stemcell", "env");
        assertThat(verbs(db.steps()))
                .containsExactly(
                        "stop containers",
                        "unmount disk",
                        "detach disk",
                        "delete vm",
                        "create vm",
                        "welcome agent",
                        "attach disk",
                        "mount disk",
                        "prepare",
                        "apply",
                        "start containers",
                        "await running",
                        "record state");
        String text = String.join("\n", PlanText.lines(plan(Wishes.of(wished))));
        assertThat(text)
                .contains("cpu 1 → 2", "deb/1 → deb/2", "env: password added")
                .doesNotContain("planted-secret");
    }

    @Test
    void aDiskGrowsInPlaceWhereTheCloudCanAndElseWithAStop() {
        deploy(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        Desired wished = Wishes.of(Wishes.group("db", 1, 200L, "h1"));
        assertThat(verbs(single(plan(wished)).steps()))
                .containsExactly("grow disk", "record state");
        assertThat(verbs(single(plan(wished, PlanOptions.deploy(false))).steps()))
                .containsExactly(
                        "stop containers",
                        "unmount disk",
                        "detach disk",
                        "grow disk",
                        "attach disk",
                        "mount disk",
                        "start containers",
                        "await running",
                        "copy disk", // only where the cloud turns out not to be able to grow it
                        "record state");
    }

    @Test
    void aDiskThatWouldShrinkIsRefusedWithTheRemedy() {
        deploy(Wishes.of(Wishes.group("db", 2, 200L, "h1")));
        assertThatThrownBy(() -> plan(Wishes.of(Wishes.group("db", 2, 100L, "h1"))))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.problems()).hasSize(2))
                .hasMessageContaining("cannot shrink to 100 MB")
                .hasMessageContaining("orphan");
    }

    @Test
    void aDiskThatLeavesIsKeptAsAnOrphan() {
        deploy(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        assertThat(verbs(single(plan(Wishes.of(Wishes.group("db", 1, null, "h2")))).steps()))
                .containsExactly(
                        "prepare",
                        "stop containers",
                        "unmount disk",
                        "detach disk",
                        "orphan disk",
                        "apply",
                        "start containers",
                        "await running",
                        "record state");
    }

    @Test
    void aLostVmIsReplacedWithoutAWordToItsAgent() {
        deploy(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        world.loseVm(new VmCid("vm-1"));
        InstancePlan db = single(plan(Wishes.of(Wishes.group("db", 1, 100L, "h1"))));
        assertThat(verbs(db.steps()))
                .containsExactly(
                        "delete vm",
                        "create vm",
                        "welcome agent",
                        "attach disk",
                        "mount disk",
                        "prepare",
                        "apply",
                        "start containers",
                        "await running",
                        "record state");
    }

    @Test
    void aVmSwitchedOffIsSwitchedOnAgain() {
        deploy(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        vm("vm-1").on = false;
        InstancePlan db = single(plan(Wishes.of(Wishes.group("db", 1, 100L, "h1"))));
        assertThat(verbs(db.steps()))
                .startsWith("start vm", "attach disk", "mount disk")
                .doesNotContain("delete vm");
    }

    @Test
    void aSilentAgentIsRefusedUnlessFixIsAsked() {
        Desired desired = Wishes.of(Wishes.group("db", 1, 100L, "h1"));
        deploy(desired);
        vm("vm-1").silent = true;
        assertThatThrownBy(() -> plan(desired))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.code()).isEqualTo(450002))
                .hasMessageContaining("Timed out sending 'get_state' to instance: 'db/i00001'")
                .hasMessageContaining("--fix");
        assertThat(verbs(single(plan(desired, PlanOptions.deploy(true).withFix(true))).steps()))
                .startsWith("delete vm", "create vm");
    }

    @Test
    void aDiskHeldByAnOlderVmIsFreedThereFirst() {
        Desired desired = Wishes.of(Wishes.group("db", 1, 100L, "h1"));
        deploy(desired);
        Recorded.Instance row = world.rows.values().iterator().next();
        world.rows.put(row.id(), World.attached(row, World.live(row, "").cid(), new VmCid("vm-0")));
        assertThat(single(plan(desired)).steps())
                .startsWith(
                        new Step.DetachDisk(new VmCid("vm-0"), World.live(row, "").cid()),
                        new Step.AttachDisk("", List.of()),
                        new Step.MountDisk(""));
        assertThat(
                        single(
                                        plan(
                                                desired,
                                                PlanOptions.deploy(true)
                                                        .withGoneVms(Set.of(new VmCid("vm-0")))))
                                .steps())
                .startsWith(new Step.AttachDisk("", List.of()), new Step.MountDisk(""));
    }

    @Test
    void statesStopDetachRestartAndRecreate() {
        Desired.Group group = Wishes.group("db", 1, 100L, "h1");
        deploy(Wishes.of(group));
        assertThat(verbs(single(plan(Wishes.of(Wishes.withState(group, "stopped")))).steps()))
                .containsExactly("stop containers", "record state");
        assertThat(verbs(single(plan(Wishes.of(Wishes.withState(group, "detached")))).steps()))
                .containsExactly(
                        "stop containers",
                        "unmount disk",
                        "detach disk",
                        "delete vm",
                        "record state");
        assertThat(verbs(single(plan(Wishes.of(Wishes.withState(group, "restart")))).steps()))
                .containsExactly(
                        "stop containers", "start containers", "await running", "record state");
        assertThat(verbs(single(plan(Wishes.of(Wishes.withState(group, "recreate")))).steps()))
                .contains("delete vm", "create vm");
        deploy(Wishes.of(Wishes.withState(group, "detached")));
        assertThat(plan(Wishes.of(group)).isEmpty()).isTrue();
        assertThat(verbs(single(plan(Wishes.of(Wishes.withState(group, "started")))).creation()))
                .containsExactly("create vm", "welcome agent", "attach disk", "mount disk");
    }

    @Test
    void aStoppedInstanceIsChangedWhenItStartsAgain() {
        Desired.Group group = Wishes.group("db", 1, 100L, "h1");
        deploy(Wishes.of(Wishes.withState(group, "stopped")));
        Desired.Group changed = Wishes.withVm(group, Wishes.vm("deb/2", 1), Map.of());
        Plan waiting = plan(Wishes.of(changed));
        assertThat(waiting.isEmpty()).isTrue();
        assertThat(waiting.warnings()).anyMatch(w -> w.contains("stemcell, deb/1 → deb/2"));
        assertThat(verbs(single(plan(Wishes.of(Wishes.withState(changed, "started")))).steps()))
                .contains("delete vm", "create vm", "start containers");
    }

    /** Its VM may never have been told a wish, and would say for ever that it runs. */
    @Test
    void aStoppedInstanceWhoseUpdateBrokeOffIsToldItsContainers() {
        Desired.Group group = Wishes.group("db", 1, 100L, "h1");
        deploy(Wishes.of(Wishes.withState(group, "stopped")));
        Recorded.Instance row = world.rows.values().iterator().next();
        world.rows.put(row.id(), marked(row, false, false));
        assertThat(verbs(single(plan(Wishes.of(group))).steps()))
                .contains("apply")
                .doesNotContain("start containers");
    }

    @Test
    void changedTagsTouchMetadataOnly() {
        Desired.Group group = Wishes.group("db", 1, 100L, "h1");
        deploy(Wishes.of(group));
        Plan plan = plan(new Desired("shop", List.of(group), Map.of("team", "a")));
        assertThat(verbs(single(plan).steps())).containsExactly("set metadata", "record state");
    }

    @Test
    void whatIsNoLongerWantedIsDeletedAndItsDiskKept() {
        deploy(Wishes.of(Wishes.group("db", 2, 100L, "h1"), Wishes.group("web", 1, null, "h1")));
        Plan plan = plan(Wishes.of(Wishes.group("db", 1, 100L, "h1")));
        assertThat(plan.unneeded()).singleElement().matches(i -> i.group().equals("web"));
        InstancePlan obsolete = plan.batches().getFirst().getFirst().obsolete().getFirst();
        assertThat(obsolete.index()).isEqualTo(1);
        assertThat(verbs(obsolete.steps()))
                .containsExactly(
                        "stop containers",
                        "unmount disk",
                        "detach disk",
                        "delete vm",
                        "orphan disk",
                        "remove instance");
    }

    @Test
    void neighboursThatAreNotSerialShareABatch() {
        Desired.Group a = parallel(Wishes.group("a", 1, null, "h"));
        Desired.Group b = parallel(Wishes.group("b", 1, null, "h"));
        Desired.Group c = Wishes.group("c", 1, null, "h");
        Plan plan = plan(Wishes.of(a, b, c, parallel(Wishes.group("d", 1, null, "h"))));
        assertThat(plan.batches())
                .extracting(batch -> batch.stream().map(Plan.GroupPlan::group).toList())
                .containsExactly(List.of("a", "b"), List.of("c"), List.of("d"));
    }

    @Test
    void canariesComeFirstAndAzsOneAfterAnother() {
        var use =
                List.of(new Desired.NetworkUse(Wishes.network("default", 0), List.of(), List.of()));
        Desired.Group group =
                Wishes.withNetworks(Wishes.group("web", 5, null, "h"), List.of("z1", "z2"), use);
        Plan.GroupPlan web = plan(Wishes.of(group)).batches().getFirst().getFirst();
        assertThat(web.canaries()).isEqualTo(1);
        assertThat(web.maxInFlight()).isEqualTo(2);
        assertThat(web.waves())
                .extracting(wave -> wave.stream().map(InstancePlan::az).toList())
                .containsExactly(List.of("z1"), List.of("z1", "z1"), List.of("z2", "z2"));
        assertThat(web.waves().getFirst().getFirst().bootstrap()).isTrue();
    }

    @Test
    void noAddressLeftAndStaticAddressTakenAreSaidTogether() {
        deploy(Wishes.of(statics("a", "10.0.0.200")));
        var tiny =
                new Desired.Network(
                        "tiny",
                        List.of(
                                new Desired.Subnet(
                                        "10.1.0.0/30",
                                        "10.1.0.1",
                                        List.of(),
                                        List.of(),
                                        List.of(),
                                        List.of(),
                                        Map.of())));
        Desired.Group crowded =
                Wishes.withNetworks(
                        Wishes.group("c", 3, null, "h"),
                        List.of(),
                        List.of(new Desired.NetworkUse(tiny, List.of(), List.of())));
        assertThatThrownBy(() ->
                        plan(
                                Wishes.of(
                                        statics("a", "10.0.0.200"),
                                        statics("b", "10.0.0.200"),
                                        crowded)))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        e ->
                                assertThat(e.problems())
                                        .extracting(dev.berth.model.Problem::code)
                                        .containsExactly(130008, 130011, 130011))
                .hasMessageContaining("already reserved by instance 'a/i00001'");
    }

    @Test
    void holdersKeepTheirStaticAddress() {
        deploy(Wishes.of(statics("a", "10.0.0.200", "10.0.0.201")));
        Plan plan = plan(Wishes.of(statics("a", "10.0.0.205", "10.0.0.201", "10.0.0.200")));
        assertThat(plan.all().filter(InstancePlan::hasWork))
                .singleElement()
                .matches(i -> i.isNew() && "10.0.0.205".equals(i.addresses().get("default")));
        Plan moved = plan(Wishes.of(statics("a", "10.0.0.209", "10.0.0.201")));
        assertThat(moved.all().filter(InstancePlan::hasWork))
                .singleElement()
                .matches(i -> i.changes().toString().contains("10.0.0.200 → 10.0.0.209"));
    }

    @Test
    void ignoredInstancesAreLeftAloneAndProtected() {
        Desired.Group group = Wishes.group("db", 2, 100L, "h1");
        deploy(Wishes.of(group));
        Recorded.Instance row = world.rows.values().iterator().next();
        world.rows.put(row.id(), ignored(row));
        world.loseVm(java.util.Objects.requireNonNull(row.vm()).cid());
        Plan plan = plan(Wishes.of(Wishes.group("db", 2, 100L, "h2")));
        assertThat(plan.all().filter(InstancePlan::hasWork))
                .noneMatch(i -> i.id().equals(row.id()));
        assertThat(plan.warnings())
                .contains("You have ignored instances. They will not be changed.");
        assertThatThrownBy(() -> plan(Wishes.of(Wishes.group("db", 0, 100L, "h1"))))
                .hasMessageContaining("Deleting ignored instances is not allowed");
        assertThatThrownBy(() -> plan(Wishes.of()))
                .hasMessageContaining("which contains ignored instance(s)");
        assertThatThrownBy(() -> plan(Wishes.of(Wishes.withState(group, "stopped"))))
                .hasMessageContaining("unignore it first");
    }

    /** Without a change the cost is one look per instance and no dealing of addresses. */
    @Test
    void tenThousandUnchangedInstancesCostOneLookEach() {
        int size = 10_000;
        var wide =
                new Desired.Network(
                        "default",
                        List.of(
                                new Desired.Subnet(
                                        "10.0.0.0/16",
                                        "10.0.0.1",
                                        List.of(),
                                        List.of(),
                                        List.of(),
                                        List.of(),
                                        Map.of())));
        Desired desired =
                Wishes.of(
                        Wishes.withNetworks(
                                Wishes.group("web", size, 100L, "h"),
                                List.of("z1", "z2", "z3"),
                                List.of(new Desired.NetworkUse(wide, List.of(), List.of()))));
        var first = new AddressBook(world.recorded());
        world.carryOut(
                planner.plan(desired, Map.of(), world.recorded(), PlanOptions.deploy(true), first),
                desired,
                Integer.MAX_VALUE);
        assertThat(first.probes()).isLessThan(size + 10);

        var looks = new Looks(world.look());
        var book = new AddressBook(world.recorded());
        Plan plan = planner.plan(desired, looks, world.recorded(), PlanOptions.deploy(true), book);
        assertThat(plan.isEmpty()).isTrue();
        assertThat(looks.count).isEqualTo(size);
        assertThat(book.probes()).isZero();
    }

    private static final class Looks extends AbstractMap<InstanceId, Observation> {
        private final Map<InstanceId, Observation> seen;
        private int count;

        Looks(Map<InstanceId, Observation> seen) {
            this.seen = new HashMap<>(seen);
        }

        @Override
        public Observation get(Object key) {
            count++;
            return java.util.Objects.requireNonNull(seen.get(key));
        }

        @Override
        public Set<Entry<InstanceId, Observation>> entrySet() {
            throw new AssertionError("nobody needs them all");
        }
    }

    // --- short words

    private Plan plan(Desired desired) {
        return plan(desired, PlanOptions.deploy(true));
    }

    private Plan plan(Desired desired, PlanOptions options) {
        return planner.plan(desired, world.look(), world.recorded(), options);
    }

    private void deploy(Desired desired) {
        assertThat(world.carryOut(plan(desired), desired, Integer.MAX_VALUE)).isTrue();
    }

    private World.Vm vm(String cid) {
        return java.util.Objects.requireNonNull(world.vms.get(new VmCid(cid)));
    }

    private static InstancePlan single(Plan plan) {
        List<InstancePlan> all = plan.all().toList();
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    private static List<String> verbs(List<Step> steps) {
        return steps.stream().map(Step::verb).toList();
    }

    private static List<String> kinds(InstancePlan plan) {
        return plan.changes().stream().map(Plan.Change::kind).toList();
    }

    private static Desired.Group statics(String name, String... addresses) {
        return Wishes.withNetworks(
                Wishes.group(name, addresses.length, null, "h"),
                List.of(),
                List.of(
                        new Desired.NetworkUse(
                                Wishes.network("default", 0),
                                Stream.of(addresses).toList(),
                                List.of())));
    }

    private static Desired.Group parallel(Desired.Group g) {
        return new Desired.Group(
                g.name(),
                g.instances(),
                g.azs(),
                g.vms(),
                g.env(),
                g.networks(),
                g.disks(),
                g.migratedFrom(),
                g.configurationHash(),
                Wishes.update(false),
                g.state(),
                g.instanceStates());
    }

    private static Recorded.Instance ignored(Recorded.Instance row) {
        return marked(row, true, row.updateCompleted());
    }

    private static Recorded.Instance marked(
            Recorded.Instance row, boolean ignored, boolean completed) {
        return new Recorded.Instance(
                row.id(),
                row.group(),
                row.index(),
                row.az(),
                row.state(),
                row.bootstrap(),
                ignored,
                completed,
                row.configurationHash(),
                row.addresses(),
                row.vm(),
                row.disks(),
                null);
    }
}
