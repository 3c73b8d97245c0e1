package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.ContainerOrder.Dependency.Condition;
import dev.berth.model.ContainerSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/**
 * What holds whatever the order of events, doubled and lost messages, and deaths of agent and
 * daemon at any moment.
 */
class SupervisorPropertiesTest {
    private static final long MIB = 1 << 20;

    private static List<ContainerSpec> ten(String imageOfThird) {
        return ten(imageOfThird, 64 * MIB);
    }

    private static List<ContainerSpec> ten(String imageOfThird, long memoryOfThird) {
        List<ContainerSpec> specs = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Specs spec =
                    Specs.named("c" + i)
                            .image(i == 3 ? imageOfThird : "img:1")
                            .memory(i == 3 ? memoryOfThird : 64 * MIB);
            if (i == 9) {
                spec.store();
            }
            specs.add(spec.make());
        }
        return specs;
    }

    /** A random acyclic wish: dependencies point to lower numbers only. */
    private static List<ContainerSpec> randomWish(World world) {
        int count = 1 + world.any(7);
        List<ContainerSpec> specs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Specs spec = Specs.named("c" + i).image("img:" + (1 + world.any(2)));
            if (world.any(4) == 0) {
                spec.store();
            }
            if (world.any(3) == 0) {
                spec.memory((1 + world.any(2)) * 64 * MIB);
            }
            for (int j = 0; j < i; j++) {
                if (world.any(3) == 0) {
                    spec.needs("c" + j, Condition.STARTED, world.any(5) > 0, true);
                }
            }
            if (i > 0 && world.any(4) == 0) {
                spec.joinsNetworkOf("c" + world.any(i));
            }
            specs.add(spec.make());
        }
        return specs;
    }

    /**
     * One container of ten changes while agent and daemon die at any moment and messages go astray:
     * the nine others are never stopped, and the one arrives.
     */
    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void nineOfTenNeverStop(@ForAll long seed) {
        var world = new World(seed);
        world.wish(ten("img:1"), true);
        world.run(Duration.ofSeconds(20));
        world.unrest = 15;
        world.wish(ten("img:2"), true);
        trouble(world);
        world.unrest = 0;
        world.daemon(true);
        world.run(Duration.ofMinutes(3));
        assertThat(world.allUp()).as(world.report()).isTrue();
        IntStream.range(0, 10)
                .filter(i -> i != 3)
                .forEach(i -> {
                    assertThat(world.engine.deeds("stop", "c" + i)).isEmpty();
                    assertThat(world.engine.deeds("start", "c" + i)).hasSize(1);
                });
        assertThat(world.engine.deeds("create", "c3")).hasSize(2);
    }

    /**
     * The limits of one of ten change while agent and daemon die and messages go astray: none of
     * the ten ever stops, and the one has its new limits.
     */
    @Property(tries = 100, shrinking = ShrinkingMode.OFF)
    void newLimitsStopNothing(@ForAll long seed) {
        var world = new World(seed);
        world.wish(ten("img:1"), true);
        world.run(Duration.ofSeconds(20));
        world.unrest = 15;
        world.wish(ten("img:1", 128 * MIB), true);
        trouble(world);
        world.unrest = 0;
        world.daemon(true);
        world.run(Duration.ofMinutes(3));
        assertThat(world.allUp()).as(world.report()).isTrue();
        IntStream.range(0, 10)
                .forEach(i -> {
                    assertThat(world.engine.deeds("stop", "c" + i)).isEmpty();
                    assertThat(world.engine.deeds("create", "c" + i)).hasSize(1);
                });
        assertThat(Objects.requireNonNull(world.engine.box("c3")).limits())
                .containsEntry("Memory", 128 * MIB);
    }

    /**
     * A change that is taken back at any moment, under the same faults, ends with what was there
     * before, and the container that was good is never made a second time.
     */
    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void aChangeTakenBackFindsTheOldContainer(@ForAll long seed) {
        var world = new World(seed);
        List<ContainerSpec> old = List.of(Specs.named("a").checked().make());
        world.wish(old, true);
        world.run(Duration.ofSeconds(5));
        world.engine.health("a", "healthy");
        world.run(Duration.ofSeconds(5));
        String id = world.id("a");
        world.unrest = 15;
        world.wish(List.of(Specs.named("a").image("img:2").checked().make()), true);
        trouble(world);
        world.wish(old, true);
        trouble(world);
        world.unrest = 0;
        world.daemon(true);
        world.run(Duration.ofSeconds(30));
        world.engine.health("a", "healthy");
        world.run(Duration.ofMinutes(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.id("a")).isEqualTo(id);
        assertThat(world.engine.boxes).hasSize(1);
    }

    private static void trouble(World world) {
        for (int i = 0; i < 5; i++) {
            world.run(Duration.ofMillis(world.any(200)));
            switch (world.any(3)) {
                case 0 -> world.agentDies();
                case 1 -> world.daemon(false);
                default -> world.daemon(true);
            }
        }
    }

    /** Once the faults end all is up within bounded time, and then nothing moves. */
    @Property(tries = 300, shrinking = ShrinkingMode.OFF)
    void comesToRest(@ForAll long seed) {
        var world = new World(seed);
        world.unrest = world.any(40);
        world.wish(randomWish(world), true);
        for (int i = 0; i < 40; i++) {
            world.run(Duration.ofMillis(world.any(3000)));
            mischief(world);
            assertOneOfAKind(world);
        }
        world.unrest = 0;
        world.daemon(true);
        world.disk(new DiskState.Proven("disk-1"));
        List<ContainerSpec> last = randomWish(world);
        world.wish(last, true);
        world.run(Duration.ofMinutes(4));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.boxes).hasSameSizeAs(last);
        assertGuestsAreYounger(world, last);
        int steps = world.steps;
        world.wish(last, true);
        world.run(Duration.ofMinutes(3));
        assertThat(world.steps).as(world.report()).isEqualTo(steps);
    }

    /** Whoever joined a namespace was made after its owner, so that the namespace is there. */
    private static void assertGuestsAreYounger(World world, List<ContainerSpec> specs) {
        for (ContainerSpec spec : specs) {
            for (String owner : spec.joined()) {
                assertThat(serial(world, spec.name()))
                        .as(spec.name() + " joined " + owner + "\n" + world.report())
                        .isGreaterThan(serial(world, owner));
            }
        }
    }

    /** Ids of the fake engine count up. */
    private static int serial(World world, String name) {
        return Integer.parseInt(world.id(name).substring(2));
    }

    private static void mischief(World world) {
        String victim = "c" + world.any(7);
        switch (world.any(9)) {
            case 0, 1, 2 -> world.engine.die(victim, world.any(2) * 137);
            case 3 -> world.agentDies();
            case 4 -> world.daemon(false);
            case 5, 6 -> world.daemon(true);
            case 7 ->
                    world.disk(
                            world.any(2) == 0
                                    ? new DiskState.Proven("disk-1")
                                    : new DiskState.Unproven("gone"));
            default -> world.wish(randomWish(world), world.any(5) > 0);
        }
    }

    private static void assertOneOfAKind(World world) {
        assertThat(
                        world.engine.boxes.values().stream()
                                .filter(FakeEngine.Box::runs)
                                .map(b -> b.labels().get(Labels.CONTAINER)))
                .doesNotHaveDuplicates();
    }

    /** A container that fails at once is never started sooner than its back-off demands. */
    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void neverFasterThanTheBackOff(@ForAll long seed) {
        var world = new World(seed);
        world.unrest = world.any(30);
        world.wish(List.of(Specs.named("a").make(), Specs.named("b").after("a").make()), true);
        Instant end = world.now.plusSeconds(300);
        Instant nextDeath = world.now.plusSeconds(100);
        while (world.now.isBefore(end)) {
            world.run(Duration.ofMillis(5 + world.any(20)));
            world.engine.die("a", 1);
            if (world.now.isAfter(nextDeath)) {
                nextDeath = world.now.plusSeconds(60);
                world.agentDies();
            }
        }
        List<FakeEngine.Deed> starts = world.engine.deeds("start", "a");
        for (int i = 2; i < starts.size(); i++) {
            // The i-th start follows i failures; 0.8 for the spread, 100 ms for steps under way.
            long demanded = i >= 9 ? 60_000 : 500L << (i - 2);
            assertThat(Duration.between(starts.get(i - 1).at(), starts.get(i).at()).toMillis())
                    .as("start " + i + " " + starts)
                    .isGreaterThanOrEqualTo(demanded * 8 / 10 - 100);
        }
        assertThat(starts.size()).isLessThan(16);
    }

    /** No container runs on long after a dependency it is to be restarted with has gone. */
    @Property(tries = 300, shrinking = ShrinkingMode.OFF)
    void dependentsDoNotOutliveTheirDependencies(@ForAll long seed) {
        var world = new World(seed);
        world.unrest = world.any(20);
        List<ContainerSpec> specs = randomWish(world);
        world.wish(specs, true);
        world.run(Duration.ofSeconds(10));
        for (int i = 0; i < 10; i++) {
            String victim = "c" + world.any(specs.size());
            world.engine.die(victim, 1);
            if (world.any(4) == 0) {
                world.agentDies();
            }
            world.run(Duration.ofSeconds(20));
            assertDependenciesRun(world, specs);
        }
    }

    private static int lastStart(World world, String name) {
        return world.engine.deeds.lastIndexOf(world.engine.deeds("start", name).getLast());
    }

    private static void assertDependenciesRun(World world, List<ContainerSpec> specs) {
        for (ContainerSpec spec : specs) {
            for (var edge : spec.order().dependsOn()) {
                if (edge.restart() && world.engine.runs(spec.name())) {
                    assertThat(world.engine.runs(edge.container()))
                            .as(
                                    spec.name()
                                            + " runs without "
                                            + edge.container()
                                            + "\n"
                                            + world.report())
                            .isTrue();
                    // By order, not by time: two deeds may share a millisecond.
                    assertThat(lastStart(world, spec.name()))
                            .as(spec.name() + " was started before " + edge.container())
                            .isGreaterThan(lastStart(world, edge.container()));
                }
            }
        }
    }

    /**
     * A clock that is set forward by hours, again and again, stops nothing and starts nothing
     * twice.
     */
    @Property(tries = 100, shrinking = ShrinkingMode.OFF)
    void aClockThatLeapsMovesNothing(@ForAll long seed) {
        var world = new World(seed);
        world.wish(ten("img:1"), true);
        world.run(Duration.ofSeconds(20));
        for (int i = 0; i < 10; i++) {
            world.run(Duration.ofMillis(world.any(3000)));
            world.now = world.now.plusSeconds(world.any(86_400));
            if (world.any(4) == 0) {
                world.agentDies();
            }
        }
        world.run(Duration.ofSeconds(30));
        assertThat(world.allUp()).as(world.report()).isTrue();
        IntStream.range(0, 10)
                .forEach(i -> {
                    assertThat(world.engine.deeds("stop", "c" + i)).isEmpty();
                    assertThat(world.engine.deeds("start", "c" + i)).hasSize(1);
                });
    }

    /** Without its proven disk no container that keeps data is ever started. */
    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void nothingStartsOnAnUnprovenDisk(@ForAll long seed) {
        var world = new World(seed);
        world.unrest = world.any(30);
        world.wish(List.of(Specs.named("db").store().make(), Specs.named("x").make()), true);
        for (int i = 0; i < 20; i++) {
            world.run(Duration.ofMillis(world.any(2000)));
            world.disk(new DiskState.Unproven("gone"));
            int starts = world.engine.deeds("start", "db").size();
            for (int j = 0; j < 4; j++) {
                world.run(Duration.ofSeconds(10));
                switch (world.any(3)) {
                    case 0 -> world.agentDies();
                    case 1 -> world.engine.die("x", 1);
                    default -> {}
                }
            }
            assertThat(world.engine.deeds("start", "db")).hasSize(starts);
            assertThat(world.engine.runs("db")).as(world.report()).isFalse();
            world.disk(new DiskState.Proven("disk-1"));
        }
    }
}
