package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.engine.EngineException;
import dev.berth.model.ContainerOrder.Dependency.Condition;
import dev.berth.model.ContainerSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** How a container comes from one spec to another, in virtual time. */
class SupervisorChangeTest {
    private static final long MIB = 1 << 20;
    private final World world = new World(1);

    private void wish(ContainerSpec... specs) {
        world.wish(List.of(specs), true);
    }

    private void up(ContainerSpec... specs) {
        wish(specs);
        world.run(Duration.ofSeconds(3));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    private void healthy(ContainerSpec spec) {
        wish(spec);
        world.run(Duration.ofSeconds(3));
        world.engine.health(spec.name(), "healthy");
        world.run(Duration.ofSeconds(3));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    private int nth(String what, int n) {
        return world.engine.deeds.indexOf(world.engine.deeds(what, "a").get(n - 1));
    }

    private ContainerStatus status(String name) {
        return new StatusReport(world.reconciler, Map.of(), DaemonState.UP)
                .make().containers().stream()
                        .filter(c -> c.name().equals(name))
                        .findFirst()
                        .orElseThrow();
    }

    private String jobState() {
        return new StatusReport(world.reconciler, Map.of(), DaemonState.UP).make().jobState();
    }

    /** The new container is made while the old one runs, and has the old one's name in the end. */
    @Test
    void theNewOneIsMadeBeforeTheOldOneStops() {
        up(Specs.named("a").make());
        String old = world.id("a");
        up(Specs.named("a").image("img:2").make());
        assertThat(nth("create", 2)).isLessThan(nth("stop", 1));
        assertThat(nth("stop", 1)).isLessThan(nth("start", 2));
        assertThat(nth("start", 2)).isLessThan(nth("remove", 1));
        assertThat(world.id("a")).isNotEqualTo(old);
        assertThat(world.engine.boxes).hasSize(1);
        assertThat(world.memo("a").restarts).isZero();
    }

    /** The old container is kept, stopped, until the new one is healthy. */
    @Test
    void theOldOneStaysUntilTheNewOneIsHealthy() {
        healthy(Specs.named("a").checked().make());
        wish(Specs.named("a").image("img:2").checked().make());
        world.run(Duration.ofSeconds(30));
        assertThat(world.engine.boxes).hasSize(2);
        world.engine.health("a", "healthy");
        world.run(Duration.ofSeconds(3));
        assertThat(world.engine.boxes).hasSize(1);
    }

    /** A new one that never becomes healthy is given up by the old wish: the old one is back. */
    @Test
    void goingBackStartsTheOldContainer() {
        ContainerSpec before = Specs.named("a").checked().make();
        healthy(before);
        String old = world.id("a");
        wish(Specs.named("a").image("img:2").checked().make());
        world.run(Duration.ofMinutes(3));
        assertThat(jobState()).isNotEqualTo("running");
        healthy(before);
        assertThat(world.id("a")).isEqualTo(old);
        assertThat(world.engine.deeds("create", "a")).hasSize(2);
        assertThat(world.engine.boxes).hasSize(1);
        assertThat(status("a").specDigest()).isEqualTo(before.digest());
        assertThat(status("a").restarts()).isZero();
    }

    /** The old one runs on, and it is said why, while the engine refuses to make the new one. */
    @Test
    void aRefusedCreateStopsNothing() {
        ContainerSpec fresh = Specs.named("a").image("img:2").make();
        up(Specs.named("a").make());
        String call = "create a." + fresh.digest().substring(0, 8);
        world.engine.refusals.put(call, new EngineException(400, "no such device"));
        wish(fresh);
        world.run(Duration.ofMinutes(5));
        assertThat(world.engine.deeds("stop", "a")).isEmpty();
        assertThat(jobState()).isEqualTo("failing");
        assertThat(status("a").reason()).contains("no such device");
        world.engine.refusals.clear();
        world.run(Duration.ofMinutes(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(jobState()).isEqualTo("running");
        assertThat(status("a").specDigest()).isEqualTo(fresh.digest());
    }

    /** A container that is down for failing is replaced as well, and keeps nothing behind. */
    @Test
    void aFailingOneIsReplaced() {
        wish(Specs.named("a").make());
        for (int i = 0; i < 100; i++) {
            world.run(Duration.ofMillis(300));
            world.engine.die("a", 1);
        }
        up(Specs.named("a").image("img:2").make());
        assertThat(world.engine.boxes).hasSize(1);
    }

    /** Limits are set on the living container, whose dependents do not move either. */
    @Test
    void newLimitsMoveNothing() {
        ContainerSpec guest = Specs.named("b").needs("a", Condition.STARTED, true, true).make();
        up(Specs.named("a").memory(64 * MIB).make(), guest);
        ContainerSpec wider = Specs.named("a").memory(128 * MIB).make();
        up(wider, guest);
        FakeEngine.Box box = Objects.requireNonNull(world.engine.box("a"));
        assertThat(box.limits())
                .containsEntry("Memory", 128 * MIB)
                .containsEntry("MemorySwap", 256 * MIB);
        assertThat(status("a").specDigest()).isEqualTo(wider.digest());
        world.agentDies();
        world.forgetCounters();
        world.run(Duration.ofSeconds(30));
        for (String name : List.of("a", "b")) {
            assertThat(world.engine.deeds("stop", name)).isEmpty();
            assertThat(world.engine.deeds("start", name)).hasSize(1);
        }
    }

    /** An agent that forgot everything sets the limits once more and moves nothing. */
    @Test
    void limitsOutliveTheMemory() {
        up(Specs.named("a").memory(64 * MIB).make());
        up(Specs.named("a").memory(128 * MIB).make());
        world.forgetCounters();
        world.agentDies();
        world.run(Duration.ofMinutes(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.deeds("create", "a")).hasSize(1);
        assertThat(world.engine.deeds("start", "a")).hasSize(1);
        int steps = world.steps;
        world.run(Duration.ofMinutes(5));
        assertThat(world.steps).isEqualTo(steps);
    }

    /** No engine takes a limit away: that needs a new container. */
    @Test
    void aLimitThatGoesNeedsANewContainer() {
        up(Specs.named("a").memory(64 * MIB).make());
        up(Specs.named("a").make());
        assertThat(world.engine.deeds("create", "a")).hasSize(2);
        assertThat(Objects.requireNonNull(world.engine.box("a")).limits())
                .doesNotContainKey("Memory");
    }

    /** What an engine refuses to set on the living container, a new one is made with. */
    @Test
    void aRefusedUpdateReplaces() {
        up(Specs.named("a").memory(64 * MIB).make());
        world.engine.refusals.put("update", new EngineException(500, "device or resource busy"));
        up(Specs.named("a").memory(32 * MIB).make());
        assertThat(world.engine.deeds("create", "a")).hasSize(2);
    }

    /** Order, restart policy and hooks are the supervisor's own: changing them moves nothing. */
    @Test
    void newRulesMoveNothing() {
        up(Specs.named("a").make(), Specs.named("b").make());
        up(
                Specs.named("a").hooks(null, "drain").retries(3).make(),
                Specs.named("b").after("a").make());
        assertThat(world.engine.deeds("start", "a")).hasSize(1);
        assertThat(world.engine.deeds("start", "b")).hasSize(1);
        String id = world.id("a");
        world.run(Duration.ofSeconds(70));
        world.engine.die("a", 1);
        world.run(Duration.ofSeconds(3));
        assertThat(world.engine.deeds("start", "b")).as("by its new order").hasSize(2);
        up(Specs.named("b").make());
        assertThat(world.engine.execs).isEqualTo(List.of(id + " [drain]"));
    }

    /** An instance that was stopped in the middle of a change comes up with the new spec alone. */
    @Test
    void aStoppedInstanceChangesToo() {
        up(Specs.named("a").make());
        ContainerSpec fresh = Specs.named("a").image("img:2").make();
        wish(fresh);
        world.run(Duration.ofMillis(60));
        world.wish(List.of(fresh), false);
        world.run(Duration.ofSeconds(30));
        assertThat(world.engine.runs("a")).isFalse();
        up(fresh);
        assertThat(world.engine.boxes).hasSize(1);
        assertThat(status("a").specDigest()).isEqualTo(fresh.digest());
    }
}
