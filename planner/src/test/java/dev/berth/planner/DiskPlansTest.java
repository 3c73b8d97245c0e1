package dev.berth.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.MigratedFrom;
import dev.berth.model.ProblemException;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.PlanOptions.DiskOf;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What becomes of disks, by example: each way of a change, and where instances take them. */
class DiskPlansTest {
    private final World world = new World();
    private final Planner planner = new Planner(Wishes.ids("i"));

    @Test
    void aDiskThatShrinksIsCopiedAndOnlyWhenAPersonSaysSo() {
        deploy(one(disk("", 200)));
        Desired less = one(disk("", 100));
        assertThatThrownBy(() -> plan(less, PlanOptions.deploy(true)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("has 200 MB and cannot shrink to 100 MB")
                .hasMessageContaining("--allow-shrink");
        Plan plan = plan(less, allowingShrink());
        assertThat(verbs(plan)).containsExactly("copy disk", "record state");
        assertThat(String.join("\n", PlanText.lines(plan)))
                .contains("200 → 100 MB")
                .contains("copy disk to one of 100 MB");
        carryOut(plan, less);
        assertThat(plan(less, PlanOptions.deploy(true)).isEmpty()).isTrue();
        assertThat(world.disks.values().stream().filter(d -> d.orphan)).hasSize(1);
    }

    @Test
    void anotherFileSystemOrKindIsCopiedAndARenamedTypeMovesNothing() {
        deploy(one(typed("a", Map.of(), "ext4")));
        assertThat(verbs(plan(one(typed("b", Map.of(), "ext4"))))).isEmpty();
        assertThat(verbs(plan(one(typed("b", Map.of(), "xfs"))))).contains("copy disk");
        assertThat(verbs(plan(one(typed("b", Map.of("kind", "fast"), "ext4")))))
                .contains("copy disk");
    }

    @Test
    void whereTheCloudGrowsNoDisksTheyAreCopiedUnderRunningContainers() {
        deploy(one(disk("", 100)));
        PlanOptions options = with(PlanOptions.deploy(false), false, true, false, Map.of());
        assertThat(verbs(plan(one(disk("", 200)), options)))
                .containsExactly("copy disk", "record state");
    }

    /** A long copy must not keep down what stands still. */
    @Test
    void whatStandsStillIsStartedBeforeItsDiskIsCopied() {
        deploy(one(typed("a", Map.of(), "ext4")));
        Desired recreated = one(typed("a", Map.of(), "xfs"));
        assertThat(verbs(plan(recreated, PlanOptions.deploy(true).withRecreate(true))))
                .containsSubsequence(
                        "mount disk", "start containers", "await running", "copy disk");
    }

    @Test
    void disksWithNamesComeGrowAndGoEachForItself() {
        deploy(one(disk("rows", 100), disk("logs", 100)));
        Plan plan = plan(one(disk("rows", 200), disk("more", 100)));
        assertThat(plan.all().flatMap(i -> i.changes().stream()).map(Plan.Change::reason))
                .anyMatch(r -> r.contains("100 → 200 MB"))
                .anyMatch(r -> r.contains("no disk 'more' → 100 MB"))
                .anyMatch(r -> r.contains("is no longer wanted"));
        assertThat(verbs(plan))
                .containsSubsequence("stop containers", "orphan disk", "create disk", "mount disk");
        Desired wished = one(disk("rows", 200), disk("more", 100));
        carryOut(plan, wished);
        assertThat(plan(wished).isEmpty()).isTrue();
    }

    /** Raw: attached and never mounted; what is on it can be neither copied nor judged. */
    @Test
    void aRawDiskIsOnlyAttachedAndOnlyGrows() {
        assertThat(verbs(plan(one(raw(100, Map.of())))))
                .contains("attach disk")
                .doesNotContain("mount disk");
        deploy(one(raw(100, Map.of())));
        assertThat(verbs(plan(one(raw(200, Map.of()))))).contains("grow disk");
        assertThatThrownBy(() -> plan(one(raw(100, Map.of("kind", "fast")))))
                .hasMessageContaining("is raw, and cannot be copied");
    }

    @Test
    void otherMountOptionsNeedAStopAndNoNewDisk() {
        deploy(one(disk("", 100)));
        Plan plan = plan(one(mounted("noatime")));
        assertThat(verbs(plan))
                .containsSubsequence(
                        "stop containers",
                        "unmount disk",
                        "detach disk",
                        "attach disk",
                        "mount disk",
                        "start containers");
        carryOut(plan, one(mounted("noatime")));
        assertThat(plan(one(mounted("noatime"))).isEmpty()).isTrue();
    }

    // --- sizes given by hand

    @Test
    void aSizeGivenByHandHoldsUntilTheManifestAgrees() {
        Desired manifest = one(disk("", 100));
        deploy(manifest);
        var id = world.rows.keySet().iterator().next();
        PlanOptions resize =
                with(PlanOptions.deploy(true), true, true, true, Map.of(new DiskOf(id, ""), 300L));
        Plan plan = plan(manifest, resize);
        assertThat(verbs(plan)).contains("grow disk");
        carryOut(plan, manifest);
        PlanOptions again = with(PlanOptions.deploy(true), true, true, true, Map.of());
        assertThat(plan(manifest, again).isEmpty()).as("a repair keeps it").isTrue();
        assertThatThrownBy(() -> plan(manifest))
                .hasMessageContaining("since resize-disk (the manifest said 100)")
                .hasMessageContaining("write 300 into the manifest");
        assertThat(plan(one(disk("", 300))).isEmpty()).isTrue();
        assertThat(verbs(plan(one(disk("", 400))))).contains("grow disk");
    }

    @Test
    void whatWasMadeSmallerByHandDoesNotGrowBack() {
        Desired manifest = one(disk("", 300));
        deploy(manifest);
        var id = world.rows.keySet().iterator().next();
        var sizes = Map.of(new DiskOf(id, ""), 100L);
        PlanOptions resize =
                PlanOptions.deploy(true)
                        .withDisks(new PlanOptions.Disks(true, true, true, true, sizes));
        carryOut(plan(manifest, resize), manifest);
        assertThatThrownBy(() -> plan(manifest))
                .hasMessageContaining("was made smaller by resize-disk")
                .hasMessageContaining("write 100 into the manifest");
        assertThat(plan(one(disk("", 100))).isEmpty()).isTrue();
    }

    /** A start after {@code attach-disk} copies nothing; a deploy makes what the manifest says. */
    @Test
    void whatAPersonAttachedStaysAsItIsUntilADeploy() {
        Desired manifest = one(typed("t", Map.of("kind", "fast"), "xfs"));
        deploy(manifest);
        world.rows.replaceAll((id, row) -> given(row, 100));
        PlanOptions start = with(PlanOptions.deploy(true), true, true, true, Map.of());
        assertThat(plan(manifest, start).isEmpty()).isTrue();
        assertThat(verbs(plan(manifest))).contains("copy disk");
    }

    /** Its disk is one of another kind, of the same size, that a person attached. */
    private static Recorded.Instance given(Recorded.Instance row, long manifestMb) {
        Recorded.Disk d = row.disks().getFirst();
        return World.with(
                row,
                row.vm(),
                List.of(
                        new Recorded.Disk(
                                d.cid(),
                                d.name(),
                                d.sizeMb(),
                                Map.of("kind", "slow"),
                                d.type(),
                                "ext4",
                                d.mountOptions(),
                                d.raw(),
                                d.live(),
                                manifestMb,
                                d.attachedTo())));
    }

    // --- where instances take their disks

    @Test
    void anInstanceWhoseAzLeavesMovesWithItsDisk() {
        Desired before = zones(List.of("z1"), disk("", 100));
        deploy(before);
        var row = world.rows.values().iterator().next();
        Desired after = zones(List.of("z2"), disk("", 100));
        Plan plan = plan(after);
        assertThat(verbs(plan))
                .containsSubsequence(
                        "detach disk",
                        "delete vm",
                        "move instance",
                        "create vm",
                        "attach disk",
                        "mount disk",
                        "start containers");
        carryOut(plan, after);
        var moved = Objects.requireNonNull(world.rows.get(row.id()));
        assertThat(moved.az()).isEqualTo("z2");
        assertThat(World.live(moved, "").cid()).isEqualTo(World.live(row, "").cid());
        assertThat(plan(after).isEmpty()).isTrue();
        PlanOptions fixed = with(PlanOptions.deploy(true), true, false, false, Map.of());
        assertThatThrownBy(() -> plan(before, fixed))
                .hasMessageContaining("cannot attach a disk in another az")
                .hasMessageContaining("list the az again");
    }

    @Test
    void aRenamedGroupKeepsVmsAndDisksAndItsContainersRunOn() {
        deploy(one(disk("", 100)));
        var row = world.rows.values().iterator().next();
        Desired renamed = takingOver("db", null);
        Plan plan = plan(renamed);
        assertThat(verbs(plan))
                .startsWith("rename instance")
                .contains("apply", "set metadata")
                .doesNotContain("stop containers", "delete vm", "orphan disk");
        carryOut(plan, renamed);
        var now = Objects.requireNonNull(world.rows.get(row.id()));
        assertThat(now.group()).isEqualTo("store");
        assertThat(now.vm()).isEqualTo(row.vm());
        assertThat(now.disks()).isEqualTo(row.disks());
        assertThat(plan(renamed).isEmpty()).as("the entry may stay in the manifest").isTrue();
    }

    @Test
    void aGroupOfZonesHasToSayWhereInstancesWithoutOneLive() {
        deploy(one(disk("", 100)));
        Desired nowhere = zoned(takingOver("db", null), List.of("z1"));
        assertThatThrownBy(() -> plan(nowhere))
                .hasMessageContaining(
                        "Failed to migrate instance group 'db' to 'store', availability zone of"
                                + " 'db' is not specified");
        Plan plan = plan(zoned(takingOver("db", "z1"), List.of("z1")));
        assertThat(single(plan).az()).isEqualTo("z1");
    }

    // --- short words

    private Plan plan(Desired desired) {
        return plan(desired, PlanOptions.deploy(true));
    }

    private Plan plan(Desired desired, PlanOptions options) {
        return planner.plan(desired, world.look(), world.recorded(), options);
    }

    private void deploy(Desired desired) {
        carryOut(plan(desired), desired);
    }

    private void carryOut(Plan plan, Desired desired) {
        assertThat(world.carryOut(plan, desired, Integer.MAX_VALUE)).isTrue();
    }

    private static InstancePlan single(Plan plan) {
        List<InstancePlan> all = plan.all().toList();
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    private static List<String> verbs(Plan plan) {
        InstancePlan one = single(plan);
        return Stream.concat(one.creation().stream(), one.steps().stream())
                .map(Step::verb)
                .toList();
    }

    private static PlanOptions allowingShrink() {
        return PlanOptions.deploy(true)
                .withDisks(new PlanOptions.Disks(true, true, true, false, Map.of()));
    }

    private static PlanOptions with(
            PlanOptions options,
            boolean resizes,
            boolean moves,
            boolean keeps,
            Map<DiskOf, Long> sizes) {
        return options.withDisks(new PlanOptions.Disks(resizes, moves, false, keeps, sizes));
    }

    private static Desired one(Desired.DiskWish... disks) {
        return Wishes.of(with(Wishes.group("db", 1, null, "h"), List.of(disks), List.of(), "db"));
    }

    private static Desired.DiskWish disk(String name, long sizeMb) {
        return new Desired.DiskWish(name, sizeMb, Map.of(), "", "ext4", false, List.of(), false, 0);
    }

    private static Desired.DiskWish typed(
            String type, Map<String, Object> properties, String fileSystem) {
        return new Desired.DiskWish(
                "", 100, properties, type, fileSystem, true, List.of(), false, 0);
    }

    private static Desired.DiskWish mounted(String option) {
        return new Desired.DiskWish(
                "", 100, Map.of(), "", "ext4", false, List.of(option), false, 0);
    }

    private static Desired.DiskWish raw(long sizeMb, Map<String, Object> properties) {
        return new Desired.DiskWish(
                "block", sizeMb, properties, "", "ext4", false, List.of(), true, 0);
    }

    private static Desired zones(List<String> azs, Desired.DiskWish disk) {
        return zoned(one(disk), azs);
    }

    private static Desired zoned(Desired desired, List<String> azs) {
        Desired.Group g = desired.groups().getFirst();
        Desired.Group in = Wishes.withNetworks(g, azs, g.networks());
        return Wishes.of(with(in, g.disks(), g.migratedFrom(), g.name()));
    }

    private static Desired takingOver(String former, @Nullable String az) {
        Desired.Group g = Wishes.group("db", 1, 100L, "h");
        return Wishes.of(with(g, g.disks(), List.of(new MigratedFrom(former, az)), "store"));
    }

    private static Desired.Group with(
            Desired.Group g, List<Desired.DiskWish> disks, List<MigratedFrom> from, String name) {
        return new Desired.Group(
                name,
                g.instances(),
                g.azs(),
                new HashMap<>(g.vms()),
                g.env(),
                g.networks(),
                disks,
                from,
                g.configurationHash(),
                g.update(),
                g.state(),
                g.instanceStates());
    }
}
