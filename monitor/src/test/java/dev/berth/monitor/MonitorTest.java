package dev.berth.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the monitor carries in and out. */
class MonitorTest {
    private static final InstanceId DB = new InstanceId("i1");
    private static final AgentId AGENT = new AgentId("agent1");
    private static final VmCid VM = new VmCid("vm1");

    private final ByHand clock = new ByHand();
    private final ArrayDeque<Runnable> work = new ArrayDeque<>();
    private final Map<VmCid, Evidence> cloud = new HashMap<>();
    private final List<String> repaired = new ArrayList<>();
    private final Sink alerts = new Sink();
    private final Monitor monitor =
            new Monitor(
                    JudgeSettings.DEFAULT,
                    clock,
                    work::add,
                    (agent, vm) -> {
                        Evidence evidence = cloud.get(vm);
                        if (evidence == null) {
                            throw new IllegalStateException("the cloud is away");
                        }
                        return EvidencePort.Answer.of(evidence);
                    },
                    (deployment, instances, reason) -> {
                        repaired.add(deployment + " " + instances + " " + reason);
                        return new RepairPort.Ended(true, "task 9 done");
                    },
                    alerts);

    @Test
    void aKilledVmIsAskedAboutToldAndRepaired() {
        known();
        cloud.put(VM, Evidence.GONE);
        monitor.disconnected(AGENT);
        assertThat(monitor.responsive(AGENT)).isFalse();
        assertThat(monitor.turn()).isEqualTo(clock.now().plusMillis(200));
        pass(Duration.ofMillis(200));
        assertThat(repaired).containsExactly("shop [i1] db/i1: the cloud says VM vm1 is gone");
        assertThat(alerts.open)
                .containsEntry("instance/i1", "db/i1: the cloud says VM vm1 is gone");
        assertThat(monitor.verdict(DB)).containsInstanceOf(Verdict.Silent.class);
    }

    @Test
    void listingsSeeTheLastHeartbeat() {
        known();
        assertThat(monitor.responsive(AGENT)).isTrue();
        assertThat(monitor.lastHeartbeat(AGENT))
                .hasValueSatisfying(beat -> assertThat(beat.jobState()).isEqualTo("running"));
        assertThat(monitor.verdict(DB)).contains(new Verdict.Well());
        clock.now = clock.now.plusSeconds(46);
        assertThat(monitor.responsive(AGENT)).isFalse();
        assertThat(monitor.lastHeartbeat(new AgentId("nobody"))).isEmpty();
    }

    @Test
    void aBeatThatWasUnderWayDoesNotMendALostConnection() {
        known();
        monitor.disconnected(AGENT);
        monitor.heartbeat(beat("running"));
        assertThat(monitor.responsive(AGENT)).isFalse();
        clock.now = clock.now.plusSeconds(2);
        monitor.heartbeat(beat("running"));
        assertThat(monitor.responsive(AGENT)).isTrue();
    }

    @Test
    void manyWaitingBeatsAreOneSignalAndTheNewestCounts() {
        known();
        for (int i = 0; i < 100; i++) {
            monitor.heartbeat(beat("running"));
        }
        monitor.heartbeat(beat("failing"));
        monitor.turn();
        assertThat(monitor.verdict(DB)).contains(new Verdict.Degraded("containers are failing"));
    }

    @Test
    void aCloudThatCannotBeAskedIsNoGroundForARepair() {
        known();
        monitor.disconnected(AGENT);
        for (int i = 0; i < 120; i++) {
            pass(Duration.ofSeconds(1));
        }
        assertThat(repaired).isEmpty();
        assertThat(monitor.waitingFor(DB)).contains("the cloud is away");
        cloud.put(VM, Evidence.GONE);
        for (int i = 0; i < 6; i++) {
            pass(Duration.ofSeconds(1));
        }
        assertThat(repaired).hasSize(1);
    }

    /** As when its process is stopped: all have been silent for a minute by its own clock. */
    @Test
    void aMonitorThatWasAwayAsksNobodyBecauseOfIt() throws Exception {
        monitor.start();
        monitor.fleet(fleet());
        monitor.heartbeat(beat("running"));
        awaitTurn();
        assertThat(monitor.verdict(DB)).contains(new Verdict.Well());
        clock.now = clock.now.plusSeconds(60);
        awaitTurn();
        monitor.close();
        assertThat(monitor.verdict(DB)).contains(new Verdict.Well());
        assertThat(work).isEmpty();
    }

    /** Until the decider has taken in all that was said, by the present time. */
    private void awaitTurn() throws InterruptedException {
        Instant end = Instant.now().plusSeconds(20);
        do {
            assertThat(Instant.now()).isBefore(end);
            Thread.sleep(5);
        } while (monitor.waitingSignals() > 0
                || monitor.verdict(DB).isEmpty()
                || !monitor.lag().isZero());
    }

    /** The decider was starved; what came meanwhile came in time. */
    @Test
    void whoSpokeInTimeIsNotSilentBecauseItsTurnComesLate() {
        known();
        cloud.put(VM, Evidence.PRESENT);
        clock.now = clock.now.plusSeconds(9);
        monitor.heartbeat(beat("running"));
        clock.now = clock.now.plusSeconds(5);
        monitor.turn();
        assertThat(work).isEmpty();
        assertThat(monitor.verdict(DB)).contains(new Verdict.Well());
    }

    @Test
    void agentsAlertsReachTheSink() {
        known();
        monitor.alert(AGENT, new Alert("a1", 2, "disk is full", "90 %", 1, null, null, null));
        monitor.turn();
        assertThat(alerts.open).containsEntry("a1", "disk is full");
    }

    /** The same on real threads: nobody calls turn. */
    @Test
    void itRunsByItself() throws Exception {
        var done = new CompletableFuture<String>();
        Executor threads = task -> Thread.ofVirtual().start(task);
        try (var running =
                new Monitor(
                        JudgeSettings.DEFAULT,
                        Clock.SYSTEM,
                        threads,
                        (agent, vm) -> EvidencePort.Answer.of(Evidence.GONE),
                        (deployment, instances, reason) -> {
                            done.complete(instances.toString());
                            return new RepairPort.Ended(true, "");
                        },
                        new Sink())) {
            running.start();
            running.fleet(fleet());
            running.heartbeat(beat("running"));
            running.disconnected(AGENT);
            assertThat(done.get(20, TimeUnit.SECONDS)).isEqualTo("[i1]");
        }
    }

    // --- short words

    private void known() {
        monitor.fleet(fleet());
        monitor.heartbeat(beat("running"));
        monitor.turn();
    }

    /** Lets time pass, with all that it brings. */
    private void pass(Duration time) {
        clock.now = clock.now.plus(time);
        do {
            while (!work.isEmpty()) {
                work.remove().run();
            }
            monitor.turn();
        } while (!work.isEmpty());
    }

    private static Fleet fleet() {
        return new Fleet(
                List.of(new Fleet.Member(DB, "shop", "db", null, AGENT, VM, "started", false)),
                Map.of());
    }

    private static Heartbeat beat(String jobState) {
        return new Heartbeat(AGENT, "shop", "db", 0L, jobState, "i1", 1L, null, Map.of());
    }

    private static final class ByHand implements Clock {
        private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

        @Override
        public Instant now() {
            return now;
        }

        @Override
        public void sleep(Duration time) {
            now = now.plus(time);
        }
    }

    private static final class Sink implements AlertSink {
        private final Map<String, String> open = new ConcurrentHashMap<>();

        @Override
        public void raised(Alert alert) {
            open.put(alert.id(), alert.title());
        }

        @Override
        public void resolved(String id, String title) {
            open.remove(id);
        }

        @Override
        public void waiting(String about, String reason) {}
    }
}
