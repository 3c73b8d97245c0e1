package dev.berth.acceptance;

import dev.berth.acceptance.fleet.FleetAgents;
import dev.berth.acceptance.fleet.FleetDirector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/**
 * {@code berth bench fleet}: a director with its real bus beside so many agents that are made up;
 * what it costs, how soon it notices, and what a storm of them does. Needs no engine.
 */
final class FleetBenchmark {
    private static final int PERIOD = 5;
    private static final int SETTLE_SECONDS = 10;
    private static final int WINDOW_SECONDS = 20;
    private static final int LAG_SAMPLES = 100;
    private static final int LOST = 5;
    private static final int HUNG = 2;
    private static final double MICROS = 1e6;

    private final int count;
    private final Path home;
    private final List<String> directorFlags;
    private final Consumer<String> say;
    private final Random random = new Random(7);
    private final List<BenchResult> results = new ArrayList<>();

    FleetBenchmark(int count, Path home, List<String> directorFlags, Consumer<String> say) {
        this.count = count;
        this.home = home;
        this.directorFlags = directorFlags;
        this.say = say;
    }

    List<BenchResult> run() throws IOException {
        BenchTools.run("rm", "-rf", home.toString());
        Files.createDirectories(home);
        try {
            String hash = prepare();
            measure(hash);
            return results;
        } catch (BenchException e) {
            BenchTools.run("sh", "-c", "tail -n 15 " + home + "/*.log >&2 || true");
            throw e;
        } finally {
            BenchTools.run("rm", "-rf", home.toString());
        }
    }

    // --- processes

    private FleetProcess director(Consumer<String> events, String... more) {
        var arguments = new ArrayList<>(List.of(home.toString(), String.valueOf(count)));
        arguments.addAll(List.of(more));
        return FleetProcess.start(
                "the director",
                directorFlags,
                FleetDirector.class,
                arguments,
                home.resolve("director.log"),
                events);
    }

    private FleetProcess agents(int port) {
        return FleetProcess.start(
                "the agents",
                List.of("-XX:+UseSerialGC", "-Xmn256m", "-Xmx6g", "-XX:-UsePerfData"),
                FleetAgents.class,
                List.of(home.toString(), String.valueOf(port), String.valueOf(PERIOD)),
                home.resolve("agents.log"),
                event -> {});
    }

    private static int port(FleetProcess director) {
        return Integer.parseInt(director.ask("bus").split(" ")[0]);
    }

    private static long busPid(FleetProcess director) {
        return Long.parseLong(director.ask("bus").split(" ")[1]);
    }

    /** A VM that is made has an agent from then on. */
    private static Consumer<String> birth(FleetProcess[] agents) {
        return event -> {
            String[] words = event.split(" ");
            if (words[0].equals("born")) {
                agents[0].ask("adopt " + words[1]);
            }
        };
    }

    /** The records of the fleet, as the director itself makes them; what agents have applied. */
    private String prepare() {
        say.accept("recording " + count + " instances");
        var made = new FleetProcess[1];
        try (FleetProcess director = director(birth(made));
                FleetProcess agents = agents(port(director))) {
            made[0] = agents;
            String state = director.ask("deploy");
            if (!state.startsWith("done")) {
                throw new BenchException("the first instance cannot be deployed: " + state);
            }
            director.ask("multiply");
            return director.ask("hash");
        }
    }

    // --- what is measured

    private void measure(String hash) {
        var own = new FleetProcess[1];
        ProcessCost hearing;
        ProcessCost bareBus;
        FleetProcess listener = director(event -> {}, "listen");
        try (FleetProcess agents = agents(port(listener))) {
            own[0] = agents;
            try {
                say.accept("connecting " + count + " agents to a listener that does nothing");
                agents.ask("open " + count + " " + hash);
                awaitSeen(listener, 0, 600);
                BenchTools.pause(SETTLE_SECONDS * 1000L);
                hearing = new ProcessCost(listener.pid());
                bareBus = new ProcessCost(busPid(listener));
                BenchTools.pause(WINDOW_SECONDS * 1000L);
                hearing.stop();
                bareBus.stop();
            } finally {
                listener.close();
            }
            long begun = System.nanoTime();
            try (FleetProcess director = director(birth(own))) {
                say.accept("starting the director");
                started(director, begun);
                rest(director, agents, hearing, bareBus);
                say.accept("one agent after the other fails a little");
                lag(director, agents);
                say.accept("VMs die");
                lost(director, agents);
                hung(director, agents);
                say.accept("the bus is killed");
                storm(director, agents);
            }
        }
    }

    /** Half of them, nearly all, and all, in seconds from now on. */
    private double[] awaitSeen(FleetProcess director, long since, int limit) {
        long begun = System.nanoTime();
        var at = new double[3];
        while (at[2] == 0) {
            double now = BenchTools.secondsSince(begun);
            long seen = Long.parseLong(director.ask("seen " + since).split(" ")[0]);
            int[] marks = {count / 2, count - count / 100, count};
            for (int i = 0; i < marks.length; i++) {
                if (at[i] == 0 && seen >= marks[i]) {
                    at[i] = now;
                }
            }
            if (now > limit) {
                throw new BenchException("only " + seen + " agents are seen after " + limit + " s");
            }
            BenchTools.pause(100);
        }
        return at;
    }

    private void started(FleetProcess director, long begun) {
        double ready = BenchTools.secondsSince(begun);
        double[] at = awaitSeen(director, 0, 600);
        BenchTools.await("all to be well", 300, 100, () -> well(director) == count);
        var parts = new LinkedHashMap<String, Double>();
        parts.put("process and bus ready", ready);
        parts.put("half of the agents seen", ready + at[0]);
        parts.put("99 % seen", ready + at[1]);
        parts.put("all seen", ready + at[2]);
        add(
                "director and bus started, all agents well",
                "s",
                DoubleStream.of(BenchTools.secondsSince(begun)),
                null,
                "",
                "from the start of the process, which starts the bus, until the judge says of each"
                        + " that it is well",
                parts);
    }

    private static long well(FleetProcess director) {
        return Long.parseLong(director.ask("seen 0").split(" ")[1]);
    }

    private void rest(
            FleetProcess director, FleetProcess agents, ProcessCost hearing, ProcessCost bareBus) {
        BenchTools.pause(SETTLE_SECONDS * 1000L);
        var cost = new ProcessCost(director.pid());
        var bus = new ProcessCost(busPid(director));
        var others = new ProcessCost(agents.pid());
        BenchTools.pause(WINDOW_SECONDS * 1000L);
        cost.stop();
        bus.stop();
        others.stop();
        String method = "over " + WINDOW_SECONDS + " s, each beating every " + PERIOD + " s; ";
        Map<String, Double> beside =
                Map.of("the process of the agents (% of a core)", others.percent());
        add(
                "director CPU",
                "%",
                DoubleStream.of(cost.percent()),
                Samples.of(hearing.percent()),
                count == 10_000 ? "< 50 % of a core" : "",
                method + "baseline: a process that hears each beat from the bus and drops it",
                beside);
        add(
                "director resident",
                "MB",
                DoubleStream.of(cost.megabytes()),
                Samples.of(hearing.megabytes()),
                count == 1_000 ? "<= 400 MB" : "",
                "VmRSS at its end, without HTTP door and registry; baseline: the same",
                Map.of("highest since its start (MB)", cost.highest()));
        add(
                "nats-server CPU",
                "%",
                DoubleStream.of(bus.percent()),
                Samples.of(bareBus.percent()),
                "",
                method + "baseline: with the process that drops",
                Map.of());
        add(
                "nats-server resident",
                "MB",
                DoubleStream.of(bus.megabytes()),
                Samples.of(bareBus.megabytes()),
                "",
                "VmRSS, one TLS connection an agent",
                Map.of());
    }

    /** A beat that says something new, from before it is sent until the verdict is another. */
    private void lag(FleetProcess director, FleetProcess agents) {
        var millis = new ArrayList<Double>();
        for (int i = 0; i < LAG_SAMPLES; i++) {
            int number = random.nextInt(count);
            String agent = director.ask("agent " + number);
            long said = agents.number("turn " + agent + " failing");
            long judged = director.number("verdict " + number + " Degraded");
            millis.add((judged - said) / 1e3);
            agents.number("turn " + agent + " running");
            director.number("verdict " + number + " Well");
        }
        add(
                "judge lag",
                "ms",
                millis.stream().mapToDouble(d -> d),
                null,
                "",
                "an agent says that its containers fail; from before its beat is sent until its"
                        + " verdict is 'degraded', looked at five thousand times a second",
                Map.of("95th percentile (ms)", percentile(millis, 95)));
    }

    static double percentile(List<Double> values, int percent) {
        List<Double> sorted = values.stream().sorted().toList();
        int index = (int) Math.ceil(sorted.size() * percent / 100.0) - 1;
        return sorted.get(Math.max(0, index));
    }

    private void lost(FleetProcess director, FleetProcess agents) {
        var noticed = new ArrayList<Double>();
        var begun = new ArrayList<Double>();
        var back = new ArrayList<Double>();
        for (int i = 0; i < LOST; i++) {
            // Each of a deployment of its own: a second one would wait for nothing, but be odd.
            int number = count / LOST * i + random.nextInt(Math.min(count / LOST, 90));
            String agent = director.ask("agent " + number);
            director.ask("lose " + number);
            long at = agents.number("end " + agent);
            noticed.add((director.number("verdict " + number + " Gone") - at) / MICROS);
            begun.add((director.number("begun " + number) - at) / MICROS);
            back.add((director.number("verdict " + number + " Well") - at) / MICROS);
        }
        add(
                "VM gone, noticed",
                "s",
                noticed.stream().mapToDouble(d -> d),
                null,
                "",
                "the agent's connection is closed and the cloud has no such VM; until the verdict"
                        + " is 'gone'",
                Map.of(
                        "until the repair is a task",
                        new Samples(begun).median(),
                        "until the new VM is well",
                        new Samples(back).median()));
    }

    private void hung(FleetProcess director, FleetProcess agents) {
        var begun = new ArrayList<Double>();
        for (int i = 0; i < HUNG; i++) {
            int number = count / 3 * (i + 1) - 7;
            String agent = director.ask("agent " + number);
            long at = agents.number("mute " + agent);
            begun.add((director.number("begun " + number) - at) / MICROS);
            agents.ask("unmute " + agent);
            director.number("verdict " + number + " Well");
        }
        add(
                "agent silent, VM there, repair begun",
                "s",
                begun.stream().mapToDouble(d -> d),
                null,
                "<= 15 s after its last beat",
                "the agent says nothing any more with its connection open; its last beat was up to "
                        + PERIOD
                        + " s before",
                Map.of());
    }

    private void storm(FleetProcess director, FleetProcess agents) {
        String[] before = director.ask("told").split(" ", 3);
        var cost = new ProcessCost(director.pid());
        long since = System.currentTimeMillis() * 1000;
        long begun = System.nanoTime();
        ProcessHandle.of(busPid(director)).ifPresent(ProcessHandle::destroyForcibly);
        double[] at = awaitSeen(director, since, 300);
        double all = BenchTools.secondsSince(begun);
        cost.stop();
        BenchTools.await("all to be well", 300, 100, () -> well(director) == count);
        double healed = BenchTools.secondsSince(begun);
        BenchTools.pause(40_000); // what comes of it comes by then
        String[] after = director.ask("told").split(" ", 3);
        var parts = new LinkedHashMap<String, Double>();
        parts.put("half of the agents", at[0]);
        parts.put("99 %", at[1]);
        parts.put("all well", healed);
        parts.put("repairs begun (of it)", difference(after, before, 0));
        parts.put("alerts (of it)", difference(after, before, 1));
        parts.put("director's CPU meanwhile (% of a core)", cost.percent());
        parts.put("its highest size (MB)", cost.highest());
        parts.put("tries of agents in vain, since they began (of it)", refusals(agents));
        add(
                "bus killed, all agents seen again",
                "s",
                DoubleStream.of(all),
                null,
                "no repair, no alert about an instance",
                "kill -9 of nats-server; the director starts it again; each agent comes back with a"
                        + " TLS handshake of its own, on the same two cores. Alerts: "
                        + after[2],
                parts);
    }

    private static double refusals(FleetProcess agents) {
        return Double.parseDouble(agents.ask("connected").split(" ")[1]);
    }

    private static double difference(String[] after, String[] before, int index) {
        return Double.parseDouble(after[index]) - Double.parseDouble(before[index]);
    }

    private void add(
            String name,
            String unit,
            DoubleStream values,
            @Nullable Samples baseline,
            String target,
            String method,
            Map<String, Double> parts) {
        results.add(
                new BenchResult(
                        name + ", " + "%,d".formatted(count) + " agents",
                        unit,
                        new Samples(values.boxed().toList()),
                        baseline,
                        target,
                        method,
                        parts));
    }
}
