package dev.berth.acceptance.fleet;

import dev.berth.bus.AgentEvents;
import dev.berth.bus.NatsBus;
import dev.berth.bus.NatsServer;
import dev.berth.bus.Pki;
import dev.berth.director.DirectorCore;
import dev.berth.director.DirectorIdentity;
import dev.berth.director.HeapKeeper;
import dev.berth.director.Parallel;
import dev.berth.director.Threads;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Digests;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;

/**
 * The process of the director: {@code HOME COUNT}. All of the director but its HTTP door and its
 * registry, on the real bus, which it starts itself, with its store in a file and a cloud that is
 * made up. With a third word {@code listen} it is a client of the bus that hears every beat and
 * does nothing: what hearing alone costs.
 *
 * <p>Orders: {@code deploy}, {@code multiply}, {@code hash}, {@code bus}, {@code lose NUMBER},
 * {@code agent NUMBER}, {@code verdict NUMBER WORD}, {@code begun NUMBER}, {@code seen SINCE},
 * {@code told}. Times are microseconds of the machine's clock.
 */
public final class FleetDirector {
    private static final DirectorIdentity IDENTITY =
            new DirectorIdentity("fleet", "f1ee7000-0000-0000-0000-000000000000", "0", "made-up");
    private static final String REPAIR = "cck_scan_and_fix";
    private static final long LOOK_MICROS = 200;
    private static final int MOST_REPAIRS = 10_000;

    private final int count;
    private final Clock clock = Clock.SYSTEM;
    private final Orders orders = new Orders();
    private final MadeUpCloud cloud =
            new MadeUpCloud(agent -> orders.tell("born " + agent.value()));
    private final Store store;
    private final NatsServer server;
    private final DirectorCore core;
    private Instant seenSince = Instant.MAX;
    private List<AgentId> agents = List.of();

    private FleetDirector(Path home, int count) throws Exception {
        this.count = count;
        Path folder = Files.createDirectories(home.resolve("director"));
        Files.createDirectories(folder.resolve("tasks"));
        Path file = folder.resolve("berth.db");
        boolean isNew = !Files.exists(file);
        store = SqlStore.sqlite(file);
        if (isNew) {
            FleetStore.furnish(store);
        }
        Pki pki = Pki.open(home.resolve("pki"), clock);
        server = server(home, pki);
        core =
                new DirectorCore(
                        new DirectorCore.Ports(
                                IDENTITY,
                                folder,
                                store,
                                cloud,
                                events -> NatsBus.connect(urls(server), pki, events),
                                server,
                                (name, tag) -> "sha256:" + Digests.sha256(name + ":" + tag),
                                null,
                                null,
                                clock,
                                () -> UUID.randomUUID().toString(),
                                Threads.VIRTUAL,
                                Parallel.VIRTUAL_THREADS,
                                new DirectorCore.Welcome(Json.of()),
                                DirectorCore.USUAL_AGENT_WAIT,
                                DirectorCore.Healing.USUAL));
        core.settle();
        core.begin();
        core.watch();
    }

    private static NatsServer server(Path home, Pki pki) {
        return NatsServer.start(
                new NatsServer.Settings(
                        home.resolve("nats"), "127.0.0.1", 0, List.of("127.0.0.1", "localhost")),
                pki);
    }

    private static List<String> urls(NatsServer server) {
        return List.of("nats://127.0.0.1:" + server.port());
    }

    public static void main(String[] args) throws Exception {
        Logger.getLogger("org.flywaydb").setLevel(Level.WARNING);
        HeapKeeper.begin(); // as the director's own process does
        Path home = Path.of(args[0]);
        int count = Integer.parseInt(args[1]);
        if (args.length > 2) {
            new Listener(home, count).serve();
        } else {
            var director = new FleetDirector(home, count);
            director.orders.serve(director::obey);
            // The next process is to find a bus that has to be started, as after `berth down`.
            director.core.close();
            director.server.close();
        }
        System.exit(0);
    }

    private String obey(List<String> words) throws Exception {
        return switch (words.getFirst()) {
            case "bus" -> server.port() + " " + server.pid();
            case "deploy" -> deploy();
            case "multiply" -> {
                FleetStore.multiply(store, count);
                yield "done";
            }
            case "hash" -> FleetStore.hash(store);
            case "lose" -> {
                cloud.lose(FleetStore.vmOf(store, number(words)));
                yield "lost";
            }
            case "agent" -> agent(number(words)).value();
            case "verdict" -> verdict(number(words), words.get(2));
            case "begun" -> begun(FleetNames.instance(number(words)));
            case "seen" -> seen(since(words)) + " " + well();
            case "told" -> told();
            default -> throw new IllegalArgumentException(words.getFirst());
        };
    }

    private static int number(List<String> words) {
        return Integer.parseInt(words.get(1));
    }

    private AgentId agent(int number) {
        return store.read(s -> s.vms(FleetNames.instance(number))).getFirst().agent();
    }

    private String deploy() throws InterruptedException {
        long id =
                core.tasks()
                        .enqueue(
                                "update_deployment",
                                "the first",
                                "admin",
                                FleetNames.deployment(0),
                                "",
                                FleetStore.firstDeploy(store))
                        .id();
        while (true) {
            Rows.Task task = store.read(s -> s.task(id)).orElseThrow();
            if (task.finishedAt() != null) {
                return task.state() + " " + task.result();
            }
            Thread.sleep(20);
        }
    }

    /** Waits for it; when it was so. */
    private String verdict(int number, String word) throws InterruptedException {
        InstanceId instance = FleetNames.instance(number);
        while (core.fleet().verdict(instance).filter(v -> word(v).equals(word)).isEmpty()) {
            Thread.sleep(0, (int) LOOK_MICROS * 1000);
        }
        return now();
    }

    private static String word(Verdict verdict) {
        return verdict.getClass().getSimpleName();
    }

    private String now() {
        return Long.toString(FleetAgent.micros(clock.now()));
    }

    /** Waits until the newest repair names it; when that one was asked for. */
    private String begun(InstanceId instance) throws InterruptedException {
        while (true) {
            List<Rows.Task> repairs = store.read(s -> s.tasks(null, List.of(REPAIR), null, 20));
            for (Rows.Task task : repairs) {
                if (Json.write(task.payload()).contains(instance.value())) {
                    return Long.toString(FleetAgent.micros(task.queuedAt()));
                }
            }
            Thread.sleep(2);
        }
    }

    private static Instant since(List<String> words) {
        return Instant.EPOCH.plus(Long.parseLong(words.get(1)), ChronoUnit.MICROS);
    }

    /** How many were heard after a moment and count as being there. */
    private long seen(Instant since) {
        if (!since.equals(seenSince)) { // asked ten times a second: not for the store each time
            seenSince = since;
            agents = store.read(s -> s.vmsOf(null)).stream().map(Rows.Vm::agent).toList();
        }
        return agents.stream()
                .filter(core.fleet()::responsive)
                .filter(a -> core.fleet().lastSeen(a).filter(at -> at.isAfter(since)).isPresent())
                .count();
    }

    private long well() {
        return IntStream.range(0, count)
                .mapToObj(FleetNames::instance)
                .filter(i ->
                        core.fleet().verdict(i).filter(Verdict.Well.class::isInstance).isPresent())
                .count();
    }

    /** Repairs and alerts ever, and what the alerts are about. */
    private String told() {
        List<Rows.Task> repairs =
                store.read(s -> s.tasks(null, List.of(REPAIR), null, MOST_REPAIRS));
        List<Rows.Alert> alerts = store.read(s -> s.alerts(null, MOST_REPAIRS));
        return repairs.size()
                + " "
                + alerts.size()
                + " "
                + alerts.stream()
                        .limit(5)
                        .map(a -> a.state() + ": " + a.content().get("title"))
                        .toList();
    }

    /** Hears all and does nothing. */
    private static final class Listener implements AgentEvents {
        private final NatsServer server;
        private final AtomicLong beats = new AtomicLong();
        private final java.util.Set<AgentId> here = ConcurrentHashMap.newKeySet();

        Listener(Path home, int count) {
            Pki pki = Pki.open(home.resolve("pki"), Clock.SYSTEM);
            server = server(home, pki);
            server.reset(IntStream.range(0, count).mapToObj(FleetNames::agent).toList());
            NatsBus.connect(urls(server), pki, this);
        }

        void serve() throws Exception {
            new Orders()
                    .serve(words ->
                            switch (words.getFirst()) {
                                case "bus" -> server.port() + " " + server.pid();
                                case "seen" -> here.size() + " " + here.size();
                                case "beats" -> Long.toString(beats.get());
                                default -> throw new IllegalArgumentException(words.getFirst());
                            });
            server.close();
        }

        @Override
        public void heartbeat(Heartbeat heartbeat) {
            beats.incrementAndGet();
            here.add(heartbeat.agent());
        }

        @Override
        public void alert(AgentId agent, Alert alert) {}

        @Override
        public void shutdown(AgentId agent) {}

        @Override
        public void connected(AgentId agent) {}

        @Override
        public void disconnected(AgentId agent) {}
    }
}
