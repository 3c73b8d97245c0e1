package dev.berth.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/**
 * Random fleets, random trouble, signals lost, doubled and late: R7, and that everything heals once
 * the trouble ends.
 */
class JudgePropertiesTest {
    @Property(tries = 150)
    void itHealsWhatItMayAndNothingElse(@ForAll long seed) {
        var story = new Story(new Random(seed));
        story.trouble(Duration.ofMinutes(10));
        story.peace(Duration.ofMinutes(40));
        story.everythingHealed();
    }

    /** One VM as it really is. */
    private static final class Vm {
        final AgentId agent;
        final VmCid cid;
        boolean exists = true;
        boolean on = true;
        boolean speaks = true;

        /** What the judge was told, and when it last heard. */
        @Nullable Evidence told;

        Instant heard;

        Vm(int number, Instant now) {
            agent = new AgentId("agent" + number);
            cid = new VmCid("vm" + number);
            heard = now;
        }

        boolean isAlive() {
            return exists && on && speaks;
        }
    }

    private static final class Story {
        private static final Duration STEP = Duration.ofMillis(500);

        final Random random;

        /** Beats get lost all the time here: what is silence must be longer. */
        final JudgeSettings settings =
                JudgeSettings.DEFAULT.withSilence(Duration.ofSeconds(15), Duration.ofSeconds(45));

        Judge judge = new Judge(settings);
        final Map<InstanceId, Vm> vms = new HashMap<>();
        final Map<InstanceId, String> states = new HashMap<>();
        final Set<InstanceId> ignored = new HashSet<>();
        final Map<InstanceId, Instant> underRepair = new HashMap<>();
        final List<Signal.Beat> late = new ArrayList<>();
        final Map<String, String> openAlerts = new HashMap<>();
        Instant now = Instant.parse("2026-01-01T00:00:00Z");
        final ArrayDeque<Action.AskEvidence> questions = new ArrayDeque<>();
        boolean answering;
        boolean busy;
        boolean busCut;

        /** What the judge can know: the last snapshot it was told. */
        final Set<InstanceId> toldHeld = new HashSet<>();

        boolean toldBusy;
        boolean calm;
        int made;

        Story(Random random) {
            this.random = random;
            int size = 1 + random.nextInt(30);
            for (int i = 0; i < size; i++) {
                var id = new InstanceId("i" + i);
                vms.put(id, new Vm(++made, now));
                states.put(id, "started");
            }
            tellFleet();
        }

        void trouble(Duration length) {
            boolean mass = random.nextInt(4) == 0;
            for (Instant end = now.plus(length); now.isBefore(end); ) {
                if (random.nextInt(20) == 0) {
                    misfortune(pick(), mass ? 1 + random.nextInt(10) : 1);
                }
                if (random.nextInt(200) == 0) {
                    restart();
                }
                step();
            }
        }

        void peace(Duration length) {
            calm = true;
            busCut = false;
            busy = false;
            tell(new Signal.Bus(true));
            tell(new Signal.Resurrection(true));
            states.replaceAll((id, state) -> "started");
            ignored.clear();
            vms.values().forEach(vm -> vm.speaks = vm.speaks || random.nextBoolean());
            tellFleet();
            for (Instant end = now.plus(length); now.isBefore(end); ) {
                step();
            }
            // Beats get lost in peace too, and eight in a row would be silence at the very end.
            List.copyOf(vms.values()).stream().filter(Vm::isAlive).forEach(this::beat);
        }

        /** Another judge takes over: what it is told of the one before is all it knows. */
        private void restart() {
            List<Memory> memories = judge.memories();
            judge = new Judge(settings);
            questions.clear();
            openAlerts.clear(); // whoever keeps them resolves those that the next does not raise
            vms.values()
                    .forEach(vm -> {
                        vm.told = null;
                        vm.heard = now; // nobody is late before he had the time to be heard
                    });
            tell(new Signal.Recalled(memories));
            tellFleet();
            if (!underRepair.isEmpty()) {
                tell(new Signal.RepairGoesOn("shop", List.copyOf(underRepair.keySet())));
            }
        }

        void everythingHealed() {
            for (InstanceId id : vms.keySet()) {
                assertThat(of(id).isAlive()).as(() -> id + " " + judge.verdict(id)).isTrue();
                assertThat(judge.verdict(id)).isEqualTo(new Verdict.Well());
            }
            assertThat(openAlerts).isEmpty();
            assertThat(underRepair).isEmpty();
        }

        private void misfortune(InstanceId first, int times) {
            InstanceId id = first;
            for (int i = 0; i < times; i++, id = pick()) {
                Vm vm = of(id);
                switch (random.nextInt(9)) {
                    case 0, 1 -> {
                        vm.exists = false;
                        cut(vm);
                    }
                    case 2 -> {
                        vm.on = false;
                        cut(vm);
                    }
                    case 3 -> vm.speaks = false; // no notice at all
                    case 4 -> cut(vm); // and comes back with the next beat
                    case 5 -> states.put(id, random.nextBoolean() ? "stopped" : "started");
                    case 6 -> {
                        if (!ignored.remove(id)) {
                            ignored.add(id);
                        }
                    }
                    case 7 -> busy = !busy;
                    case 8 -> {
                        busCut = !busCut;
                        if (busCut) {
                            vms.values().forEach(this::cut);
                        }
                    }
                    default -> throw new AssertionError();
                }
            }
            tellFleet();
        }

        private void cut(Vm vm) {
            if (random.nextInt(5) > 0) { // notices get lost
                tell(new Signal.Disconnected(vm.agent));
            }
        }

        private void step() {
            now = now.plus(calm ? STEP.multipliedBy(4) : STEP);
            for (Vm vm : List.copyOf(vms.values())) {
                if (vm.isAlive() && !busCut && random.nextInt(10) < (calm ? 8 : 1)) {
                    beat(vm);
                }
            }
            if (!calm && !late.isEmpty() && random.nextInt(4) == 0) {
                Signal.Beat beat = late.remove(random.nextInt(late.size()));
                vms.values().stream()
                        .filter(vm -> vm.agent.equals(beat.agent()))
                        .forEach(vm -> vm.heard = now);
                tell(beat);
            }
            endRepairs();
            tell(new Signal.Tick());
        }

        private void beat(Vm vm) {
            var signal = new Signal.Beat(vm.agent, "running");
            if (!calm && random.nextInt(20) == 0) {
                late.add(signal);
                return;
            }
            vm.heard = now;
            vm.told = null;
            tell(signal);
        }

        private void endRepairs() {
            for (InstanceId id : List.copyOf(underRepair.keySet())) {
                if (random.nextInt(20) > 0) {
                    continue;
                }
                boolean succeeds = calm || random.nextInt(4) > 0;
                if (succeeds) {
                    vms.put(id, new Vm(++made, now));
                    tellFleet();
                }
                var ended = new Signal.RepairEnded("shop", List.of(id), succeeds, "by chance");
                underRepair.remove(id);
                tell(ended);
                tell(ended);
            }
        }

        private void tellFleet() {
            toldHeld.clear();
            toldHeld.addAll(ignored);
            states.forEach((id, state) -> {
                if (!state.equals("started")) {
                    toldHeld.add(id);
                }
            });
            toldBusy = busy;
            var members = new ArrayList<Fleet.Member>();
            vms.forEach((id, vm) ->
                    members.add(
                            new Fleet.Member(
                                    id,
                                    "shop",
                                    "db",
                                    null,
                                    vm.agent,
                                    vm.cid,
                                    states.getOrDefault(id, "started"),
                                    ignored.contains(id))));
            tell(
                    new Signal.FleetKnown(
                            new Fleet(members, busy ? Map.of("shop", "task 1") : Map.of())));
        }

        private void tell(Signal signal) {
            var actions = new ArrayList<>(judge.on(signal, now));
            if (random.nextInt(10) == 0 && !(signal instanceof Signal.Tick)) {
                actions.addAll(judge.on(signal, now)); // doubled
            }
            actions.forEach(this::check);
            if (!answering) {
                answering = true;
                while (!questions.isEmpty()) {
                    answer(questions.remove());
                }
                answering = false;
            }
        }

        private void check(Action action) {
            switch (action) {
                case Action.AskEvidence a -> questions.add(a);
                case Action.Repair a -> a.instances().forEach(this::checkRepair);
                case Action.RaiseAlert a -> openAlerts.put(a.id(), a.title());
                case Action.ResolveAlert a -> openAlerts.remove(a.id());
                case Action.Wait a -> assertThat(a.reason()).isNotEmpty();
                case Action.ForwardAlert a -> throw new AssertionError("nobody sent one");
            }
        }

        private void answer(Action.AskEvidence question) {
            Vm vm =
                    vms.values().stream()
                            .filter(v -> v.cid.equals(question.vm()))
                            .findFirst()
                            .orElseThrow();
            if (!calm && random.nextInt(10) == 0) {
                return; // the cloud never answers
            }
            Evidence evidence =
                    !vm.exists
                            ? Evidence.GONE
                            : !vm.on
                                    ? Evidence.STOPPED
                                    : vm.speaks && !busCut && random.nextBoolean()
                                            ? Evidence.ANSWERS
                                            : Evidence.PRESENT;
            if (evidence == Evidence.ANSWERS) {
                vm.heard = now;
                vm.told = null;
            } else {
                vm.told = evidence;
            }
            tell(new Signal.Found(vm.cid, evidence, ""));
        }

        private void checkRepair(InstanceId id) {
            Vm vm = of(id);
            assertThat(toldHeld).doesNotContain(id);
            assertThat(toldBusy).isFalse();
            if (vm.told == Evidence.PRESENT) {
                assertThat(Duration.between(vm.heard, now))
                        .isGreaterThanOrEqualTo(settings.agentTimeout());
                assertThat(busCut && nobodyHeard())
                        .as(() -> "on silence while the bus is cut: " + id + " of " + this)
                        .isFalse();
            } else {
                assertThat(vm.told).isIn(Evidence.GONE, Evidence.STOPPED);
            }
            assertThat(underRepair.put(id, now)).as("two repairs of one instance").isNull();
            int most = Math.max(settings.meltdownMinimum() - 1, (vms.size() * 20 + 99) / 100 - 1);
            assertThat(underRepair).hasSizeLessThanOrEqualTo(most);
        }

        /** Of so many that are not known to be gone that it must have one cause. */
        private boolean nobodyHeard() {
            return vms.values().stream()
                            .noneMatch(v -> now.isBefore(v.heard.plus(settings.suspectAfter())))
                    && vms.values().stream()
                                    .filter(v -> v.told == null || v.told == Evidence.PRESENT)
                                    .count()
                            >= Zones.FEWEST_CUT;
        }

        private Vm of(InstanceId id) {
            Vm vm = vms.get(id);
            if (vm == null) {
                throw new AssertionError("no VM of " + id);
            }
            return vm;
        }

        @Override
        public String toString() {
            var text = new StringBuilder(now.toString());
            vms.forEach((id, vm) ->
                    text.append("\n  " + id + " " + vm.cid)
                            .append(vm.isAlive() ? " alive" : " dead")
                            .append(" heard " + vm.heard + " told " + vm.told)
                            .append(" judged " + judge.verdict(id)));
            return text.toString();
        }

        private InstanceId pick() {
            return new InstanceId("i" + random.nextInt(vms.size()));
        }
    }
}
