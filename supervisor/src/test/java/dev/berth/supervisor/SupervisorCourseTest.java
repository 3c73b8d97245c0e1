package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.engine.EngineException;
import dev.berth.model.ContainerOrder.Dependency.Condition;
import dev.berth.model.ContainerOrder.Restart.Policy;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ProblemException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the supervisor does, case by case, in virtual time. */
class SupervisorCourseTest {
    private final World world = new World(1);

    private static List<ContainerSpec> chain() {
        return List.of(
                Specs.named("web").needs("app", Condition.HEALTHY, true, true).make(),
                Specs.named("app").checked().needs("db", Condition.HEALTHY, true, true).make(),
                Specs.named("db").checked().make(),
                Specs.named("log").make());
    }

    private void chainUp() {
        world.wish(chain(), true);
        world.run(Duration.ofSeconds(1));
        world.engine.health("db", "healthy");
        world.run(Duration.ofSeconds(1));
        world.engine.health("app", "healthy");
        world.run(Duration.ofSeconds(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    private Instant last(String what, String name) {
        return world.engine.deeds(what, name).getLast().at();
    }

    /** Everything is started in the order of its conditions, and then there is quiet. */
    @Test
    void startsInOrderOfConditions() {
        chainUp();
        assertThat(last("start", "db")).isBefore(last("start", "app"));
        assertThat(last("start", "app")).isBefore(last("start", "web"));
        int steps = world.steps;
        world.run(Duration.ofMinutes(10));
        assertThat(world.steps).isEqualTo(steps);
    }

    /** An edge that is not met is said, by name and condition. */
    @Test
    void waitingNamesWhatIsMissing() {
        world.wish(chain(), true);
        world.run(Duration.ofSeconds(1));
        assertThat(world.state("web")).isEqualTo(ContainerState.WAITING);
        assertThat(world.memo("web").reason).contains("app (healthy)");
    }

    /** A killed container is back at once, reused; its dependents follow in order; others stay. */
    @Test
    void aKilledDependencyTakesItsDependentsAlong() {
        chainUp();
        Instant killed = world.now;
        world.engine.die("db", 137);
        world.run(Duration.ofSeconds(1));
        assertThat(Duration.between(killed, last("start", "db")))
                .isLessThan(Duration.ofMillis(150));
        assertThat(world.engine.deeds("create", "db")).hasSize(1);
        assertThat(last("stop", "web")).isBefore(last("stop", "app"));
        world.engine.health("db", "healthy");
        world.run(Duration.ofSeconds(1));
        world.engine.health("app", "healthy");
        world.run(Duration.ofSeconds(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(last("start", "db")).isBefore(last("start", "app"));
        assertThat(last("start", "app")).isBefore(last("start", "web"));
        assertThat(world.engine.deeds("start", "log")).hasSize(1);
        assertThat(world.memo("db").lastExit).isNotNull();
        assertThat(world.memo("db").restarts).isEqualTo(1);
    }

    /** A dependency that crashes for ten minutes restarts its dependents once, when it returns. */
    @Test
    void aCrashingDependencyRestartsItsDependentsOnce() {
        chainUp();
        for (int second = 0; second < 600; second++) {
            world.engine.die("db", 1);
            world.run(Duration.ofSeconds(1));
        }
        assertThat(world.engine.deeds("start", "app")).hasSize(1);
        assertThat(world.engine.deeds("start", "db").size()).isLessThan(22);
        while (!world.engine.runs("db")) {
            world.run(Duration.ofMillis(100));
        }
        world.engine.health("db", "healthy");
        world.run(Duration.ofSeconds(2));
        assertThat(world.engine.deeds("start", "app")).hasSize(2);
    }

    /** Failures slow down to one try a minute and are forgotten after a good minute. */
    @Test
    void backsOffAndForgets() {
        world.wish(List.of(Specs.named("a").make()), true);
        world.run(Duration.ofSeconds(2));
        List<Duration> gaps = new ArrayList<>();
        Instant before = last("start", "a");
        for (int i = 0; i < 11; i++) {
            int starts = world.engine.deeds("start", "a").size();
            world.engine.die("a", 1);
            while (world.engine.deeds("start", "a").size() == starts) {
                world.run(Duration.ofMillis(10));
            }
            gaps.add(Duration.between(before, last("start", "a")));
            before = last("start", "a");
        }
        assertThat(gaps.getFirst()).isLessThan(Duration.ofSeconds(3));
        assertThat(gaps.get(4)).isBetween(Duration.ofMillis(3200), Duration.ofMillis(5200));
        assertThat(gaps.get(10)).isBetween(Duration.ofSeconds(48), Duration.ofSeconds(73));
        world.run(Duration.ofMinutes(3));
        assertThat(world.memo("a").reason).isEmpty();
        assertThat(world.memo("a").failures).isZero();
    }

    /** One of ten changes: it and its dependents move, the nine others are not touched. */
    @Test
    void changingOneMovesOne() {
        List<ContainerSpec> ten = ten("img:1");
        world.wish(ten, true);
        world.run(Duration.ofSeconds(5));
        int steps = world.steps;
        world.wish(ten("img:1"), true);
        world.run(Duration.ofSeconds(30));
        assertThat(world.steps).as("the same wish again").isEqualTo(steps);
        world.wish(ten("img:2"), true);
        world.run(Duration.ofSeconds(5));
        assertThat(world.allUp()).as(world.report()).isTrue();
        for (ContainerSpec spec : ten) {
            boolean moves = spec.name().equals("c3") || spec.name().equals("c4");
            assertThat(world.engine.deeds("start", spec.name())).hasSize(moves ? 2 : 1);
        }
        assertThat(world.engine.deeds("create", "c4")).as("a dependent is reused").hasSize(1);
        assertThat(last("stop", "c4")).isBefore(last("stop", "c3"));
    }

    private static List<ContainerSpec> ten(String imageOfThird) {
        return IntStream.range(0, 10)
                .mapToObj(i -> {
                    Specs spec = Specs.named("c" + i).image(i == 3 ? imageOfThird : "img:1");
                    return i == 4 ? spec.after("c3").make() : spec.make();
                })
                .toList();
    }

    /** The old container runs on while the image of the new one cannot be had. */
    @Test
    void aMissingImageStopsNothing() {
        world.wish(List.of(Specs.named("a").make()), true);
        world.run(Duration.ofSeconds(2));
        world.wish(List.of(Specs.named("a").image("img:9").make()), true);
        world.run(Duration.ofMinutes(5));
        assertThat(world.engine.runs("a")).isTrue();
        assertThat(world.engine.deeds("stop", "a")).isEmpty();
        world.engine.registry.add("img:9");
        world.run(Duration.ofMinutes(2));
        assertThat(world.engine.deeds("create", "a")).hasSize(2);
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    /** What cannot be pulled is tried each minute and says what the registry said. */
    @Test
    void aMissingImageBlocks() {
        world.wish(List.of(Specs.named("a").image("img:9").make()), true);
        world.run(Duration.ofSeconds(2));
        assertThat(world.state("a")).isEqualTo(ContainerState.BLOCKED);
        assertThat(world.memo("a").reason).contains("img:9").contains("not found");
    }

    /** Each container waits for the disks that it has volumes on, and for no other. */
    @Test
    void onlyTheDisksOfAContainerDecideOverIt() {
        world.wish(
                List.of(
                        Specs.named("db").store().make(),
                        Specs.named("log").disk("logs").make(),
                        Specs.named("web").make()),
                true);
        world.run(Duration.ofMinutes(3));
        assertThat(world.engine.runs("db")).isTrue();
        assertThat(world.engine.runs("web")).isTrue();
        assertThat(world.engine.runs("log")).isFalse();
        assertThat(world.memo("log").reason)
                .isEqualTo("its disk 'logs' is not proven: no persistent disk 'logs' is mounted");
        world.disk("logs", new DiskState.Proven("disk-2"));
        world.run(Duration.ofSeconds(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
        world.disk(new DiskState.Unproven("it is read-only"));
        world.run(Duration.ofSeconds(1));
        assertThat(world.engine.runs("db")).isFalse();
        assertThat(world.engine.deeds("stop", "log")).isEmpty();
        world.disk("logs", new DiskState.Unproven("it is gone"));
        world.run(Duration.ofSeconds(1));
        assertThat(world.engine.runs("log")).isFalse();
        assertThat(world.engine.deeds("stop", "web")).isEmpty();
    }

    /** Without its proven disk nothing with data starts; with it lost, such containers stop. */
    @Test
    void theDiskDecidesOverItsUsers() {
        world.disk(new DiskState.Unproven("expected disk-1, found disk-2"));
        world.wish(List.of(Specs.named("db").store().make(), Specs.named("web").make()), true);
        world.run(Duration.ofMinutes(3));
        assertThat(world.engine.runs("db")).isFalse();
        assertThat(world.engine.runs("web")).isTrue();
        assertThat(world.state("db")).isEqualTo(ContainerState.BLOCKED);
        assertThat(world.memo("db").reason).contains("expected disk-1, found disk-2");
        world.disk(new DiskState.Proven("disk-1"));
        world.run(Duration.ofSeconds(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
        world.disk(new DiskState.Unproven("it is read-only"));
        world.run(Duration.ofSeconds(1));
        assertThat(world.engine.runs("db")).isFalse();
        assertThat(world.engine.deeds("stop", "web")).isEmpty();
    }

    /** A daemon that dies and returns finds everything as it left it, health checks included. */
    @Test
    void aDaemonThatReturnsMovesNothing() {
        chainUp();
        int steps = world.steps;
        world.daemon(false);
        world.run(Duration.ofMinutes(5));
        world.daemon(true);
        world.run(Duration.ofSeconds(20));
        assertThat(world.steps).isEqualTo(steps);
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    /** What died while the daemon was away is started when it is back, not before. */
    @Test
    void aDeathWithoutADaemonIsMendedAfterwards() {
        chainUp();
        world.daemon(false);
        world.engine.die("log", 1);
        int steps = world.steps;
        world.run(Duration.ofMinutes(2));
        assertThat(world.steps).isEqualTo(steps);
        world.daemon(true);
        world.run(Duration.ofSeconds(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.deeds("start", "db")).hasSize(1);
    }

    /** An agent that comes back, even without its counters, touches nothing. */
    @Test
    void aNewAgentTakesOver() {
        chainUp();
        int steps = world.steps;
        world.agentDies();
        world.run(Duration.ofSeconds(30));
        world.forgetCounters();
        world.agentDies();
        world.run(Duration.ofSeconds(30));
        assertThat(world.steps).isEqualTo(steps);
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    /** After a boot containers are reused and started in order; one-shots that are done stay so. */
    @Test
    void aBootStartsEverythingInOrder() {
        var specs = new ArrayList<>(chain());
        specs.add(Specs.named("init").restart(Policy.NO).make());
        world.wish(specs, true);
        world.run(Duration.ofSeconds(1));
        world.engine.health("db", "healthy");
        world.engine.die("init", 0);
        world.run(Duration.ofSeconds(1));
        world.engine.health("app", "healthy");
        world.run(Duration.ofSeconds(1));
        world.reboot();
        world.run(Duration.ofSeconds(1));
        world.engine.health("db", "healthy");
        world.run(Duration.ofSeconds(1));
        world.engine.health("app", "healthy");
        world.run(Duration.ofSeconds(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.deeds("start", "init")).hasSize(1);
        assertThat(world.engine.deeds("create", "db")).hasSize(1);
        assertThat(world.memo("db").failures).isZero();
    }

    /** A one-shot runs once; who waits for its completion starts after; a failure is final. */
    @Test
    void oneShots() {
        world.wish(
                List.of(
                        Specs.named("app").needs("migrate", Condition.COMPLETED, true, true).make(),
                        Specs.named("migrate").restart(Policy.NO).make(),
                        Specs.named("bad").restart(Policy.NO).make()),
                true);
        world.run(Duration.ofSeconds(1));
        assertThat(world.engine.runs("app")).isFalse();
        world.engine.die("migrate", 0);
        world.engine.die("bad", 3);
        world.run(Duration.ofMinutes(5));
        assertThat(world.engine.runs("app")).isTrue();
        assertThat(world.state("migrate")).isEqualTo(ContainerState.DONE);
        assertThat(world.engine.deeds("start", "migrate")).hasSize(1);
        assertThat(world.state("bad")).isEqualTo(ContainerState.STOPPED);
        assertThat(world.memo("bad").reason).contains("code 3");
        assertThat(world.engine.deeds("start", "bad")).hasSize(1);
    }

    /** 'on-failure' with a count: so many retries and no more. */
    @Test
    void retriesAreCounted() {
        world.wish(List.of(Specs.named("job").retries(3).make()), true);
        for (int i = 0; i < 60; i++) {
            world.run(Duration.ofSeconds(1));
            world.engine.die("job", 1);
        }
        assertThat(world.engine.deeds("start", "job")).hasSize(4);
        assertThat(world.memo("job").reason).contains("3 retries are used up");
    }

    /** A changed one-shot runs again, and its dependents are down meanwhile. */
    @Test
    void aChangedOneShotRunsAgain() {
        world.wish(migration("img:1"), true);
        world.run(Duration.ofSeconds(1));
        world.engine.die("migrate", 0);
        world.run(Duration.ofSeconds(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
        world.wish(migration("img:2"), true);
        world.run(Duration.ofSeconds(1));
        assertThat(world.engine.runs("migrate")).isTrue();
        assertThat(world.engine.runs("app")).isFalse();
        assertThat(last("stop", "app")).isBefore(last("start", "migrate"));
        world.engine.die("migrate", 0);
        world.run(Duration.ofSeconds(1));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    private static List<ContainerSpec> migration(String image) {
        return List.of(
                Specs.named("app").needs("migrate", Condition.COMPLETED, true, true).make(),
                Specs.named("migrate").image(image).restart(Policy.NO).make());
    }

    /** Stopping goes from dependents to what they depend on; starting again reuses everything. */
    @Test
    void stopsInReverse() {
        chainUp();
        world.wish(chain(), false);
        world.run(Duration.ofSeconds(5));
        assertThat(last("stop", "web")).isBefore(last("stop", "app"));
        assertThat(last("stop", "app")).isBefore(last("stop", "db"));
        assertThat(world.engine.boxes.values()).noneMatch(FakeEngine.Box::runs);
        world.wish(chain(), true);
        world.run(Duration.ofSeconds(1));
        assertThat(world.engine.runs("db")).isTrue();
        assertThat(world.engine.deeds("create", "db")).hasSize(1);
        assertThat(world.memo("db").failures).isZero();
    }

    /** What is wished no more is stopped and removed; containers without our label are let be. */
    @Test
    void removesWhatIsNotWished() {
        world.wish(List.of(Specs.named("a").make(), Specs.named("b").make()), true);
        world.run(Duration.ofSeconds(2));
        String foreign = world.engine.createContainer("other", java.util.Map.of("Image", "img:1"));
        world.engine.startContainer(foreign);
        world.wish(List.of(Specs.named("a").make()), true);
        world.run(Duration.ofSeconds(2));
        assertThat(world.engine.box("b")).isNull();
        assertThat(world.engine.runs("a")).isTrue();
        assertThat(world.engine.runs("other")).isTrue();
        assertThat(world.reconciler.memos()).containsOnlyKeys("a");
    }

    /** A name held by a container that is not ours is a reason, not a victim. */
    @Test
    void aForeignHolderOfTheNameBlocks() {
        world.engine.createContainer("a", java.util.Map.of("Image", "img:1"));
        world.wish(List.of(Specs.named("a").make()), true);
        world.run(Duration.ofSeconds(2));
        assertThat(world.state("a")).isEqualTo(ContainerState.BLOCKED);
        assertThat(world.memo("a").reason).contains("held by container id1");
    }

    /** An unhealthy container is restarted after three intervals; its dependents wait meanwhile. */
    @Test
    void anUnhealthyContainerIsRestarted() {
        chainUp();
        world.engine.health("db", "unhealthy");
        world.run(Duration.ofSeconds(10));
        assertThat(world.state("db")).isEqualTo(ContainerState.UNREADY);
        assertThat(world.engine.runs("app")).isFalse();
        assertThat(world.engine.deeds("start", "db")).hasSize(1);
        world.run(Duration.ofSeconds(7));
        assertThat(world.engine.deeds("start", "db")).hasSize(2);
        assertThat(world.memo("db").failures).isEqualTo(1);
    }

    /** Edges with restart: false leave their dependents up. */
    @Test
    void edgesWithoutRestartLeaveDependentsUp() {
        world.wish(
                List.of(
                        Specs.named("db").make(),
                        Specs.named("ui").needs("db", Condition.STARTED, false, true).make()),
                true);
        world.run(Duration.ofSeconds(2));
        world.engine.die("db", 1);
        world.run(Duration.ofSeconds(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
        assertThat(world.engine.deeds("start", "ui")).hasSize(1);
    }

    /** An operator's restart takes dependents along; an operator's stop holds until the start. */
    @Test
    void operatorsAreObeyed() {
        world.wish(List.of(Specs.named("db").make(), Specs.named("app").after("db").make()), true);
        world.run(Duration.ofSeconds(2));
        world.reconciler.operatorRestart("db");
        world.soon();
        world.run(Duration.ofSeconds(2));
        assertThat(world.engine.deeds("start", "db")).hasSize(2);
        assertThat(world.engine.deeds("start", "app")).hasSize(2);
        world.reconciler.operatorStop("app");
        world.soon();
        world.run(Duration.ofMinutes(2));
        world.agentDies();
        world.run(Duration.ofMinutes(2));
        assertThat(world.engine.runs("app")).isFalse();
        assertThat(world.engine.runs("db")).isTrue();
        world.reconciler.operatorStart("app");
        world.soon();
        world.run(Duration.ofSeconds(2));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    /** What a person stopped, with all that depends on it, makes the instance no worse. */
    @Test
    void whatAPersonStoppedIsNoTrouble() {
        world.wish(
                List.of(
                        Specs.named("db").make(),
                        Specs.named("app").after("db").make(),
                        Specs.named("web").after("app").make(),
                        Specs.named("cron").make()),
                true);
        world.run(Duration.ofSeconds(2));
        world.reconciler.operatorStop("db");
        world.soon();
        world.run(Duration.ofMinutes(1));
        assertThat(world.engine.runs("web")).isFalse();
        assertThat(world.engine.runs("cron")).isTrue();
        SupervisorStatus status =
                new StatusReport(world.reconciler, java.util.Map.of(), DaemonState.UP).make();
        assertThat(status.jobState()).isEqualTo("running");
        assertThat(status.containers().getFirst().state()).isEqualTo("stopped");
        assertThat(status.containers().getFirst().reason()).isEqualTo("stopped by an operator");
    }

    /**
     * A start that the engine refuses is tried again, slower and slower, with the engine's words.
     */
    @Test
    void aRefusedStartBacksOff() {
        world.engine.refusals.put("start a", new EngineException(500, "port is already allocated"));
        world.wish(List.of(Specs.named("a").make()), true);
        world.run(Duration.ofSeconds(20));
        assertThat(world.memo("a").failures).isBetween(4, 8);
        assertThat(world.memo("a").reason).contains("port is already allocated");
        world.engine.refusals.clear();
        world.run(Duration.ofSeconds(40));
        assertThat(world.allUp()).as(world.report()).isTrue();
    }

    /** A circle is refused with its path, and the old wish stays. */
    @Test
    void circlesAreRefused() {
        assertThatThrownBy(() ->
                        Wish.of(
                                List.of(
                                        Specs.named("a").after("b").make(),
                                        Specs.named("b").link("c", "x").make(),
                                        Specs.named("c").after("a").make()),
                                true))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("a -> b -> c -> a");
    }

    /** A look at fifty containers takes a few milliseconds of our own, warm code assumed. */
    @Test
    void aLookIsCheap() {
        List<ContainerSpec> fifty =
                IntStream.range(0, 50)
                        .mapToObj(i -> {
                            Specs spec = Specs.named("c" + i).env("A", "b".repeat(200));
                            return i > 0 ? spec.after("c" + (i / 2)).make() : spec.make();
                        })
                        .toList();
        world.wish(fifty, true);
        world.run(Duration.ofSeconds(20));
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 200; i++) {
            long begin = System.nanoTime();
            List<Observed> list =
                    EngineList.read(
                            world.engine.listContainers(
                                    java.util.Map.of(Labels.INSTANCE, "i1"),
                                    Duration.ofSeconds(5)));
            world.reconciler.listed(world.reconciler.listBegins(), list, world.now);
            world.reconciler.turn(world.now);
            MemoryText.ofMemos("b", world.reconciler.memos());
            best = Math.min(best, System.nanoTime() - begin);
        }
        assertThat(Duration.ofNanos(best)).isLessThan(Duration.ofMillis(10));
    }
}
