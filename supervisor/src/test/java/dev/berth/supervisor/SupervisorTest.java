package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Clock;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ProblemException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The threads around the decisions, on a fake engine and the machine's clock. */
class SupervisorTest {
    private final FakeEngine engine = new FakeEngine(Instant::now);
    private final SupervisorMemory memory = SupervisorMemory.volatileOne();
    private final List<Supervisor> opened = new ArrayList<>();

    private Supervisor open() {
        var supervisor =
                new Supervisor(
                        engine,
                        World.CONFIG,
                        Clock.SYSTEM,
                        () -> new DiskState.Proven("d"),
                        RegistryAuths.none(),
                        memory);
        opened.add(supervisor);
        supervisor.open();
        supervisor.daemon(DaemonState.RECONCILE);
        return supervisor;
    }

    @AfterEach
    void close() {
        opened.forEach(Supervisor::close);
    }

    static void await(BooleanSupplier condition) throws InterruptedException {
        Instant limit = Instant.now().plusSeconds(10);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("in time").isBefore(limit);
            Thread.sleep(5);
        }
    }

    private static List<ContainerSpec> two() {
        return List.of(Specs.named("db").make(), Specs.named("app").after("db").make());
    }

    /** From wish to running; killed and back, with exit and last lines kept; stopped in order. */
    @Test
    void theWholeLife() throws InterruptedException {
        engine.registry.add("img:1");
        Supervisor s = open();
        List<StateChange> changes = new CopyOnWriteArrayList<>();
        s.addListener(changes::add);
        s.prepare(two());
        s.wish(two());
        assertThat(s.status().jobState()).isIn("stopped", "unknown");
        s.start();
        await(() -> s.status().jobState().equals("running"));
        assertThat(s.reconciled()).isTrue();
        engine.die("db", 9);
        await(() ->
                engine.deeds("start", "db").size() == 2
                        && engine.deeds("start", "app").size() == 2
                        && s.status().jobState().equals("running"));
        await(() -> !s.status().containers().getFirst().lastLog().isEmpty());
        ContainerStatus db = s.status().containers().getFirst();
        assertThat(db.lastExitCode()).isEqualTo(9);
        assertThat(db.restarts()).isEqualTo(1);
        assertThat(db.startedAtMillis()).isPositive();
        assertThat(db.specDigest()).isEqualTo(two().getFirst().digest());
        assertThat(changes)
                .anyMatch(c ->
                        c.container().equals("db") && c.severity() == StateChange.Severity.WARNING);
        assertThat(s.stop(Duration.ofSeconds(5))).isEmpty();
        assertThat(s.status().jobState()).isEqualTo("stopped");
    }

    /** A failed preparation names container, image and the registry's words; nothing is touched. */
    @Test
    void preparationNamesWhatFails() {
        Supervisor s = open();
        assertThatThrownBy(() -> s.prepare(List.of(Specs.named("web").image("no/such:1").make())))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("container web")
                .hasMessageContaining("no/such:1")
                .hasMessageContaining("not found");
        assertThat(engine.deeds).isEmpty();
    }

    /** Closing stops nothing; the next supervisor takes over what its memory and the engine say. */
    @Test
    void theNextOneTakesOver() throws InterruptedException {
        engine.images.add("img:1");
        Supervisor first = open();
        first.wish(two());
        first.start();
        await(() -> first.status().jobState().equals("running"));
        first.close();
        int deeds = engine.deeds.size();
        Supervisor second = open();
        await(() -> second.status().jobState().equals("running"));
        assertThat(engine.deeds).hasSize(deeds);
        assertThat(engine.runs("app")).isTrue();
    }

    /** While the daemon is away nothing is done, and the status says why. */
    @Test
    void withoutADaemonNothingIsDone() throws InterruptedException {
        engine.images.add("img:1");
        Supervisor s = open();
        s.wish(two());
        s.start();
        await(() -> s.status().jobState().equals("running"));
        s.daemon(DaemonState.HUNG);
        engine.daemon(false);
        engine.die("db", 1);
        assertThat(s.status().containers().getFirst().reason()).contains("hung");
        engine.daemon(true);
        s.daemon(DaemonState.RECONCILE);
        await(() -> engine.deeds("start", "db").size() == 2);
    }

    /** A proof that fails once is asked again before a database is stopped for it. */
    @Test
    void oneFailedProofStopsNothing() throws InterruptedException {
        engine.images.add("img:1");
        var answers = new java.util.concurrent.atomic.AtomicInteger();
        var config =
                new SupervisorConfig(
                        "i1",
                        "boot-1",
                        World.CONFIG.store(),
                        World.CONFIG.data(),
                        "berth",
                        Duration.ofMillis(50));
        var badOnes = new java.util.concurrent.atomic.AtomicInteger();
        var s =
                new Supervisor(
                        engine,
                        config,
                        Clock.SYSTEM,
                        () -> {
                            boolean bad = badOnes.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
                            answers.incrementAndGet();
                            return bad
                                    ? new DiskState.Unproven("a read failed")
                                    : new DiskState.Proven("d");
                        },
                        RegistryAuths.none(),
                        memory);
        opened.add(s);
        s.open();
        s.daemon(DaemonState.UP);
        s.wish(List.of(Specs.named("db").store().make()));
        s.start();
        await(() -> s.status().jobState().equals("running"));
        badOnes.set(1);
        int asked = answers.get();
        await(() -> answers.get() > asked + 3);
        assertThat(engine.deeds("stop", "db")).isEmpty();
        badOnes.set(1000);
        await(() -> !engine.runs("db"));
        assertThat(s.status().containers().getFirst().reason()).contains("a read failed");
    }
}
