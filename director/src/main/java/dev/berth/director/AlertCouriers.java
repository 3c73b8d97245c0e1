package dev.berth.director;

import dev.berth.alerts.Courier;
import dev.berth.alerts.Incident;
import dev.berth.alerts.Notice;
import dev.berth.alerts.Outbox;
import dev.berth.alerts.Sinks;
import dev.berth.model.AlertsConfig;
import dev.berth.model.AlertsConfigs;
import dev.berth.model.Clock;
import dev.berth.model.Interpolation;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.VariableSource;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whoever is told of alerts: sinks as the configs of type {@code alerts} say, a courier each, and
 * the outbox that all of them empty. Thread-safe.
 */
final class AlertCouriers implements Outbox, AutoCloseable {
    static final String TYPE = "alerts";

    /** The name of the config that says when alerts are told. */
    private static final String TIMING = "default";

    private static final System.Logger LOG = System.getLogger(AlertCouriers.class.getName());
    private static final int MOST_CONFIGS = 100;

    /** For each sink: a day of a large fleet's trouble. */
    private static final int MOST_WAITING = 10_000;

    private final Store store;
    private final Clock clock;
    private final VariableSource variables;
    private final Sinks sinks;
    private final Courier.Patience patience;
    private volatile AlertsConfig config = AlertsConfig.EMPTY;
    private volatile Map<String, Served> served = Map.of();
    private volatile String problem = "";
    private boolean running;

    /** A sink with its courier. */
    record Served(AlertsConfig.Sink sink, Courier courier) {}

    AlertCouriers(
            Store store,
            Clock clock,
            VariableSource variables,
            Sinks sinks,
            Courier.Patience patience) {
        this.store = store;
        this.clock = clock;
        this.variables = variables;
        this.sinks = sinks;
        this.patience = patience;
    }

    // --- configuration

    /**
     * Refuses what could not work.
     *
     * @throws ProblemException with all that is wrong, each with its place and remedy
     */
    void check(String name, String yaml) {
        AlertsConfig one = read(yaml);
        var names = new HashSet<String>();
        one.sinks().forEach(sink -> names.add(sink.name()));
        var problems = new ArrayList<Problem>();
        if (!name.equals(TIMING) && !one.timing().equals(AlertsConfig.Timing.DEFAULT)) {
            problems.add(
                    new Problem(
                            440010,
                            "timing",
                            "config '"
                                    + name
                                    + "' cannot say it: two configs could differ, and all alerts"
                                    + " have one timing",
                            "write it into the config of the name '" + TIMING + "'"));
        }
        for (Rows.Config other : configs()) {
            if (other.name().equals(name)) {
                continue;
            }
            for (AlertsConfig.Sink sink : read(other.content()).sinks()) {
                if (names.contains(sink.name())) {
                    problems.add(
                            new Problem(
                                    440010,
                                    "sink " + sink.name(),
                                    "config '" + other.name() + "' has a sink of that name",
                                    "rename one of them"));
                }
            }
        }
        one.sinks()
                .forEach(sink -> {
                    try {
                        sinks.of(sink.target()).close();
                    } catch (Exception e) {
                        problems.add(
                                new Problem(
                                        440010,
                                        "sink " + sink.name(),
                                        Failures.message(e),
                                        "mend the value"));
                    }
                });
        if (!problems.isEmpty()) {
            throw new ProblemException(problems);
        }
    }

    private AlertsConfig read(String yaml) {
        return AlertsConfigs.parse(
                YamlDocument.parseConfig(yaml, TYPE), Interpolation.absoluteOnly(variables));
    }

    private List<Rows.Config> configs() {
        return store.read(s -> s.configs(TYPE, null, true, 1)).stream()
                .limit(MOST_CONFIGS)
                .toList();
    }

    /** Takes up what the configs say now; sinks that are the same go on undisturbed. */
    synchronized void reload() {
        if (!running) {
            return;
        }
        try {
            var all = new ArrayList<AlertsConfig.Sink>();
            AlertsConfig.Timing timing = AlertsConfig.Timing.DEFAULT;
            for (Rows.Config row : configs()) {
                AlertsConfig one = read(row.content());
                all.addAll(one.sinks());
                timing = row.name().equals(TIMING) ? one.timing() : timing;
            }
            serve(all);
            config = new AlertsConfig(List.copyOf(all), timing, List.of());
            problem = "";
        } catch (RuntimeException e) {
            // The last good one goes on: alerts are what such trouble is told by.
            problem = Failures.message(e);
            LOG.log(
                    System.Logger.Level.ERROR,
                    "config=alerts state=bad: {0}; mend it with: berth update-config --type alerts FILE",
                    problem);
        }
    }

    private void serve(List<AlertsConfig.Sink> all) {
        var next = new LinkedHashMap<String, Served>();
        for (AlertsConfig.Sink sink : all) {
            Served old = served.get(sink.name());
            next.put(
                    sink.name(),
                    old != null && old.sink.target().equals(sink.target())
                            ? new Served(sink, old.courier)
                            : new Served(sink, courier(sink)));
        }
        Map<String, Served> before = served;
        served = Map.copyOf(next);
        before.forEach((name, old) -> {
            Served now = next.get(name);
            if (now == null || now.courier != old.courier) {
                old.courier.close();
            }
        });
        for (Served one : next.values()) {
            if (!before.containsKey(one.sink.name())
                    || Objects.requireNonNull(before.get(one.sink.name())).courier != one.courier) {
                one.courier.start();
            }
        }
        for (String name : store.read(StoreSession::waitingDeliveries).keySet()) {
            if (!next.containsKey(name)) {
                int gone =
                        store.write(s ->
                                s.dropDeliveries(
                                        name, "the sink is not configured any more", clock.now()));
                LOG.log(System.Logger.Level.WARNING, "sink={0} removed, dropped={1}", name, gone);
            }
        }
    }

    private Courier courier(AlertsConfig.Sink sink) {
        return new Courier(
                sink.name(),
                sinks.of(sink.target()),
                this,
                clock,
                patience,
                sink.target() instanceof AlertsConfig.Email mail ? mail.digest() : null);
    }

    void start() {
        synchronized (this) {
            running = true;
        }
        reload();
    }

    AlertsConfig.Timing timing() {
        return config.timing();
    }

    /** Why the config as it is now is not in force; empty: it is. */
    String problem() {
        return problem;
    }

    Map<String, Served> served() {
        return served;
    }

    Optional<Served> served(String name) {
        return Optional.ofNullable(served.get(name));
    }

    // --- what is to be told

    /** In the transaction that keeps the alert; returns how many are to be told. */
    int enqueue(StoreSession session, Notice notice) {
        Incident incident = notice.incident();
        Map<String, Long> waiting = session.waitingDeliveries();
        List<String> told =
                session.deliveriesOf(incident.number()).stream().map(Rows.Delivery::sink).toList();
        int count = 0;
        for (Served one : served.values()) {
            String sink = one.sink.name();
            if (!wants(one.sink, notice, told.contains(sink))) {
                continue;
            }
            if (waiting.getOrDefault(sink, 0L) >= MOST_WAITING) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "sink={0} dropped={1}: {2} wait already; mend the sink (berth alerts test"
                                + " {0}) or take it out of the config",
                        sink,
                        notice.id(),
                        Integer.toString(MOST_WAITING));
                continue;
            }
            Instant now = clock.now();
            boolean fresh =
                    session.addDelivery(
                            new Rows.Delivery(
                                    0,
                                    sink,
                                    notice.id(),
                                    incident.number(),
                                    "waiting",
                                    now,
                                    0,
                                    now,
                                    null,
                                    "",
                                    notice.toTree()));
            count += fresh ? 1 : 0;
        }
        return count;
    }

    /** Who heard of the beginning hears of the end, whatever became of it meanwhile. */
    private static boolean wants(AlertsConfig.Sink sink, Notice notice, boolean told) {
        Incident incident = notice.incident();
        boolean passes =
                sink.filter()
                        .passes(incident.severity(), incident.deployments(), incident.groups());
        return switch (notice.kind()) {
            case OPEN, TEST -> passes;
            case UPDATE -> passes || told;
            case ACKNOWLEDGE, RESOLVE -> told;
        };
    }

    void poke() {
        served.values().forEach(one -> one.courier.poke());
    }

    // --- the outbox

    @Override
    public List<Parcel> waiting(String sink, int limit) {
        Instant now = clock.now();
        // What is due later than any pause allows was put off before the clock was set back.
        Instant latest = now.plus(patience.longest());
        return store.read(s -> s.waitingDeliveries(sink, limit)).stream()
                .map(d ->
                        new Parcel(
                                d.id(),
                                Notice.fromTree(d.content()),
                                d.attempts(),
                                d.createdAt(),
                                d.dueAt().isAfter(latest) ? now : d.dueAt()))
                .toList();
    }

    @Override
    public void delivered(String sink, List<Parcel> parcels, String said) {
        update(sink, parcels, d -> d.ended("delivered", clock.now(), said));
    }

    @Override
    public void failed(String sink, List<Parcel> parcels, Instant next, String said) {
        update(sink, parcels, d -> d.triedInVain(next, said));
    }

    @Override
    public void dropped(String sink, List<Parcel> parcels, String said) {
        update(sink, parcels, d -> d.ended("dropped", clock.now(), said));
    }

    private void update(
            String sink,
            List<Parcel> parcels,
            java.util.function.UnaryOperator<Rows.Delivery> change) {
        store.update(s -> {
            for (Parcel parcel : parcels) {
                s.deliveriesOf(parcel.notice().incident().number()).stream()
                        .filter(d -> d.id() == parcel.id() && d.sink().equals(sink))
                        .forEach(d -> s.saveDelivery(change.apply(d)));
            }
        });
    }

    @Override
    public void close() {
        Map<String, Served> all = served;
        served = Map.of();
        synchronized (this) {
            running = false;
        }
        all.values().forEach(one -> one.courier.close());
    }

    @Nullable Courier courierOf(String name) {
        Served one = served.get(name);
        return one == null ? null : one.courier;
    }
}
