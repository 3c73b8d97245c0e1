package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.ContainerSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Agent and daemon die at every step of a change of one container in ten, one after the other. */
class SupervisorCrashPointsTest {
    private static final long MIB = 1 << 20;

    /** What dies, and when. */
    enum Death {
        AGENT_BEFORE,
        AGENT_AFTER,
        AGENT_AFTER_WITHOUT_MEMORY,
        DAEMON_BEFORE,
        DAEMON_AFTER
    }

    /** The third changes; the fourth needs it. */
    private static List<ContainerSpec> ten(String image, long memory) {
        List<ContainerSpec> specs = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Specs spec = Specs.named("c" + i).memory(64 * MIB);
            if (i == 3) {
                spec.image(image).memory(memory);
            }
            if (i == 4) {
                spec.after("c3");
            }
            specs.add(spec.make());
        }
        return specs;
    }

    private static World before() {
        var world = new World(1);
        world.wish(ten("img:1", 64 * MIB), true);
        world.run(Duration.ofSeconds(20));
        assertThat(world.allUp()).as(world.report()).isTrue();
        return world;
    }

    /** Returns whether there was such a step. */
    private static boolean dieAt(World world, int step, Death death) {
        int[] count = {0};
        world.aroundStep =
                after -> {
                    boolean now =
                            after == (death != Death.AGENT_BEFORE && death != Death.DAEMON_BEFORE);
                    if (now && ++count[0] == step) {
                        kill(world, death);
                    }
                };
        world.run(Duration.ofMinutes(3));
        world.aroundStep = after -> {};
        return count[0] >= step;
    }

    private static void kill(World world, Death death) {
        switch (death) {
            case AGENT_BEFORE, AGENT_AFTER -> world.agentDies();
            case AGENT_AFTER_WITHOUT_MEMORY -> {
                world.forgetCounters();
                world.agentDies();
            }
            case DAEMON_BEFORE, DAEMON_AFTER -> {
                world.daemon(false);
                world.at(Duration.ofSeconds(2), () -> world.daemon(true));
            }
        }
    }

    /** Those that did not change are never stopped, and the change comes to its end. */
    @ParameterizedTest
    @EnumSource
    void theOthersNeverStop(Death death) {
        int points = 0;
        for (boolean there = true; there; ) {
            World world = before();
            world.wish(ten("img:2", 64 * MIB), true);
            there = dieAt(world, points + 1, death);
            points += there ? 1 : 0;
            assertThat(world.allUp()).as(points + "\n" + world.report()).isTrue();
            for (int i : IntStream.range(0, 10).filter(i -> i != 3 && i != 4).toArray()) {
                assertThat(world.engine.deeds("stop", "c" + i)).isEmpty();
                assertThat(world.engine.deeds("start", "c" + i)).hasSize(1);
            }
            assertThat(world.engine.deeds("create", "c3")).as("at " + points).hasSize(2);
            assertThat(world.engine.deeds("create", "c4")).hasSize(1);
            assertThat(world.engine.boxes).hasSize(10);
        }
        // made, two stopped, two started, one removed
        assertThat(points).isGreaterThanOrEqualTo(6);
    }

    /** New limits stop none of the ten. */
    @ParameterizedTest
    @EnumSource
    void newLimitsStopNone(Death death) {
        int points = 0;
        for (boolean there = true; there; ) {
            World world = before();
            world.wish(ten("img:1", 128 * MIB), true);
            there = dieAt(world, points + 1, death);
            points += there ? 1 : 0;
            assertThat(world.allUp()).as(points + "\n" + world.report()).isTrue();
            IntStream.range(0, 10)
                    .forEach(i -> assertThat(world.engine.deeds("stop", "c" + i)).isEmpty());
            FakeEngine.Box box = java.util.Objects.requireNonNull(world.engine.box("c3"));
            assertThat(box.limits()).containsEntry("Memory", 128 * MIB);
        }
        assertThat(points).isPositive();
    }
}
