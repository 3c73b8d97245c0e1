package dev.berth.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.ProblemException;
import dev.berth.model.VmCid;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** What holds of every plan, whatever is wished, recorded and seen. */
class PlannerPropertiesTest {
    private static final int ALL = Integer.MAX_VALUE;

    /** R5: what was carried out whole needs no step. */
    @Property(tries = 400)
    void planThenApplyIsAFixedPoint(@ForAll long seed) {
        var random = new Random(seed);
        var world = new World();
        world.cannotResize = random.nextInt(4) == 0;
        var planner = new Planner(Wishes.ids("i"));
        for (int round = 0; round < 4; round++) {
            Desired desired = Wishes.random(random);
            PlanOptions options = options(random);
            Optional<Plan> plan = plan(planner, desired, world, options);
            if (plan.isEmpty()) {
                continue;
            }
            assertThat(world.carryOut(plan.get(), desired, ALL)).isTrue();
            Plan again = plan(planner, desired, world, options).orElseThrow();
            assertThat(again.isEmpty()).as(() -> String.join("\n", PlanText.lines(again))).isTrue();
            assertThat(again.all().allMatch(i -> i.changes().isEmpty())).isTrue();
            noDiskLost(world);
        }
    }

    /** R4: after a crash anywhere and any damage, planning again leads to the same end. */
    @Property(tries = 1000)
    void anyPrefixOfStepsConvergesWhenPlannedAgain(@ForAll long seed) {
        converges(seed);
    }

    /** A VM was made with a static address that its instance did not have on record yet. */
    @Example
    void whatASeedOnceFoundConverges() {
        converges(10520691);
    }

    private static void converges(long seed) {
        var random = new Random(seed);
        var world = new World();
        world.cannotResize = random.nextInt(4) == 0;
        var planner = new Planner(Wishes.ids("i"));
        Desired first = Wishes.random(random);
        plan(planner, first, world, PlanOptions.deploy(true))
                .ifPresent(start -> world.carryOut(start, first, ALL));
        Desired desired = Wishes.random(random);
        PlanOptions options = options(random).withFix(true);
        world.fulfilled.clear();
        for (int crash = 0; crash < 3; crash++) {
            Optional<Plan> plan = plan(planner, desired, world, options);
            if (plan.isEmpty()) {
                return;
            }
            neverTwoHolders(plan.get(), world);
            world.carryOut(plan.get(), desired, random.nextInt(25));
            damage(world, random);
        }
        Plan last = plan(planner, desired, world, options).orElseThrow();
        neverTwoHolders(last, world);
        assertThat(world.carryOut(last, desired, ALL)).isTrue();
        Plan nothing = plan(planner, desired, world, options).orElseThrow();
        assertThat(nothing.isEmpty()).as(() -> PlanText.lines(nothing).toString()).isTrue();
        noDiskLost(world);
        noVmLeaked(world);
    }

    /** Instances outside of the asked-for ones are left alone, and none are made or removed. */
    @Property(tries = 200)
    void onlyTheNamedAreTouched(@ForAll long seed) {
        var random = new Random(seed);
        var world = new World();
        var planner = new Planner(Wishes.ids("i"));
        Desired first = Wishes.random(random);
        plan(planner, first, world, PlanOptions.deploy(true))
                .ifPresent(start -> world.carryOut(start, first, ALL));
        damage(world, random);
        var only =
                world.rows.keySet().stream()
                        .filter(id -> random.nextInt(3) == 0)
                        .collect(Collectors.toSet());
        plan(planner, Wishes.random(random), world, PlanOptions.repair(only, true))
                .ifPresent(plan ->
                        assertThat(plan.all().filter(Plan.InstancePlan::hasWork))
                                .allMatch(i -> only.contains(i.id())));
    }

    private static PlanOptions options(Random random) {
        return PlanOptions.deploy(random.nextBoolean())
                .withRecreate(random.nextInt(6) == 0)
                .withDisks(
                        new PlanOptions.Disks(
                                random.nextBoolean(),
                                random.nextInt(4) > 0,
                                random.nextBoolean(),
                                false,
                                Map.of()));
    }

    /** Empty when the wish is refused, which it may be only for what depends on what exists. */
    private static Optional<Plan> plan(
            Planner planner, Desired desired, World world, PlanOptions options) {
        try {
            Plan plan =
                    planner.plan(
                            desired,
                            world.look(),
                            world.recorded(),
                            options.withFulfilled(new HashSet<>(world.fulfilled)));
            addressesAreUnique(plan);
            return Optional.of(plan);
        } catch (ProblemException e) {
            assertThat(e.problems())
                    .allMatch(p ->
                            p.message().contains("cannot shrink")
                                    || p.message().contains("cannot be copied")
                                    || p.message().contains("in another az")
                                    || p.code() == 190018
                                    || p.code() == 130008
                                    || p.code() == 130010
                                    || p.code() == 150002);
            return Optional.empty();
        }
    }

    private static void addressesAreUnique(Plan plan) {
        List<String> addresses = plan.all().flatMap(i -> i.addresses().values().stream()).toList();
        assertThat(addresses).doesNotHaveDuplicates();
    }

    /** R1, read off the plan: a disk is attached only after its recorded holder let go of it. */
    private static void neverTwoHolders(Plan plan, World world) {
        plan.all()
                .forEach(instance -> {
                    Recorded.Instance row = world.rows.get(instance.id());
                    if (row != null) {
                        row.disks().forEach(disk -> neverTwoHolders(instance, row, disk));
                    }
                });
    }

    private static void neverTwoHolders(
            Plan.InstancePlan instance, Recorded.Instance row, Recorded.Disk disk) {
        VmCid holder = disk.attachedTo();
        VmCid vm = row.vm() == null ? null : row.vm().cid();
        for (Step step :
                Stream.concat(instance.creation().stream(), instance.steps().stream()).toList()) {
            switch (step) {
                case Step.DetachDisk s -> holder = s.disk().equals(disk.cid()) ? null : holder;
                case Step.DeleteVm s -> {
                    holder = s.vm().equals(holder) ? null : holder;
                    vm = null;
                }
                case Step.AttachDisk s -> {
                    boolean mine = s.disk().equals(disk.name()) && disk.live();
                    assertThat(!mine || holder == null || holder.equals(vm)).isTrue();
                }
                case Step.CopyDisk s -> {
                    boolean mine = s.to().name().equals(disk.name()) && !disk.live();
                    assertThat(!mine || holder == null || holder.equals(vm)).isTrue();
                }
                default -> {}
            }
        }
    }

    private static void damage(World world, Random random) {
        for (Recorded.Instance row : List.copyOf(world.rows.values())) {
            if (row.vm() == null) {
                continue;
            }
            VmCid cid = row.vm().cid();
            World.Vm vm = world.vms.get(cid);
            if (vm == null) {
                continue;
            }
            switch (random.nextInt(12)) {
                case 0 -> world.loseVm(cid);
                case 1 -> vm.on = false;
                case 2 -> vm.silent = true;
                case 3 -> vm.jobState = "failing";
                case 4 -> vm.hash = "";
                case 5 -> world.leaveDiskWithAnOldVm(row);
                default -> {}
            }
        }
    }

    /** R3: every disk ever made belongs to an instance or is an orphan. */
    private static void noDiskLost(World world) {
        var held =
                world.rows.values().stream()
                        .flatMap(row -> row.disks().stream())
                        .map(Recorded.Disk::cid)
                        .collect(Collectors.toSet());
        world.disks.forEach((cid, disk) -> assertThat(disk.orphan).isEqualTo(!held.contains(cid)));
    }

    private static void noVmLeaked(World world) {
        var known =
                world.rows.values().stream()
                        .filter(row -> row.vm() != null)
                        .map(row -> row.vm() == null ? null : row.vm().cid())
                        .collect(Collectors.toSet());
        known.addAll(world.leftovers);
        assertThat(world.vms.keySet()).isEqualTo(known);
    }
}
