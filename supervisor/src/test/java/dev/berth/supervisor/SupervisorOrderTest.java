package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.ContainerOrder.Dependency.Condition;
import dev.berth.model.ContainerOrder.Restart;
import dev.berth.model.ContainerOrder.Restart.Policy;
import dev.berth.model.ContainerSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Joined namespaces, hooks and restart policies, in virtual time. */
class SupervisorOrderTest {
    private final World world = new World(1);

    private static ContainerSpec owner(String image) {
        return Specs.named("vpn").image(image).make();
    }

    private static ContainerSpec guest() {
        return Specs.named("app").joinsNetworkOf("vpn").make();
    }

    private void up(ContainerSpec... specs) {
        world.wish(List.of(specs), true);
        world.run(Duration.ofSeconds(3));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    private Instant last(String what, String name) {
        return world.engine.deeds(what, name).getLast().at();
    }

    /** Whoever shares a namespace starts after its owner without saying so. */
    @Test
    void aSharedNamespaceIsADependency() {
        up(guest(), owner("img:1"));
        assertThat(last("start", "vpn")).isBefore(last("create", "app"));
    }

    /**
     * The owner ends and comes back as the same container: its guest is restarted, not made anew.
     */
    @Test
    void aRestartedOwnerRestartsItsGuest() {
        up(guest(), owner("img:1"));
        world.engine.die("vpn", 1);
        world.run(Duration.ofSeconds(3));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.deeds("start", "app")).hasSize(2);
        assertThat(world.engine.deeds("create", "app")).hasSize(1);
    }

    /** A dependent follows the first restart at once; after that only one that lasts. */
    @Test
    void aCrashLoopDoesNotBounceItsDependents() {
        up(Specs.named("db").make(), Specs.named("app").after("db").make());
        Instant end = world.now.plusSeconds(60);
        while (world.now.isBefore(end)) {
            world.run(Duration.ofMillis(300));
            world.engine.die("db", 3);
        }
        assertThat(world.engine.deeds("start", "db").size()).isGreaterThan(6);
        assertThat(world.engine.deeds("start", "app")).hasSizeLessThanOrEqualTo(2);
        int before = world.engine.deeds("start", "app").size();
        world.run(Duration.ofMinutes(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.deeds("start", "app")).hasSize(before + 1);
    }

    /** The owner is made anew: so is its guest, whose namespace has gone. */
    @Test
    void aReplacedOwnerReplacesItsGuest() {
        up(guest(), owner("img:1"));
        up(guest(), owner("img:2"));
        assertThat(world.engine.deeds("create", "vpn")).hasSize(2);
        assertThat(world.engine.deeds("create", "app")).hasSize(2);
        assertThat(last("start", "vpn")).isBefore(last("create", "app"));
        int steps = world.steps;
        world.run(Duration.ofMinutes(5));
        assertThat(world.steps).isEqualTo(steps);
    }

    /** No edge of a guest can say that it stays when its owner goes. */
    @Test
    void aSharedNamespaceOverridesRestartFalse() {
        ContainerSpec stubborn =
                Specs.named("app")
                        .joinsNetworkOf("vpn")
                        .needs("vpn", Condition.STARTED, false, false)
                        .make();
        up(stubborn, owner("img:1"));
        world.engine.die("vpn", 1);
        world.run(Duration.ofSeconds(3));
        assertThat(world.engine.deeds("start", "app")).hasSize(2);
    }

    /** Hooks run in the container that has them, after its start and before its end. */
    @Test
    void hooksRun() {
        up(Specs.named("app").hooks("warm-up", "drain").make());
        String id = world.id("app");
        assertThat(world.engine.execs).isEqualTo(List.of(id + " [warm-up]"));
        // the hook of the container that runs, not that of its new spec
        up(Specs.named("app").image("img:2").hooks(null, "other").make());
        assertThat(world.engine.execs).isEqualTo(List.of(id + " [warm-up]", id + " [drain]"));
    }

    /** A start whose hook fails is a failed start: the container is stopped and tried again. */
    @Test
    void aFailedHookIsAFailedStart() {
        world.wish(List.of(Specs.named("app").hooks("false", null).make()), true);
        world.run(Duration.ofSeconds(20));
        assertThat(world.engine.runs("app")).isFalse();
        assertThat(world.memo("app").failures).isGreaterThan(2);
        assertThat(world.memo("app").reason).contains("post_start: hook 1 of 1 ended with 1");
        assertThat(world.engine.deeds("start", "app").size()).isLessThan(9);
    }

    /** A policy's delay is the least there is; what it counts is forgotten after its window. */
    @Test
    void aPolicyRefinesTheBackOff() {
        var policy = new Restart(Policy.ALWAYS, 0, Duration.ofSeconds(5), Duration.ofSeconds(10));
        up(Specs.named("app").retry(policy).make());
        Instant killed = world.now;
        world.engine.die("app", 1);
        world.run(Duration.ofSeconds(4));
        assertThat(world.engine.runs("app")).isFalse();
        world.run(Duration.ofSeconds(2));
        assertThat(Duration.between(killed, last("start", "app")))
                .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(6));
        assertThat(world.memo("app").failures).isEqualTo(1);
        world.run(Duration.ofSeconds(12));
        assertThat(world.memo("app").failures).isZero();
    }

    /** Attempts are bounded for any policy that says so. */
    @Test
    void attemptsAreCounted() {
        up(Specs.named("app").retry(new Restart(Policy.ALWAYS, 2)).make());
        for (int i = 0; i < 3; i++) {
            world.engine.die("app", 1);
            world.run(Duration.ofSeconds(3));
        }
        assertThat(world.state("app")).isEqualTo(ContainerState.STOPPED);
        assertThat(world.memo("app").reason).contains("its 2 retries are used up");
        assertThat(world.engine.deeds("start", "app")).hasSize(3);
    }

    /**
     * What has done its work stays done: across an agent's restart, a boot and its own dependents.
     */
    @Test
    void aOneShotIsNotStartedAgain() {
        world.wish(
                List.of(
                        Specs.named("init").restart(Policy.NO).make(),
                        Specs.named("app").needs("init", Condition.COMPLETED, true, true).make()),
                true);
        world.run(Duration.ofSeconds(1));
        world.engine.die("init", 0);
        world.run(Duration.ofSeconds(2));
        assertThat(world.state("init")).isEqualTo(ContainerState.DONE);
        assertThat(world.state("app")).isEqualTo(ContainerState.UP);
        world.engine.die("app", 1);
        world.run(Duration.ofMinutes(2));
        assertThat(world.engine.deeds("start", "init")).hasSize(1);
        assertThat(world.state("app")).isEqualTo(ContainerState.UP);
    }
}
