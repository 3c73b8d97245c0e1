package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A supervisor's decisions, a fake engine and the messages between them in virtual time: steps take
 * effect late, answers and events arrive late, doubled or not at all, and the agent dies and comes
 * back with what it had written down. One seed, one course.
 */
final class World {
    static final SupervisorConfig CONFIG =
            new SupervisorConfig(
                    "i1",
                    "boot-1",
                    Path.of(System.getProperty("java.io.tmpdir"), "berth-world", "store"),
                    Path.of("/tmp"),
                    "berth",
                    Duration.ofSeconds(10));

    private record Due(Instant at, long order, Runnable action) {}

    private final Random random;
    private final PriorityQueue<Due> agenda =
            new PriorityQueue<>(Comparator.comparing(Due::at).thenComparing(Due::order));
    Instant now = Instant.parse("2026-01-01T00:00:00Z");
    final FakeEngine engine = new FakeEngine(() -> now);
    DiskStates disks = DiskStates.ofStore(new DiskState.Proven("disk-1"));
    Reconciler reconciler;
    private final EngineExecutor executor;
    private final EngineLook looker = new EngineLook(engine, "i1", e -> {}, () -> {});

    /** Chance that a message is lost or doubled, in percent. */
    int unrest;

    /** How often anything was done to the engine. */
    int steps;

    /** Called before, with false, and after each step reaches the engine. */
    Consumer<Boolean> aroundStep = after -> {};

    private final Map<String, String> memory = new HashMap<>();
    private String bootId = "boot-1";
    private long order;
    private int life;
    private boolean daemonUp = true;
    private @Nullable Instant plannedTurn;
    private @Nullable Instant plannedLook;

    World(long seed) {
        this.random = new Random(seed);
        this.reconciler = new Reconciler(new Random(seed + 1));
        this.executor = new EngineExecutor(engine, CONFIG, proof(), RegistryAuths.none());
        engine.images.add("img:1");
        engine.images.add("img:2");
        subscribe();
        reconciler.disks(disks);
        reconciler.daemon(true);
        soon();
    }

    // --- the course of things

    void at(Duration later, Runnable action) {
        agenda.add(new Due(now.plus(later), order++, action));
    }

    void run(Duration time) {
        Instant end = now.plus(time);
        while (true) {
            Due due = agenda.peek();
            if (due == null || due.at().isAfter(end)) {
                break;
            }
            agenda.poll();
            now = due.at().isAfter(now) ? due.at() : now;
            due.action().run();
        }
        now = end;
    }

    private Duration jitter(int maximumMillis) {
        return Duration.ofMillis(random.nextInt(maximumMillis + 1));
    }

    private boolean mischief() {
        return random.nextInt(100) < unrest;
    }

    int any(int bound) {
        return random.nextInt(bound);
    }

    private void subscribe() {
        int mine = life;
        engine.events(
                Map.of(),
                tree -> {
                    EngineEvent event = EngineEvent.fromTree(tree);
                    int copies = mischief() ? random.nextInt(3) : 1;
                    for (int i = 0; i < copies; i++) {
                        at(jitter(30), () -> hear(mine, event));
                    }
                },
                end -> {});
    }

    private void hear(int listener, EngineEvent event) {
        if (listener == life) {
            reconciler.event(event, now);
            soon();
        }
    }

    void soon() {
        plan(now);
    }

    private void plan(Instant when) {
        if (plannedTurn == null || when.isBefore(plannedTurn)) {
            plannedTurn = when;
            int mine = life;
            agenda.add(
                    new Due(
                            when,
                            order++,
                            () -> {
                                if (mine == life && when.equals(plannedTurn)) {
                                    turn();
                                }
                            }));
        }
    }

    private void turn() {
        plannedTurn = null;
        Decision decision = reconciler.turn(now);
        memory.put("counters", MemoryText.ofMemos(bootId, reconciler.memos()));
        for (Step step : decision.steps()) {
            steps++;
            int mine = life;
            at(jitter(50), () -> act(mine, step));
        }
        planLook(now.plusSeconds(10));
        if (reconciler.listWanted()) {
            planLook(now.plusMillis(250));
        }
        Instant wake = decision.wake();
        if (wake != null) {
            plan(wake.isBefore(now) ? now : wake);
        }
    }

    /** A step reaches the engine even when the one who sent it has died since, or it does not. */
    private void act(int sender, Step step) {
        if (sender != life && random.nextBoolean()) {
            return;
        }
        boolean lost = mischief();
        aroundStep.accept(false);
        Outcome outcome =
                (lost && random.nextBoolean()) || !daemonUp
                        ? new Outcome.Unknown("the request was lost")
                        : executor.run(step);
        aroundStep.accept(true);
        Outcome told = lost ? new Outcome.Unknown("the answer was lost") : outcome;
        at(
                jitter(100),
                () -> {
                    if (sender == life) {
                        reconciler.outcome(step, told, now);
                        soon();
                    }
                });
    }

    private void planLook(Instant when) {
        if (plannedLook == null || when.isBefore(plannedLook)) {
            plannedLook = when;
            int mine = life;
            agenda.add(
                    new Due(
                            when,
                            order++,
                            () -> {
                                if (mine == life && when.equals(plannedLook)) {
                                    look();
                                }
                            }));
        }
    }

    private void look() {
        plannedLook = null;
        int mine = life;
        long number = reconciler.listBegins();
        if (!daemonUp || mischief()) {
            planLook(now.plusSeconds(1));
            return;
        }
        Map<String, Observed> known = new HashMap<>();
        reconciler.seen().forEach(o -> known.put(o.id(), o));
        List<Observed> list = looker.list(reconciler.memos(), known);
        at(
                jitter(100),
                () -> {
                    if (mine == life) {
                        reconciler.listed(number, list, now);
                        soon();
                    }
                });
    }

    // --- what tests do

    void wish(List<ContainerSpec> specs, boolean running) {
        Wish wish = Wish.of(specs, running);
        memory.put("wish", MemoryText.ofWish(wish));
        reconciler.wish(wish);
        soon();
    }

    void disk(DiskState state) {
        disk("", state);
    }

    void disk(String name, DiskState state) {
        disks = disks.with(name, state);
        reconciler.disks(disks);
        soon();
    }

    private DiskProof proof() {
        return new DiskProof() {
            @Override
            public DiskState prove() {
                return disks.store();
            }

            @Override
            public DiskStates proveAll() {
                return disks;
            }
        };
    }

    void daemon(boolean up) {
        if (up == daemonUp) {
            return;
        }
        daemonUp = up;
        engine.daemon(up);
        reconciler.daemon(up);
        if (up) {
            subscribe();
        }
        soon();
    }

    /** The agent dies and comes back, with what it remembered or with nothing. */
    void agentDies() {
        life++;
        engine.hangUp();
        plannedTurn = null;
        plannedLook = null;
        reconciler = new Reconciler(new Random(random.nextLong()));
        String wish = memory.get("wish");
        String counters = memory.get("counters");
        if (wish != null) {
            reconciler.wish(MemoryText.wish(wish));
        }
        if (counters != null) {
            reconciler.remember(MemoryText.memos(counters, bootId));
        }
        reconciler.disks(disks);
        reconciler.daemon(daemonUp);
        if (daemonUp) {
            subscribe();
        }
        soon();
    }

    void forgetCounters() {
        memory.remove("counters");
    }

    void reboot() {
        engine.reboot();
        bootId = bootId + "+";
        agentDies();
    }

    String id(String name) {
        FakeEngine.Box box = engine.box(name);
        return box == null ? "" : box.id;
    }

    Memo memo(String name) {
        return reconciler.memos().getOrDefault(name, new Memo());
    }

    ContainerState state(String name) {
        return memo(name).state;
    }

    boolean allUp() {
        Wish wish = reconciler.wish();
        return wish != null
                && wish.containers().keySet().stream()
                        .allMatch(n ->
                                state(n) == ContainerState.DONE
                                        || (state(n) == ContainerState.UP && engine.runs(n)));
    }

    String report() {
        var text =
                new StringBuilder(
                        now
                                + " "
                                + new StatusReport(reconciler, Map.of(), DaemonState.UP)
                                        .make()
                                        .jobState()
                                + "\n");
        reconciler
                .memos()
                .forEach((name, m) ->
                        text.append(name)
                                .append(' ')
                                .append(m.state)
                                .append(" runs=")
                                .append(engine.runs(name))
                                .append(" failures=")
                                .append(m.failures)
                                .append(" '")
                                .append(m.reason)
                                .append("'\n"));
        return text.toString();
    }
}
