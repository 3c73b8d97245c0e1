package dev.berth.director;

import dev.berth.alerts.Alarm;
import dev.berth.alerts.AlertBook;
import dev.berth.alerts.Change;
import dev.berth.alerts.Courier;
import dev.berth.alerts.Incident;
import dev.berth.alerts.Notice;
import dev.berth.alerts.SinkException;
import dev.berth.model.Clock;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreException;
import dev.berth.store.StoreSession;
import dev.berth.wire.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the alerts: what the monitor says goes through the book, and what the book decides goes
 * into the store together with what is to be told of it. Thread-safe.
 */
final class AlertDesk implements AlertSink, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(AlertDesk.class.getName());

    /** Of alerts that are over; a year of a quiet fleet. */
    private static final int KEPT = 1_000;

    private static final int FORGET_EVERY = 50;
    private static final int MOST_OPEN = 10_000;
    private static final int MOST_UNSAVED = 10_000;
    private static final Duration LOOK = Duration.ofSeconds(5);

    /**
     * For how long it may be unwritten who has joined an alert or left it, of which nobody is told:
     * of an alert of thousands each would write all of them anew. What a killed director has not
     * written the next one sees by itself.
     */
    private static final Duration QUIETLY = Duration.ofSeconds(1);

    private static final String USER = "health_monitor";

    private final Store store;
    private final Clock clock;
    private final DirectorIdentity identity;
    private final AlertCouriers couriers;
    private final InheritedAlerts inherited;
    private final Semaphore news = new Semaphore(0);

    /** Decided, and not in the store yet because it failed; told when it is. */
    private final Deque<Change> unsaved = new ArrayDeque<>();

    /** Alerts with members that came or went, as they are now; written within {@link #QUIETLY}. */
    private final Map<Long, Incident> touched = new LinkedHashMap<>();

    private @Nullable Instant touchedAt;
    private @Nullable AlertBook book;
    private Instant lookAt = Instant.MIN;
    private long saved;
    private @Nullable Thread thread;

    AlertDesk(
            Store store,
            Clock clock,
            DirectorIdentity identity,
            AlertCouriers couriers,
            FleetView fleet) {
        this.store = store;
        this.clock = clock;
        this.identity = identity;
        this.couriers = couriers;
        this.inherited = new InheritedAlerts(fleet, clock);
    }

    AlertCouriers couriers() {
        return couriers;
    }

    /** Made when first needed: a store that is to be recovered is not read before. */
    private AlertBook book() {
        AlertBook now = book;
        if (now == null) {
            List<Rows.Alert> rows =
                    store.read(s -> {
                        var all =
                                new ArrayList<>(
                                        s.alerts(List.of("open", "acknowledged"), MOST_OPEN));
                        all.addAll(s.alerts(List.of("resolved"), KEPT));
                        return all;
                    });
            long last = rows.stream().mapToLong(Rows.Alert::number).max().orElse(0);
            now =
                    new AlertBook(
                            couriers.timing(),
                            rows.stream().map(r -> Incident.fromTree(r.content())).toList(),
                            last);
            book = now;
            inherited.begin(now.troubles().keySet());
        }
        return now;
    }

    // --- what the monitor says

    @Override
    public synchronized void raised(Alert alert) {
        try {
            AlertBook known = book(); // what is inherited is known before anybody is heard
            Alarm alarm = store.read(s -> AlertSources.alarm(alert, s));
            inherited.heard(alarm.key());
            keep(
                    AlertSources.isEnd(alert)
                            ? known.resolved(alarm.key(), "its agent says so", clock.steady())
                            : known.raised(alarm, clock.steady()));
            inherited.watch(alarm);
        } catch (StoreException e) {
            cannot(alert.id(), e);
        }
    }

    @Override
    public synchronized void resolved(String id, String title) {
        try {
            AlertBook known = book();
            inherited.heard(id);
            keep(known.resolved(id, "it is well again", clock.steady()));
        } catch (StoreException e) {
            cannot(id, e);
        }
    }

    @Override
    public void waiting(String about, String reason) {
        try {
            store.update(s -> event(s, "wait", about, null, reason));
        } catch (StoreException e) {
            cannot(about, e);
        }
    }

    private static void cannot(String id, StoreException e) {
        LOG.log(System.Logger.Level.ERROR, "alert={0} cannot be recorded: {1}", id, e.getMessage());
    }

    // --- what people say

    /** Null user in an answer: it was over, or taken up already. */
    synchronized boolean acknowledge(long number, String who) {
        return keep(book().acknowledge(number, who, clock.steady()));
    }

    synchronized boolean end(long number, String who) {
        return keep(book().end(number, who, clock.steady()));
    }

    /** Says what the other side said; or throws, with why it could not be told. */
    String test(String sink) throws SinkException, InterruptedException {
        Courier courier = couriers.courierOf(sink);
        if (courier == null) {
            throw new ProblemException(
                    440012,
                    "There is no sink '"
                            + sink
                            + "'; there "
                            + (couriers.served().isEmpty()
                                    ? "is none: berth update-config --type alerts FILE"
                                    : "are " + String.join(", ", couriers.served().keySet())));
        }
        Instant now = clock.steady();
        var alarm =
                new Alarm(
                        "test",
                        Alarm.Kind.OWN,
                        4,
                        "a test of the sink " + sink,
                        "Nothing is wrong: somebody wanted to know whether this arrives.",
                        null,
                        null,
                        null,
                        null);
        return courier.test(
                new Notice(
                        key(0) + "-test-" + now.toEpochMilli(),
                        Notice.Kind.TEST,
                        Incident.single(alarm, now),
                        identity.name(),
                        key(0) + "-test-" + now.toEpochMilli(),
                        now));
    }

    Optional<Incident> incident(long number) {
        return store.read(s -> s.alert(number)).map(row -> Incident.fromTree(row.content()));
    }

    // --- keeping

    private boolean keep(List<Change> changes) {
        if (changes.isEmpty()) {
            poke();
            return false;
        }
        if (unsaved.size() + changes.size() > MOST_UNSAVED) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "dropped {0} changes of alerts: the store takes none",
                    unsaved.size());
            unsaved.clear();
        }
        note(changes);
        if (!unsaved.isEmpty()) {
            save();
        }
        poke();
        return true;
    }

    private void note(List<Change> changes) {
        for (Change change : changes) {
            if (change.told() == null) {
                touched.put(change.incident().number(), change.incident());
                touchedAt = touchedAt == null ? clock.steady() : touchedAt;
            } else {
                touched.remove(change.incident().number()); // this one is newer
                unsaved.add(change);
            }
        }
    }

    /** All or nothing; what failed is kept for the next turn. */
    private void save() {
        if (unsaved.isEmpty() && touched.isEmpty()) {
            return;
        }
        var all = new ArrayList<>(unsaved);
        touched.values().forEach(incident -> all.add(new Change(incident, null)));
        Instant now = clock.steady();
        store.update(s -> all.forEach(change -> save(s, change, now)));
        unsaved.clear();
        touched.clear();
        touchedAt = null;
        saved += all.size();
        if (saved >= FORGET_EVERY) {
            saved = 0;
            store.update(s -> s.forgetAlerts(KEPT));
        }
        couriers.poke();
    }

    private void save(StoreSession s, Change change, Instant now) {
        Incident incident = change.incident();
        s.saveAlert(
                new Rows.Alert(
                        incident.number(),
                        incident.state().text(),
                        incident.changedAt(),
                        incident.toTree()));
        Notice.Kind kind = change.told();
        if (kind == null) {
            return;
        }
        String number = Long.toString(incident.number());
        switch (kind) {
            case OPEN -> event(s, "create", number, incident, incident.title());
            case ACKNOWLEDGE ->
                    event(s, "acknowledge", number, incident, "by " + incident.acknowledgedBy());
            case RESOLVE ->
                    event(
                            s,
                            "resolve",
                            number,
                            incident,
                            incident.title() + ": " + incident.because());
            case UPDATE, TEST -> {}
        }
        String id = key(incident.number()) + "-" + kind.text();
        couriers.enqueue(
                s,
                new Notice(
                        kind == Notice.Kind.UPDATE ? id + "-" + now.toEpochMilli() : id,
                        kind,
                        incident,
                        identity.name(),
                        key(incident.number()),
                        now));
    }

    /** The same for all that is told of one alert, and of no other environment's. */
    private String key(long number) {
        return "berth-" + identity.uuid() + "-" + number;
    }

    private void event(
            StoreSession s,
            String action,
            String name,
            @Nullable Incident incident,
            String message) {
        List<String> deployments = incident == null ? List.of() : incident.deployments();
        List<String> keys =
                incident == null
                        ? List.of()
                        : incident.members().stream().map(m -> m.alarm().key()).limit(100).toList();
        s.addEvent(
                new Rows.Event(
                        0,
                        null,
                        clock.steady(),
                        USER,
                        action,
                        "alert",
                        name,
                        null,
                        deployments.size() == 1 ? deployments.getFirst() : null,
                        null,
                        null,
                        keys.isEmpty()
                                ? Json.of("message", message)
                                : Json.of("message", message, "about", keys)));
    }

    // --- time

    /** Decides what time brings; returns when to come again. */
    synchronized Instant turn() {
        Instant now = clock.steady();
        AlertBook current = book();
        current.timing(couriers.timing());
        if (!now.isBefore(lookAt)) {
            lookAt = now.plus(LOOK);
            over(current, now);
        }
        note(current.tick(now));
        Instant write = touchedAt == null ? lookAt : touchedAt.plus(QUIETLY);
        if (!unsaved.isEmpty() || !now.isBefore(write)) {
            save();
            write = lookAt;
        }
        Instant next = current.nextWake();
        Instant latest = write.isBefore(lookAt) ? write : lookAt;
        return next == null || next.isAfter(latest) ? latest : next;
    }

    private void over(AlertBook current, Instant now) {
        Set<String> on = new HashSet<>();
        current.troubles().keySet().forEach(a -> on.add(a.key()));
        if (on.isEmpty() || !inherited.any(on)) {
            return;
        }
        store.read(s -> inherited.over(s, on))
                .forEach((key, why) -> note(current.resolved(key, why, now)));
    }

    void start() {
        couriers.start();
        thread = Thread.ofVirtual().name("alert-desk").start(this::run);
    }

    private void poke() {
        if (news.availablePermits() == 0) {
            news.release();
        }
    }

    private void run() {
        try {
            while (true) {
                Instant next;
                try {
                    next = turn();
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "alerts go on after", e);
                    next = clock.steady().plus(LOOK);
                }
                long rest = Math.max(1, Duration.between(clock.steady(), next).toMillis());
                if (news.tryAcquire(rest, TimeUnit.MILLISECONDS)) {
                    news.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    @Override
    public void close() {
        if (thread != null) {
            thread.interrupt();
        }
        synchronized (this) {
            try {
                save();
            } catch (StoreException e) {
                LOG.log(System.Logger.Level.WARNING, "alerts are not all recorded", e);
            }
        }
        couriers.close();
    }
}
