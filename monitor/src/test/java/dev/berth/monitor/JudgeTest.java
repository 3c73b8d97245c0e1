package dev.berth.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.wire.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the judge makes of the stories that happen. Times are in milliseconds since the start. */
class JudgeTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final Judge judge = new Judge(JudgeSettings.DEFAULT);
    private long millis;

    @Test
    void aLostConnectionLeadsToAQuestionAndGoneToARepairAtOnce() {
        running(3);
        assertThat(at(1000, disconnected(0))).isEmpty();
        assertThat(until(1200)).containsExactly(ask(0));
        assertThat(at(1210, found(0, Evidence.GONE)))
                .contains(
                        new Action.Repair(
                                "shop", List.of(id(0)), "db/i0: the cloud says VM vm0 is gone"))
                .anyMatch(a -> a instanceof Action.RaiseAlert alert && alert.severity() == 2);
        assertThat(judge.verdict(id(0))).isInstanceOf(Verdict.Gone.class);
    }

    @Test
    void aVmSwitchedOffIsRepairedAtOnce() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        assertThat(repairs(at(1300, found(0, Evidence.STOPPED)))).containsExactly(id(0));
    }

    @Test
    void whoIsLockedOutForACertificateIsToldOfAndNeverRepaired() {
        running(3);
        var actions = new ArrayList<Action>();
        for (int second = 1; second <= 300; second++) {
            List<Action> step = until(second * 1000L);
            step.addAll(at(second * 1000L, beat(1)));
            for (Action action : step) {
                actions.add(action);
                if (action instanceof Action.AskEvidence question) {
                    actions.addAll(
                            at(
                                    second * 1000L,
                                    new Signal.Found(
                                            question.vm(), Evidence.REFUSED, "it has expired")));
                }
            }
        }
        assertThat(repairs(actions)).isEmpty();
        assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.LockedOut("it has expired"));
        assertThat(judge.waitingFor(id(0))).contains("locked out");
        assertThat(actions)
                .filteredOn(a -> a instanceof Action.RaiseAlert r && r.id().equals("instance/i0"))
                .singleElement()
                .isInstanceOfSatisfying(
                        Action.RaiseAlert.class,
                        r -> {
                            assertThat(r.title()).contains("locked out");
                            assertThat(r.summary()).contains("expired", "berth recreate --fix");
                        });
        assertThat(at(301_000, new Signal.Connected(agent(0))))
                .anyMatch(a -> a instanceof Action.ResolveAlert r && r.id().equals("instance/i0"));
    }

    /** Refused once, and silent since then: the ladder is climbed as for any other. */
    @Test
    void whoIsRefusedNoMoreAndSilentIsRepaired() {
        running(3);
        var actions = new ArrayList<Action>();
        for (int second = 1; second <= 120; second++) {
            Evidence told = second < 60 ? Evidence.REFUSED : Evidence.PRESENT;
            List<Action> step = until(second * 1000L);
            step.addAll(at(second * 1000L, beat(1)));
            step.addAll(at(second * 1000L, beat(2)));
            for (Action action : step) {
                actions.add(action);
                if (action instanceof Action.AskEvidence question) {
                    var found = new Signal.Found(question.vm(), told, "");
                    actions.addAll(at(second * 1000L, found));
                }
            }
            assertThat(second >= 60 || repairs(actions).isEmpty()).isTrue();
        }
        assertThat(repairs(actions)).containsExactly(id(0));
    }

    @Test
    void aShortCutIsNobodysBusiness() {
        running(3);
        at(1000, disconnected(0));
        assertThat(at(1100, new Signal.Connected(agent(0)))).isEmpty();
        assertThat(until(5000)).isEmpty();
        assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.Well());
    }

    @Test
    void oneStillAwayIsAskedAboutSoonAgainAndThenAsOthers() {
        running(3);
        at(1000, disconnected(0));
        var asked = new ArrayList<Long>();
        for (long time = 1100; time <= 15_000; time += 50) {
            if (time % 3_000 == 0) {
                at(time, beat(1));
                at(time, beat(2));
            }
            if (until(time).contains(ask(0))) {
                asked.add(time);
                at(time, found(0, Evidence.PRESENT));
            }
        }
        assertThat(asked).containsExactly(1200L, 1700L, 2200L, 2700L, 3200L, 8200L, 13_200L);
    }

    /** As with Docker, which goes on showing a container as running while it removes it. */
    @Test
    void aVmThatTheCloudIsStillTakingDownIsRepairedWithinHalfASecondOfItsEnd() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        at(1210, found(0, Evidence.PRESENT));
        assertThat(until(1710)).containsExactly(ask(0));
        assertThat(repairs(at(1720, found(0, Evidence.GONE)))).containsExactly(id(0));
    }

    /** It spoke after the cloud was asked: what became of it since, nobody knows. */
    @Test
    void anAnswerOlderThanTheLastSignIsNoGroundForARepair() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        at(1250, found(0, Evidence.PRESENT));
        at(1300, beat(0));
        assertThat(until(3000)).contains(ask(0)); // and nobody answers
        for (int second = 5; second <= 60; second += 5) {
            at(second * 1000L, beat(1));
            at(second * 1000L, beat(2));
            assertThat(repairs(until(second * 1000L))).isEmpty();
        }
        assertThat(judge.waitingFor(id(0))).contains("the cloud has not answered");
    }

    @Test
    void silenceWithTheVmPresentIsRepairedAfterTheTimeout() {
        running(3);
        var asked = new ArrayList<Long>();
        List<InstanceId> repaired = new ArrayList<>();
        for (int second = 1; second <= 46 && repaired.isEmpty(); second++) {
            List<Action> actions = until(second * 1000L);
            if (second % 5 == 0) {
                actions.addAll(at(second * 1000L, beat(1)));
                actions.addAll(at(second * 1000L, beat(2)));
            }
            if (actions.contains(ask(0))) {
                asked.add(millis);
                actions.addAll(at(millis, found(0, Evidence.PRESENT)));
            }
            repaired.addAll(repairs(actions));
        }
        assertThat(asked.getFirst()).isEqualTo(10_000);
        assertThat(asked).as("asked twice: messages get lost").hasSize(2);
        assertThat(repaired).containsExactly(id(0));
        assertThat(millis).isEqualTo(15_000);
    }

    @Test
    void nobodyHeardAnyMoreMeansTheBusAndNothingIsRepairedOnSilence() {
        running(4);
        IntStream.range(0, 4).forEach(i -> at(1000, disconnected(i)));
        List<Action> actions = new ArrayList<>();
        for (int second = 1; second <= 600; second++) {
            for (Action action : until(second * 1000L)) {
                actions.add(action);
                if (action instanceof Action.AskEvidence question) {
                    actions.addAll(
                            at(millis, new Signal.Found(question.vm(), Evidence.PRESENT, "")));
                }
            }
        }
        assertThat(repairs(actions)).isEmpty();
        assertThat(actions).anyMatch(a -> a instanceof Action.RaiseAlert r && r.id().equals("bus"));
        assertThat(repairs(at(600_100, found(2, Evidence.GONE))))
                .describedAs("the cloud's word counts all the same")
                .containsExactly(id(2));
        assertThat(at(600_200, new Signal.Connected(agent(0))))
                .anyMatch(a -> a instanceof Action.ResolveAlert r && r.id().equals("bus"));
        assertThat(repairs(until(610_000))).describedAs("the others get their time").isEmpty();
    }

    @Test
    void afterAStartOnlyTheCloudsWordCountsForAWhile() {
        at(0, fleet(members(2, "started", false), Map.of()));
        assertThat(until(9_000)).isEmpty();
        assertThat(until(10_000)).containsExactlyInAnyOrder(ask(0), ask(1));
        assertThat(repairs(at(10_100, found(0, Evidence.GONE))))
                .describedAs("nobody has answered yet about the other")
                .isEmpty();
        assertThat(repairs(at(10_100, found(1, Evidence.STOPPED)))).containsExactly(id(0));
        assertThat(judge.waitingFor(id(1))).contains("on its way up");
        assertThat(until(16_000)).contains(ask(1));
        assertThat(repairs(at(16_100, found(1, Evidence.STOPPED)))).containsExactly(id(1));
    }

    /** A judge that starts into a mass failure hears of it one by one, and still sees it as one. */
    @Test
    void whatIsAskedAboutAtAStartCountsForAMeltdown() {
        at(0, fleet(members(6, "started", false), Map.of()));
        until(15_000);
        List<Action> actions = new ArrayList<>();
        IntStream.range(0, 6).forEach(i -> actions.addAll(at(15_100, found(i, Evidence.GONE))));
        actions.addAll(until(16_000));
        assertThat(repairs(actions)).hasSize(1);
    }

    @Test
    void aPersonsStopDetachOrIgnoreIsRespected() {
        for (String state : List.of("stopped", "detached", "ignored")) {
            boolean ignored = state.equals("ignored");
            at(millis, fleet(members(3, ignored ? "started" : state, ignored), Map.of()));
            at(millis, disconnected(0));
            assertThat(repairs(at(millis + 300, found(0, Evidence.GONE)))).isEmpty();
            assertThat(judge.verdict(id(0))).isInstanceOf(Verdict.Held.class);
        }
        assertThat(judge.waitingFor(id(0))).isEqualTo("it is ignored");
    }

    @Test
    void aBusyDeploymentIsWaitedForAndThenRepaired() {
        running(3);
        at(900, fleet(members(3, "started", false), Map.of("shop", "task 7 (deploy)")));
        at(1000, disconnected(0));
        until(1200);
        assertThat(at(1300, found(0, Evidence.GONE)))
                .containsExactly(
                        new Action.Wait("db/i0", "deployment shop is busy with task 7 (deploy)"));
        assertThat(repairs(at(9000, fleet(members(3, "started", false), Map.of()))))
                .containsExactly(id(0));
    }

    @Test
    void manyAtOnceAreRepairedOneAtATime() {
        running(20);
        IntStream.range(0, 6).forEach(i -> at(1000, disconnected(i)));
        until(1200);
        List<Action> actions = new ArrayList<>();
        IntStream.range(0, 6).forEach(i -> actions.addAll(at(1210 + i, found(i, Evidence.GONE))));
        actions.addAll(until(3000));
        assertThat(repairs(actions)).hasSize(1);
        assertThat(actions)
                .anyMatch(a -> a instanceof Action.RaiseAlert r && r.id().contains("meltdown"))
                .anyMatch(a -> a instanceof Action.Wait w && w.reason().contains("one repair at"));
        List<Action> next =
                at(4000, new Signal.RepairEnded("shop", repairs(actions), true, "done"));
        assertThat(repairs(next)).hasSize(1).doesNotContainAnyElementsOf(repairs(actions));
    }

    /** A cloud that fails to answer about one of many must not make them few. */
    @Test
    void whoeverNobodyCanTellOfIsCountedAmongTheMany() {
        running(20);
        IntStream.range(0, 5).forEach(i -> at(1000, disconnected(i)));
        until(1200);
        List<Action> actions = new ArrayList<>(at(1210, found(4, Evidence.UNKNOWN)));
        IntStream.range(0, 4).forEach(i -> actions.addAll(at(1220 + i, found(i, Evidence.GONE))));
        actions.addAll(until(3000));
        assertThat(repairs(actions)).hasSize(1);
        assertThat(actions)
                .anyMatch(a -> a instanceof Action.RaiseAlert r && r.id().contains("meltdown"));
    }

    @Test
    void aFewAtOnceAreRepairedTogether() {
        running(20);
        IntStream.range(0, 3).forEach(i -> at(1000, disconnected(i)));
        until(1200);
        List<Action> actions = new ArrayList<>();
        IntStream.range(0, 3).forEach(i -> actions.addAll(at(1210, found(i, Evidence.GONE))));
        assertThat(actions.stream().filter(a -> a instanceof Action.Repair)).hasSize(1);
        assertThat(repairs(actions)).containsExactly(id(0), id(1), id(2));
    }

    /** Ten VMs that a deploy made had none before: that was no failure. */
    @Test
    void whatADeployTookDownMakesNoMeltdown() {
        var making = Map.of("shop", "task 7 (create deployment)");
        List<Fleet.Member> unmade =
                IntStream.range(0, 10)
                        .mapToObj(i ->
                                new Fleet.Member(
                                        id(i), "shop", "db", "z1", null, null, "started", false))
                        .toList();
        at(0, fleet(unmade, making));
        assertThat(repairs(until(20_000))).isEmpty();
        List<Fleet.Member> made =
                IntStream.range(0, 10).mapToObj(i -> member(i, "shop", "z1")).toList();
        at(20_000, fleet(made, making));
        IntStream.range(0, 10).forEach(i -> at(21_000, beat(i)));
        at(22_000, fleet(made, Map.of()));
        at(23_000, disconnected(0));
        at(23_000, disconnected(1));
        until(23_200);
        var actions = new ArrayList<Action>(at(23_210, found(0, Evidence.GONE)));
        actions.addAll(at(23_211, found(1, Evidence.GONE)));
        assertThat(repairs(actions)).containsExactly(id(0), id(1));
        assertThat(actions)
                .noneMatch(a -> a instanceof Action.RaiseAlert r && r.id().contains("meltdown"));
    }

    /** So quick that the judge hears of the VMs and of the end of the deploy at once. */
    @Test
    void nothingOfADeployThatHasEndedMeanwhileIsAFailure() {
        List<Fleet.Member> unmade =
                IntStream.range(0, 10)
                        .mapToObj(i ->
                                new Fleet.Member(
                                        id(i), "shop", "db", "z1", null, null, "started", false))
                        .toList();
        at(0, fleet(unmade, Map.of("shop", "task 7 (create deployment)")));
        at(1000, fleet(zoned("shop", 10, 0), Map.of()));
        IntStream.range(0, 10).forEach(i -> at(1100, beat(i)));
        at(2000, disconnected(0));
        until(2200);
        assertThat(at(2210, found(0, Evidence.GONE)))
                .noneMatch(a -> a instanceof Action.RaiseAlert r && r.id().contains("meltdown"));
    }

    /** What fell while a deploy went on and is still down after it is a failure. */
    @Test
    void whoIsStillDownAfterADeployIsCounted() {
        running(10);
        at(900, fleet(members(10, "started", false), Map.of("shop", "task 7 (deploy)")));
        IntStream.range(0, 6).forEach(i -> at(1000, disconnected(i)));
        until(1200);
        IntStream.range(0, 6).forEach(i -> at(1300, found(i, Evidence.GONE)));
        List<Action> actions = at(5000, fleet(members(10, "started", false), Map.of()));
        actions.addAll(until(6000));
        assertThat(repairs(actions)).hasSize(1);
        assertThat(actions)
                .anyMatch(a -> a instanceof Action.RaiseAlert r && r.id().contains("meltdown"));
    }

    /** Its repair had brought it back, and its end was not told yet. */
    @Test
    void aVmLostAtTheVeryEndOfItsRepairIsRepairedAtOnce() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        assertThat(repairs(at(1300, found(0, Evidence.GONE)))).containsExactly(id(0));
        List<Fleet.Member> now = new ArrayList<>(members(3, "started", false));
        now.set(0, member(0, "agentB", "vmB", "started", false));
        at(4000, fleet(now, Map.of()));
        at(4100, new Signal.Beat(new AgentId("agentB"), "running"));
        at(4200, new Signal.Disconnected(new AgentId("agentB")));
        until(4400);
        at(4410, new Signal.Found(new VmCid("vmB"), Evidence.GONE, ""));
        List<Action> ended = at(4500, new Signal.RepairEnded("shop", List.of(id(0)), true, "done"));
        assertThat(repairs(ended)).containsExactly(id(0));
    }

    @Test
    void repairsThatDoNotHelpAreTriedAgainMoreAndMoreRarely() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        List<InstanceId> repaired = repairs(at(1300, found(0, Evidence.GONE)));
        var times = new ArrayList<Long>();
        for (long now = 2000; now < 120_000; now += 1000) {
            if (!repaired.isEmpty()) {
                times.add(millis);
                at(now, new Signal.RepairEnded("shop", repaired, false, "the cloud is full"));
            }
            repaired = repairs(until(now));
        }
        assertThat(times).hasSizeBetween(4, 5);
        assertThat(judge.waitingFor(id(0))).contains("did not help");
    }

    @Test
    void aVmLostAgainAfterARepairThatHelpedIsRepairedAtOnce() {
        running(3);
        for (long start = 1000; start < 40_000; start += 3000) {
            at(start, beat(1));
            at(start, beat(2));
            at(start, disconnected(0));
            until(start + 200);
            List<InstanceId> repaired = repairs(at(start + 210, found(0, Evidence.GONE)));
            assertThat(repaired).as("lost at " + start).containsExactly(id(0));
            at(start + 1000, new Signal.RepairEnded("shop", repaired, true, "task 1 done"));
            at(start + 1100, beat(0));
            assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.Well());
        }
    }

    @Test
    void withResurrectionOffItSaysSoAndDoesNothing() {
        running(3);
        at(900, new Signal.Resurrection(false));
        at(1000, disconnected(0));
        until(1200);
        assertThat(repairs(at(1300, found(0, Evidence.GONE)))).isEmpty();
        assertThat(judge.waitingFor(id(0))).isEqualTo("resurrection is switched off");
        assertThat(repairs(at(5000, new Signal.Resurrection(true)))).containsExactly(id(0));
    }

    @Test
    void theAlertEndsWhenTheInstanceSaysThatItRunsAgain() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        at(1300, found(0, Evidence.GONE));
        var replaced = new ArrayList<>(members(3, "started", false));
        replaced.set(0, member(0, "agent-new", "vm-new", "started", false));
        at(2000, fleet(replaced, Map.of()));
        at(2500, new Signal.Connected(new AgentId("agent-new")));
        assertThat(at(3000, new Signal.RepairEnded("shop", List.of(id(0)), true, "task 8")))
                .describedAs("that an agent answers says nothing of its containers")
                .noneMatch(a -> a instanceof Action.ResolveAlert);
        assertThat(at(3100, new Signal.Beat(new AgentId("agent-new"), "running")))
                .anyMatch(a -> a instanceof Action.ResolveAlert r && r.id().equals("instance/i0"));
        assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.Well());
    }

    @Test
    void failingContainersAreToldAfterAWhileAndNeverRepairedByANewVm() {
        running(3);
        at(1000, new Signal.Beat(agent(0), "failing"));
        assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.Degraded("containers are failing"));
        at(6000, new Signal.Beat(agent(0), "failing"));
        List<Action> actions = until(11_000);
        assertThat(actions).anyMatch(a -> a instanceof Action.RaiseAlert r && r.severity() == 3);
        assertThat(repairs(actions)).isEmpty();
        assertThat(at(12_000, beat(0))).anyMatch(a -> a instanceof Action.ResolveAlert);
    }

    @Test
    void anAgentOfNoDeploymentIsARogueAfterAWhile() {
        var stranger = new AgentId("stranger");
        at(0, new Signal.Beat(stranger, "running"));
        assertThat(judge.verdict(stranger)).isEqualTo(new Verdict.Unmanaged());
        assertThat(at(121_000, new Signal.Beat(stranger, "running")))
                .anyMatch(a -> a instanceof Action.RaiseAlert);
        assertThat(judge.verdict(stranger)).isEqualTo(new Verdict.Rogue());
    }

    @Test
    void theAlertOfAStrangerEndsWhenItIsQuietThoughNothingElseHappens() {
        running(2);
        var stranger = new AgentId("stranger");
        List<Action> actions = new ArrayList<>();
        for (int second = 0; second <= 300; second += 30) {
            actions.addAll(at(second * 1000L, new Signal.Beat(stranger, "running")));
        }
        assertThat(actions)
                .anyMatch(a -> a instanceof Action.RaiseAlert r && r.id().equals("agent/stranger"));
        assertThat(until(900_000))
                .anyMatch(
                        a -> a instanceof Action.ResolveAlert r && r.id().equals("agent/stranger"));
    }

    @Test
    void anInstanceWithoutAVmIsRepaired() {
        running(2);
        var members = new ArrayList<>(members(2, "started", false));
        members.set(0, new Fleet.Member(id(0), "shop", "db", null, null, null, "started", false));
        assertThat(repairs(at(1000, fleet(members, Map.of())))).containsExactly(id(0));
    }

    // --- zones

    @Test
    void aZoneOfWhichNobodyIsHeardIsCutOffAndWaitedOut() {
        at(0, fleet(zoned("shop", 3, 2), Map.of()));
        IntStream.range(0, 5).forEach(i -> at(0, beat(i)));
        List<Action> actions = new ArrayList<>();
        for (int second = 5; second <= 600; second += 5) {
            actions.addAll(passing(second * 1000L));
            actions.addAll(at(second * 1000L, beat(3)));
            actions.addAll(at(second * 1000L, beat(4)));
        }
        assertThat(repairs(actions)).isEmpty();
        assertThat(actions)
                .filteredOn(a -> a instanceof Action.RaiseAlert r && r.id().equals("az/z1"))
                .hasSize(1);
        assertThat(judge.waitingFor(id(0))).contains("nobody of az z1 is heard");
        assertThat(repairs(at(601_000, found(1, Evidence.GONE))))
                .describedAs("the cloud's word counts all the same")
                .containsExactly(id(1));
        assertThat(at(602_000, beat(0)))
                .anyMatch(a -> a instanceof Action.ResolveAlert r && r.id().equals("az/z1"));
    }

    /** What a person with one or two VMs expects: that it heals, one after the other. */
    @Test
    void twoSilentVmsAreRepairedThoughNobodyElseIsHeard() {
        at(0, fleet(zoned("shop", 2, 0), Map.of()));
        IntStream.range(0, 2).forEach(i -> at(0, beat(i)));
        List<Action> actions = new ArrayList<>();
        for (int second = 5; second <= 60; second += 5) {
            actions.addAll(passing(second * 1000L));
        }
        assertThat(repairs(actions)).containsExactlyInAnyOrder(id(0), id(1));
    }

    @Test
    void aSmallEnvironmentThatIsReallyGoneIsRepaired() {
        at(0, fleet(zoned("shop", 2, 0), Map.of()));
        IntStream.range(0, 2).forEach(i -> at(0, beat(i)));
        IntStream.range(0, 2).forEach(i -> at(1000, disconnected(i)));
        until(1200);
        List<Action> actions = new ArrayList<>();
        IntStream.range(0, 2).forEach(i -> actions.addAll(at(1210 + i, found(i, Evidence.GONE))));
        actions.addAll(until(2000));
        assertThat(repairs(actions)).containsExactly(id(0), id(1));
    }

    @Test
    void aZoneThatTakesManySmallDeploymentsWithItIsOneMeltdown() {
        var members = new ArrayList<Fleet.Member>();
        for (int i = 0; i < 12; i++) {
            members.add(member(i, "shop" + i, i < 6 ? "z1" : "z2"));
        }
        at(0, fleet(members, Map.of()));
        IntStream.range(0, 12).forEach(i -> at(0, beat(i)));
        IntStream.range(0, 6).forEach(i -> at(1000, disconnected(i)));
        until(1200);
        List<Action> actions = new ArrayList<>();
        IntStream.range(0, 6).forEach(i -> actions.addAll(at(1210 + i, found(i, Evidence.GONE))));
        actions.addAll(until(3000));
        assertThat(repairs(actions)).hasSize(1);
        assertThat(actions)
                .anyMatch(a -> a instanceof Action.RaiseAlert r && r.id().equals("az/z1/meltdown"));
        var repaired = new ArrayList<InstanceId>();
        List<InstanceId> next = repairs(actions);
        for (long time = 4000; !next.isEmpty(); time += 1000) {
            repaired.addAll(next);
            String deployment = "shop" + next.getFirst().value().substring(1);
            next = repairs(at(time, new Signal.RepairEnded(deployment, next, false, "no room")));
            assertThat(next).as("never two").hasSizeLessThanOrEqualTo(1);
        }
        assertThat(repaired).as("one failure keeps no other waiting").hasSize(6);
    }

    // --- one definition of alive

    @Test
    void anAgentThatTellsOfNoDiskIsNotWell() {
        var wished = new Fleet.Wished(Set.of("db"), Set.of("disk0"));
        at(0, fleet(List.of(wishing(wished, null)), Map.of()));
        at(1000, new Signal.Beat(agent(0), new Report("running", Set.of(), Set.of("db"))));
        assertThat(judge.verdict(id(0)))
                .isEqualTo(new Verdict.Degraded("disk disk0 is not mounted and proven"));
        at(2000, new Signal.Beat(agent(0), new Report("running", Set.of("disk0"), Set.of())));
        assertThat(judge.verdict(id(0)))
                .isEqualTo(new Verdict.Degraded("container db is wished and not there"));
        at(3000, new Signal.Beat(agent(0), new Report("running", Set.of("disk0"), Set.of("db"))));
        assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.Well());
    }

    @Test
    void aRuleOfTheOperatorIsRespectedAndSaid() {
        at(
                0,
                fleet(
                        List.of(wishing(Fleet.Wished.NOTHING, "config 'x' switches it off")),
                        Map.of()));
        at(0, beat(0));
        at(1000, disconnected(0));
        until(1200);
        List<Action> actions = at(1210, found(0, Evidence.GONE));
        assertThat(repairs(actions)).isEmpty();
        assertThat(judge.waitingFor(id(0))).isEqualTo("config 'x' switches it off");
        assertThat(actions)
                .anyMatch(a ->
                        a instanceof Action.RaiseAlert r
                                && r.summary().contains("config 'x' switches it off"));
        assertThat(repairs(at(2000, fleet(List.of(wishing(Fleet.Wished.NOTHING, null)), Map.of()))))
                .containsExactly(id(0));
    }

    // --- another director

    @Test
    void theNextJudgeGoesOnWithWhatWasRemembered() {
        running(3);
        at(1000, disconnected(0));
        until(1200);
        List<InstanceId> repaired = repairs(at(1300, found(0, Evidence.GONE)));
        at(2000, new Signal.RepairEnded("shop", repaired, false, "the cloud is full"));
        List<Memory> memories = judge.memories();
        assertThat(memories).extracting(Memory::repairs).containsExactly(1);

        var next = new Judge(JudgeSettings.DEFAULT);
        next.on(new Signal.Recalled(memories), START.plusMillis(3000));
        next.on(fleet(members(3, "started", false), Map.of()), START.plusMillis(3000));
        assertThat(repairs(next.on(found(0, Evidence.GONE), START.plusMillis(4000)))).isEmpty();
        assertThat(next.waitingFor(id(0))).contains("1 repair did not help");
    }

    @Test
    void aRepairThatGoesOnIsNotBegunASecondTime() {
        at(0, fleet(members(3, "started", false), Map.of()));
        at(0, new Signal.RepairGoesOn("shop", List.of(id(0))));
        assertThat(repairs(at(1000, found(0, Evidence.GONE)))).isEmpty();
        assertThat(repairs(at(2000, new Signal.RepairEnded("shop", List.of(id(0)), false, "no"))))
                .isEmpty();
        assertThat(repairs(until(13_000))).containsExactly(id(0));
    }

    /** The director died between the deletion of the old VM and the making of the new one. */
    @Test
    void aRepairThatGoesOnOfAnInstanceWithoutAVmIsNotBegunASecondTime() {
        var bare = new Fleet.Member(id(0), "shop", "db", null, null, null, "started", false);
        at(0, new Signal.RepairGoesOn("shop", List.of(id(0))));
        assertThat(repairs(at(0, fleet(List.of(bare), Map.of())))).isEmpty();
        at(1000, new Signal.RepairEnded("shop", List.of(id(0)), false, "no"));
        assertThat(repairs(until(13_000))).containsExactly(id(0));
    }

    /** Told late, the end of a repair must not leave an instance in repair for ever. */
    @Test
    void aRepairThatEndedBeforeItsInstanceWasKnownHoldsNobodyUp() {
        var bare = new Fleet.Member(id(0), "shop", "db", null, null, null, "started", false);
        at(0, new Signal.RepairGoesOn("shop", List.of(id(0))));
        at(0, new Signal.RepairEnded("shop", List.of(id(0)), false, "no"));
        assertThat(repairs(at(1000, fleet(List.of(bare), Map.of())))).containsExactly(id(0));
    }

    @Test
    void agentsAlertsArePassedOnWithTheirSource() {
        running(1);
        var alert = new Alert("a1", 2, "disk full", "disk full", 1, null, null, null);
        assertThat(at(1000, new Signal.AgentAlert(agent(0), alert)))
                .singleElement()
                .isInstanceOfSatisfying(
                        Action.ForwardAlert.class,
                        f -> {
                            assertThat(f.alert().source())
                                    .isEqualTo("shop: db(i0) [id=agent0, cid=vm0]");
                            assertThat(f.alert().deployment()).isEqualTo("shop");
                        });
    }

    /** A beat of a healthy agent leaves nothing in the queue but its one deadline. */
    @Test
    void heartbeatsCostNothingThatGrows() {
        running(1000);
        for (int second = 5; second <= 60; second += 5) {
            List<Action> actions = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                actions.addAll(at(second * 1000L, beat(i)));
            }
            assertThat(actions).isEmpty();
        }
    }

    /** A storm of handshakes takes its time, and who is late in it is not dead. */
    @Test
    void afterTheBusWasAwaySilenceCountsFromWhenTheLastHasFoundBack() {
        running(100);
        at(1000, new Signal.Bus(false));
        at(2000, new Signal.Bus(true));
        var actions = new ArrayList<Action>();
        int back = 0;
        while (repairs(actions).isEmpty() && millis < 120_000) {
            actions.addAll(passing(millis + 400));
            if (back < 99) {
                actions.addAll(at(millis, beat(++back))); // the last one after 41.6 s
            }
            for (int i = 1; i <= back && millis % 2_000 == 0; i++) {
                actions.addAll(at(millis, beat(i)));
            }
        }
        assertThat(repairs(actions)).containsExactly(id(0));
        assertThat(actions)
                .filteredOn(a -> a instanceof Action.RaiseAlert r && r.id().startsWith("instance/"))
                .singleElement()
                .matches(a -> ((Action.RaiseAlert) a).id().equals("instance/i0"));
        assertThat(millis).isBetween(41_600L + 15_000, 41_600L + 16_000);
    }

    /** Connected for a moment and dropped again, as it happens in a storm. */
    @Test
    void afterAStartWhoCameAndWentIsNotDownAsLongAsOthersFindBack() {
        at(0, fleet(members(100, "started", false), Map.of()));
        at(1000, beat(0));
        at(1100, disconnected(0));
        var actions = new ArrayList<Action>();
        for (int i = 1; i < 100; i++) {
            actions.addAll(passing(1100 + i * 300L));
            actions.addAll(at(millis, beat(i)));
            for (int j = 1; j < i && i % 10 == 0; j++) {
                actions.addAll(at(millis, beat(j)));
            }
        }
        actions.addAll(at(millis + 100, new Signal.Connected(agent(0))));
        assertThat(actions).allMatch(a -> a instanceof Action.AskEvidence);
    }

    /** One that finds back now and then must not keep the others from being judged for ever. */
    @Test
    void whoFindsBackVeryLateKeepsNobodyFromBeingJudged() {
        running(30);
        at(1000, new Signal.Bus(false));
        at(2000, new Signal.Bus(true));
        var actions = new ArrayList<Action>();
        int back = 0;
        while (repairs(actions).isEmpty() && millis < 400_000) {
            actions.addAll(passing(millis + 4_000));
            if (millis % 8_000 == 2_000) {
                actions.addAll(at(millis, beat(++back)));
            }
            for (int i = 1; i <= back; i++) {
                actions.addAll(at(millis, beat(i)));
            }
        }
        assertThat(repairs(actions)).isNotEmpty();
        assertThat(millis).isLessThan(150_000);
    }

    @Test
    void aDirectorThatWasStoppedTakesNobodysSilenceForDeath() {
        running(3);
        long back = 60_000;
        millis = back; // no tick meanwhile
        var actions = new ArrayList<Action>(at(back, new Signal.Absent()));
        IntStream.range(0, 3).forEach(i -> actions.addAll(at(back + 4_000, beat(i))));
        actions.addAll(until(back + 5_000));
        assertThat(actions).isEmpty();
        assertThat(judge.verdict(id(0))).isEqualTo(new Verdict.Well());
        assertThat(repairs(passing(back + 25_000))).isEmpty(); // none is heard: the bus
    }

    // --- short words

    private void running(int count) {
        at(0, fleet(members(count, "started", false), Map.of()));
        IntStream.range(0, count).forEach(i -> at(0, beat(i)));
    }

    private List<Action> at(long time, Signal signal) {
        List<Action> actions = time > millis ? until(time) : new ArrayList<>();
        millis = Math.max(millis, time);
        actions.addAll(judge.on(signal, START.plusMillis(millis)));
        return actions;
    }

    /** Lets time pass as a monitor would: a tick whenever one is due. */
    private List<Action> until(long time) {
        var actions = new ArrayList<Action>();
        while (true) {
            Instant wake = judge.nextWake();
            long next =
                    wake == null ? time : Math.min(time, Duration.between(START, wake).toMillis());
            millis = Math.max(millis, next);
            actions.addAll(judge.on(new Signal.Tick(), START.plusMillis(millis)));
            if (millis >= time) {
                return actions;
            }
        }
    }

    private static List<InstanceId> repairs(List<Action> actions) {
        return actions.stream()
                .flatMap(a ->
                        a instanceof Action.Repair repair
                                ? repair.instances().stream()
                                : Stream.of())
                .toList();
    }

    private static Signal fleet(List<Fleet.Member> members, Map<String, String> busy) {
        return new Signal.FleetKnown(new Fleet(members, busy));
    }

    private static List<Fleet.Member> members(int count, String state, boolean ignored) {
        return IntStream.range(0, count)
                .mapToObj(i -> member(i, "agent" + i, "vm" + i, state, ignored))
                .toList();
    }

    private static Fleet.Member member(
            int i, String agent, String vm, String state, boolean ignored) {
        return new Fleet.Member(
                id(i), "shop", "db", null, new AgentId(agent), new VmCid(vm), state, ignored);
    }

    private static List<Fleet.Member> zoned(String deployment, int ofOne, int ofTwo) {
        return IntStream.range(0, ofOne + ofTwo)
                .mapToObj(i -> member(i, deployment, i < ofOne ? "z1" : "z2"))
                .toList();
    }

    private static Fleet.Member member(int i, String deployment, String az) {
        return new Fleet.Member(
                id(i), deployment, "db", az, agent(i), new VmCid("vm" + i), "started", false);
    }

    private static Fleet.Member wishing(
            Fleet.Wished wished, @org.jspecify.annotations.Nullable String barred) {
        return new Fleet.Member(
                id(0),
                "shop",
                "db",
                null,
                agent(0),
                new VmCid("vm0"),
                "started",
                false,
                wished,
                barred);
    }

    /** Time passes, and whoever is asked about is there and does not answer. */
    private List<Action> passing(long time) {
        var all = new ArrayList<Action>();
        for (Action action : until(time)) {
            all.add(action);
            if (action instanceof Action.AskEvidence question) {
                all.addAll(at(millis, new Signal.Found(question.vm(), Evidence.PRESENT, "")));
            }
        }
        return all;
    }

    private static InstanceId id(int i) {
        return new InstanceId("i" + i);
    }

    private static AgentId agent(int i) {
        return new AgentId("agent" + i);
    }

    private static Signal beat(int i) {
        return new Signal.Beat(agent(i), "running");
    }

    private static Signal disconnected(int i) {
        return new Signal.Disconnected(agent(i));
    }

    private static Signal found(int i, Evidence evidence) {
        return new Signal.Found(new VmCid("vm" + i), evidence, "");
    }

    private static Action ask(int i) {
        return new Action.AskEvidence(agent(i), new VmCid("vm" + i));
    }
}
