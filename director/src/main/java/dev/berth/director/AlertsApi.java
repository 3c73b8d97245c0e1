package dev.berth.director;

import dev.berth.alerts.Courier;
import dev.berth.alerts.Incident;
import dev.berth.alerts.SinkException;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code /alerts}: what is wrong and was, and who has been told. */
final class AlertsApi {
    private static final int MOST = 1_000;
    private static final int BAD = 440010;
    private static final int UNKNOWN = 440012;

    private final AlertDesk desk;
    private final Store store;

    AlertsApi(AlertDesk desk, Store store) {
        this.desk = desk;
        this.store = store;
    }

    void addTo(Router router) {
        router.get("/alerts", Access.READ, this::list);
        router.get("/alerts/{id}", Access.READ, this::show);
        router.on("PUT", "/alerts/{id}", "application/json", Access.ADMIN, this::change);
        router.get("/alert_sinks", Access.READ, this::sinks);
        router.on("POST", "/alert_sinks/{name}/test", "", Access.ADMIN, this::test);
    }

    private Reply list(Call call) {
        List<String> states = call.flag("all") ? null : List.of("open", "acknowledged");
        String deployment = call.query("deployment");
        return Reply.json(
                store.read(s -> s.alerts(states, MOST)).stream()
                        .map(row -> Incident.fromTree(row.content()))
                        .filter(i -> deployment == null || i.deployments().contains(deployment))
                        .map(AlertsApi::json)
                        .toList());
    }

    /** Without what only the book needs, and without the list of what it is about. */
    private static Map<String, Object> json(Incident incident) {
        return Json.of(
                "id",
                Long.toString(incident.number()),
                "state",
                incident.state().text(),
                "severity",
                incident.severity(),
                "title",
                incident.title(),
                "deployments",
                incident.deployments(),
                "instances",
                incident.members().size(),
                "opened_at",
                incident.openedAt().getEpochSecond(),
                "resolved_at",
                seconds(incident.resolvedAt()),
                "acknowledged_by",
                incident.acknowledgedBy(),
                "flapping",
                incident.flapping());
    }

    private static @Nullable Long seconds(@Nullable Instant at) {
        return at == null ? null : at.getEpochSecond();
    }

    private Reply show(Call call) {
        Incident incident = find(call);
        Map<String, Object> tree = json(incident);
        tree.put("summary", incident.summary());
        tree.put("because", incident.because());
        tree.put("acknowledged_at", seconds(incident.acknowledgedAt()));
        tree.put(
                "members",
                incident.members().stream()
                        .map(m ->
                                Json.of(
                                        "about",
                                        m.alarm().key(),
                                        "severity",
                                        m.alarm().severity(),
                                        "title",
                                        m.alarm().title(),
                                        "summary",
                                        m.alarm().summary(),
                                        "deployment",
                                        m.alarm().deployment(),
                                        "az",
                                        m.alarm().az(),
                                        "began_at",
                                        m.begun().getLast().getEpochSecond(),
                                        "ended_at",
                                        seconds(m.endedAt())))
                        .toList());
        tree.put(
                "deliveries",
                store.read(s -> s.deliveriesOf(incident.number())).stream()
                        .map(AlertsApi::delivery)
                        .toList());
        return Reply.json(tree);
    }

    private static Map<String, Object> delivery(Rows.Delivery d) {
        return Json.of(
                "sink",
                d.sink(),
                "notice",
                d.notice(),
                "action",
                String.valueOf(d.content().get("kind")).toLowerCase(java.util.Locale.ROOT),
                "state",
                d.state(),
                "attempts",
                d.attempts(),
                "created_at",
                d.createdAt().getEpochSecond(),
                "ended_at",
                seconds(d.endedAt()),
                "next_at",
                d.endedAt() == null ? d.dueAt().getEpochSecond() : null,
                "said",
                d.said());
    }

    private Incident find(Call call) {
        return desk.incident(number(call))
                .orElseThrow(() ->
                        new ProblemException(
                                UNKNOWN, "Alert '" + call.parameter("id") + "' not found"));
    }

    private static long number(Call call) {
        String id = call.parameter("id");
        return id.matches("\\d{1,18}") ? Long.parseLong(id) : -1;
    }

    private Reply change(Call call) throws IOException {
        Incident before = find(call);
        String state = call.json().string("state", "");
        boolean done =
                switch (state) {
                    case "acknowledged" -> desk.acknowledge(before.number(), call.userName());
                    case "resolved" -> desk.end(before.number(), call.userName());
                    default ->
                            throw new ProblemException(
                                    BAD, "'state' takes 'acknowledged' or 'resolved'");
                };
        if (!done) {
            String who = before.acknowledgedBy();
            throw new ProblemException(
                    BAD,
                    "Alert "
                            + before.number()
                            + " is "
                            + before.state().text()
                            + (who == null ? "" : " by " + who)
                            + " already");
        }
        return show(call);
    }

    private Reply sinks(Call call) {
        Map<String, Long> waiting = store.read(StoreSession::waitingDeliveries);
        return Reply.json(
                Json.of(
                        "problem",
                        desk.couriers().problem(),
                        "sinks",
                        desk.couriers().served().values().stream()
                                .sorted(java.util.Comparator.comparing(one -> one.sink().name()))
                                .map(one -> sink(one, waiting))
                                .toList()));
    }

    private static Map<String, Object> sink(AlertCouriers.Served one, Map<String, Long> waiting) {
        Courier.Status status = one.courier().status();
        String name = one.sink().name();
        return Json.of(
                "name",
                name,
                "type",
                one.sink().target().type(),
                "state",
                status.failingSince() == null ? "well" : "failing",
                "failing_since",
                seconds(status.failingSince()),
                "waiting",
                waiting.getOrDefault(name, 0L),
                "delivered",
                status.delivered(),
                "failures",
                status.failures(),
                "dropped",
                status.dropped(),
                "said",
                status.said());
    }

    private Reply test(Call call) throws InterruptedException {
        String name = call.parameter("name");
        try {
            return Reply.json(Json.of("delivered", true, "said", desk.test(name)));
        } catch (SinkException e) {
            return Reply.json(Json.of("delivered", false, "said", e.getMessage()));
        }
    }
}
