package dev.berth.testkit;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentDoor;
import dev.berth.bus.AgentEvents;
import dev.berth.bus.AgentException;
import dev.berth.bus.AgentException.Kind;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import dev.berth.wire.Heartbeat;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The agents of the VMs of a {@link FakeCloud}, and the bus between them and a director: an agent
 * is there as long as its VM runs. Messages are delivered as a {@link Fate} says. Lives in the
 * virtual time of one {@link SimClock}, on whose threads it is called.
 */
public final class FakeAgents implements AgentDoor, FakeCloud.Listener {
    /** What becomes of one message. */
    public enum Fate {
        ARRIVES,
        /** The agent never sees it. */
        REQUEST_LOST,
        /** Done, and nobody learns it. */
        REPLY_LOST,
        /** The agent gets it twice. */
        DOUBLED,
        /** Done long after the usual limits; the agent is busy until then. */
        LATE
    }

    /** One call. */
    public record Call(AgentId agent, String method, List<Object> arguments) {
        /** Calls that change nothing, and that the bus repeats until they are answered. */
        public boolean isLook() {
            return Set.of("ping", "info", "get_state", "get_record", "disk_report")
                    .contains(method);
        }

        public boolean isMutating() {
            return !isLook() && !method.equals("list_disk");
        }

        /** Without the contents of specs: they hold secrets. */
        @Override
        public String toString() {
            return method + " " + agent;
        }
    }

    /** Decides about messages and sees calls pass; may throw {@link SimulatedCrash}. */
    public interface Hook {
        default Fate fate(Call call) {
            return Fate.ARRIVES;
        }

        default void before(Call call) {}

        default void after(Call call) {}
    }

    /** How long a message that is not repeated stays without a reply, as on the real bus. */
    private static final Duration WINDOW = Duration.ofSeconds(45);

    private static final Duration USUAL_LATENCY = Duration.ofMillis(2);
    private static final Duration REPETITION = Duration.ofMillis(400);
    private static final Duration BOOT = Duration.ofMillis(1500);
    private static final Duration LATE = Duration.ofSeconds(60);

    private final FakeCloud cloud;
    private final SimClock clock;
    private final FakeVm.Witness witness;
    private final Map<AgentId, FakeVm> vms = new LinkedHashMap<>();
    private final FakeVm.Contents contents = new FakeVm.Contents();
    private final Set<AgentId> admitted = new HashSet<>();
    private @Nullable AgentEvents events;
    private boolean busUp = true;
    private Predicate<FakeCloud.Vm> cutOff = vm -> false;
    private Duration latency = USUAL_LATENCY;

    public FakeAgents(FakeCloud cloud, SimClock clock, FakeVm.Witness witness) {
        this.cloud = cloud;
        this.clock = clock;
        this.witness = witness;
        cloud.listen(this);
    }

    /** The way of one director to the agents; the one before hears and says nothing any more. */
    public AgentCalls connect(AgentEvents listener, Hook hook) {
        events = listener;
        vms.values().stream().filter(this::reachable).forEach(vm -> listener.connected(vm.agent()));
        return new Line(hook);
    }

    /** The director is gone. */
    public void disconnect() {
        events = null;
    }

    public Optional<FakeVm> vm(AgentId agent) {
        return Optional.ofNullable(vms.get(agent));
    }

    public List<FakeVm> vms() {
        return List.copyOf(vms.values());
    }

    public boolean reachable(AgentId agent) {
        return vm(agent).filter(this::reachable).isPresent();
    }

    private boolean reachable(FakeVm vm) {
        return busUp
                && vm.isUp()
                && !vm.isMuted()
                && admitted.contains(vm.agent())
                && !isCutOff(vm);
    }

    private boolean isCutOff(FakeVm vm) {
        return cloud.vm(vm.cid()).filter(cutOff).isPresent();
    }

    // --- what a test does to them

    /**
     * The network between the director and some of the cloud is cut, also for VMs that are made
     * there meanwhile; what runs there runs on.
     *
     * @param noticed the bus sees their connections end; otherwise only heartbeats stop
     */
    public void cutOff(Predicate<FakeCloud.Vm> which, boolean noticed) {
        List<FakeVm> heard = vms.values().stream().filter(this::reachable).toList();
        cutOff = which;
        AgentEvents listener = events;
        if (noticed && listener != null) {
            heard.stream().filter(this::isCutOff).forEach(vm -> listener.disconnected(vm.agent()));
        }
    }

    /** The network is whole again. */
    public void rejoin() {
        List<FakeVm> apart = vms.values().stream().filter(this::isCutOff).toList();
        cutOff = vm -> false;
        AgentEvents listener = events;
        if (listener != null) {
            apart.stream().filter(this::reachable).forEach(vm -> listener.connected(vm.agent()));
        }
    }

    /** How long each message is on its way from now on. */
    public void slow(Duration each) {
        latency = each;
    }

    public void asFastAsEver() {
        latency = USUAL_LATENCY;
    }

    /** Its VM is cut from the network for good: it is silent, also after a reboot. */
    public void cut(AgentId agent) {
        mute(agent, true);
        vm(agent).ifPresent(FakeVm::cut);
    }

    /**
     * Its agent falls silent, the containers run on.
     *
     * @param noticed the bus sees the connection end; otherwise only heartbeats stop
     */
    public void mute(AgentId agent, boolean noticed) {
        vm(agent)
                .ifPresent(vm -> {
                    vm.mute(true);
                    if (noticed && busUp && events != null) {
                        events.disconnected(agent);
                    }
                });
    }

    public void unmute(AgentId agent) {
        vm(agent)
                .ifPresent(vm -> {
                    vm.mute(false);
                    if (events != null && reachable(vm)) {
                        events.connected(agent);
                    }
                });
    }

    /**
     * Nobody hears anybody, whatever else goes on.
     *
     * @param noticed the director's own connection ends with it; otherwise it only hears nothing
     */
    public void loseBus(boolean noticed) {
        busUp = false;
        if (noticed && events != null) {
            events.busLost();
        }
    }

    /** The bus is there again, and the agents find back. */
    public void bringBusBack() {
        if (busUp) {
            return;
        }
        busUp = true;
        AgentEvents listener = events;
        if (listener != null) {
            listener.busBack();
            vms.values().stream()
                    .filter(this::reachable)
                    .forEach(vm -> listener.connected(vm.agent()));
        }
    }

    /** What runs works on, heard or not; and one heartbeat of each agent that can be heard. */
    public void beat() {
        for (FakeVm vm : List.copyOf(vms.values())) {
            if (vm.isUp()) {
                vm.work();
            }
            beat(vm);
        }
    }

    private void beat(FakeVm vm) {
        if (events == null || !reachable(vm)) {
            return;
        }
        AgentEvents listener = events;
        Heartbeat said = vm.heartbeat();
        if (latency.equals(USUAL_LATENCY)) {
            listener.heartbeat(said);
            return;
        }
        clock.in(
                latency,
                () -> {
                    if (events == listener && busUp) {
                        listener.heartbeat(said);
                    }
                });
    }

    // --- the cloud

    @Override
    public void vmStarted(FakeCloud.Vm started) {
        FakeVm vm =
                vms.computeIfAbsent(
                        started.agent(),
                        agent -> new FakeVm(started.cid(), agent, cloud, contents, clock, witness));
        clock.in(BOOT, () -> booted(vm, started.boots()));
    }

    private void booted(FakeVm vm, int boot) {
        boolean same = cloud.vm(vm.cid()).filter(v -> v.running() && v.boots() == boot).isPresent();
        if (same) {
            vm.boot();
            if (events != null && reachable(vm)) {
                events.connected(vm.agent());
                beat(vm);
            }
        }
    }

    @Override
    public void vmEnded(FakeCloud.Vm ended) {
        FakeVm vm = vms.get(ended.agent());
        if (vm == null) {
            return;
        }
        vm.end();
        if (cloud.vm(ended.cid()).isEmpty()) {
            vms.remove(ended.agent());
        }
        if (busUp && events != null) {
            events.disconnected(ended.agent());
        }
    }

    // --- who may speak

    @Override
    public AgentSettings.Certificate admit(AgentId agent) {
        admitted.add(agent);
        return new AgentSettings.Certificate("ca", "certificate of " + agent, "key of " + agent);
    }

    @Override
    public void expel(AgentId agent) {
        admitted.remove(agent);
    }

    @Override
    public void reset(Collection<AgentId> agents) {
        admitted.clear();
        admitted.addAll(agents);
    }

    // --- calls

    private final class Line implements AgentCalls {
        private final Hook hook;

        Line(Hook hook) {
            this.hook = hook;
        }

        @Override
        public void tell(AgentId agent, String method, List<Object> arguments) {
            throw new UnsupportedOperationException("nothing is told without an answer yet");
        }

        @Override
        public @Nullable Object call(
                AgentId agent,
                String method,
                List<Object> arguments,
                Duration limit,
                BooleanSupplier cancelled) {
            // As on the wire: what the director does to its tree later is not seen by the agent.
            var call = new Call(agent, method, Json.asList(Json.parse(Json.write(arguments))));
            hook.before(call);
            Object value = call.isLook() ? look(call, limit) : act(call, limit);
            hook.after(call);
            return value;
        }

        /** The bus repeats it until it is answered. */
        private @Nullable Object look(Call call, Duration limit) {
            Instant end = clock.now().plus(limit);
            while (true) {
                clock.sleep(latency);
                FakeVm vm = vms.get(call.agent());
                Fate fate = hook.fate(call);
                if (vm != null && reachable(vm) && fate != Fate.REQUEST_LOST) {
                    return vm.perform(call.method(), call.arguments());
                }
                if (!clock.now().isBefore(end)) {
                    throw timeout(call);
                }
                clock.sleep(min(REPETITION, Duration.between(clock.now(), end)));
            }
        }

        private @Nullable Object act(Call call, Duration limit) {
            FakeVm vm = vms.get(call.agent());
            Fate fate = hook.fate(call);
            clock.sleep(latency);
            if (vm == null || !reachable(vm) || fate == Fate.REQUEST_LOST) {
                clock.sleep(min(limit, WINDOW));
                throw timeout(call);
            }
            Instant end = clock.now().plus(limit);
            int boot = vm.boots();
            var job = new Job(call, vm, boot);
            Instant free = vm.busyUntil().isAfter(clock.now()) ? vm.busyUntil() : clock.now();
            Instant done = fate == Fate.LATE ? free.plus(LATE) : free.plus(latency);
            vm.busyUntil(done);
            clock.in(Duration.between(clock.now(), done), job);
            if (fate == Fate.DOUBLED) {
                clock.in(Duration.between(clock.now(), done), new Job(call, vm, boot));
            }
            return reply(job, fate, end);
        }

        private @Nullable Object reply(Job job, Fate fate, Instant end) {
            while (!job.done && clock.now().isBefore(end) && job.vm.boots() == job.boot) {
                Instant ready = job.vm.busyUntil();
                Duration rest = Duration.between(clock.now(), ready.isBefore(end) ? ready : end);
                clock.sleep(rest.isPositive() ? rest : latency);
            }
            if (fate == Fate.REPLY_LOST || !job.done || !reachable(job.vm)) {
                clock.sleep(min(WINDOW, Duration.between(clock.now(), end)));
                throw timeout(job.call);
            }
            clock.sleep(latency);
            AgentException failure = job.failure;
            if (failure != null) {
                throw new AgentException(
                        Kind.FAILED,
                        String.valueOf(failure.getMessage()),
                        failure.disk().orElse(null));
            }
            return job.value;
        }
    }

    /** A message in the agent's hands: done when its turn comes, if the agent is still the same. */
    private final class Job implements Runnable {
        private final Call call;
        private final FakeVm vm;
        private final int boot;
        private boolean done;
        private @Nullable Object value;
        private @Nullable AgentException failure;

        Job(Call call, FakeVm vm, int boot) {
            this.call = call;
            this.vm = vm;
            this.boot = boot;
        }

        @Override
        public void run() {
            if (!vm.isUp() || vm.boots() != boot) {
                return;
            }
            try {
                if (call.method().equals("drain") && events != null && reachable(vm)) {
                    events.shutdown(vm.agent());
                }
                value = vm.perform(call.method(), call.arguments());
                beat(vm);
            } catch (AgentException e) {
                failure = e;
            }
            done = true;
        }
    }

    private static AgentException timeout(Call call) {
        return new AgentException(
                Kind.TIMEOUT, "agent " + call.agent() + " did not answer " + call.method());
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    /** What is on a disk, whoever holds it. */
    public Optional<FakeVm.Content> content(DiskCid disk) {
        return contents.of(disk);
    }

    /** For messages of failing tests. */
    @Override
    public String toString() {
        return new ArrayList<>(vms.values()).toString();
    }
}
