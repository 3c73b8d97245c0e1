package dev.berth.alerts;

import dev.berth.model.AlertsConfig.PagerDuty;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;

/** PagerDuty's Events API v2: one incident an alert, by its dedup key. */
final class PagerDutySink implements Sink {
    private static final int LONGEST_SUMMARY = 1024;
    private final PagerDuty to;
    private final HttpPost http;

    PagerDutySink(PagerDuty to) {
        this.to = to;
        this.http = new HttpPost(null, new Masking(List.of(to.routingKey())));
    }

    @Override
    public String deliver(List<Notice> notices) throws SinkException, InterruptedException {
        Notice notice = notices.getFirst();
        String said = http.send(to.url(), Map.of(), event(notice, action(notice.kind())));
        // A test leaves nobody paged.
        return notice.kind() == Notice.Kind.TEST
                ? said + "; " + http.send(to.url(), Map.of(), event(notice, "resolve"))
                : said;
    }

    private static String action(Notice.Kind kind) {
        return switch (kind) {
            case OPEN, UPDATE, TEST -> "trigger";
            case ACKNOWLEDGE -> "acknowledge";
            case RESOLVE -> "resolve";
        };
    }

    private Map<String, Object> event(Notice notice, String action) {
        Incident incident = notice.incident();
        Map<String, Object> event =
                Json.of(
                        "routing_key",
                        to.routingKey().reveal(),
                        "event_action",
                        action,
                        "dedup_key",
                        notice.dedupKey());
        if (action.equals("trigger")) {
            event.put("client", "Berth");
            event.put(
                    "payload",
                    Json.of(
                            "summary",
                            cut(notice.headline(), LONGEST_SUMMARY),
                            "source",
                            notice.environment(),
                            "severity",
                            notice.kind() == Notice.Kind.TEST
                                    ? "info"
                                    : switch (incident.severity()) {
                                        case 1, 2 -> "critical";
                                        case 3 -> "error";
                                        default -> "warning";
                                    },
                            "timestamp",
                            incident.openedAt().toString(),
                            "component",
                            String.join(", ", incident.groups()),
                            "group",
                            String.join(", ", incident.deployments()),
                            "class",
                            incident.members()
                                    .getFirst()
                                    .alarm()
                                    .kind()
                                    .name()
                                    .toLowerCase(java.util.Locale.ROOT),
                            "custom_details",
                            Json.of(
                                    "alert",
                                    Long.toString(incident.number()),
                                    "state",
                                    incident.state().text(),
                                    "summary",
                                    incident.summary())));
        }
        return event;
    }

    static String cut(String text, int longest) {
        return text.length() <= longest ? text : text.substring(0, longest - 3) + "...";
    }

    @Override
    public void close() {
        http.close();
    }
}
