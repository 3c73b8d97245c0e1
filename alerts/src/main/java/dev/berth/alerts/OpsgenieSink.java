package dev.berth.alerts;

import dev.berth.model.AlertsConfig.Opsgenie;
import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A pager that speaks Opsgenie's Alert API: one alert there for one here, by its alias. */
final class OpsgenieSink implements Sink {
    private static final int LONGEST_MESSAGE = 130;
    private static final int LONGEST_TEXT = 15_000;
    private final Opsgenie to;
    private final HttpPost http;
    private final Map<String, Secret> headers;

    OpsgenieSink(Opsgenie to) {
        this.to = to;
        this.http = new HttpPost(null, new Masking(List.of(to.apiKey())));
        this.headers = Map.of("Authorization", new Secret("GenieKey " + to.apiKey().reveal()));
    }

    @Override
    public String deliver(List<Notice> notices) throws SinkException, InterruptedException {
        Notice notice = notices.getFirst();
        return switch (notice.kind()) {
            case OPEN -> http.send(to.url(), headers, created(notice));
            case UPDATE -> act(notice, "notes");
            case ACKNOWLEDGE -> act(notice, "acknowledge");
            case RESOLVE -> act(notice, "close");
            case TEST -> {
                String said = http.send(to.url(), headers, created(notice));
                yield said + "; " + act(notice, "close"); // nobody stays paged
            }
        };
    }

    private String act(Notice notice, String what) throws SinkException, InterruptedException {
        String alias = URLEncoder.encode(notice.dedupKey(), StandardCharsets.UTF_8);
        URI uri = URI.create(to.url() + "/" + alias + "/" + what + "?identifierType=alias");
        String who = notice.incident().acknowledgedBy();
        return http.send(
                uri,
                headers,
                Json.of(
                        "user",
                        who == null ? "berth" : who,
                        "source",
                        notice.environment(),
                        "note",
                        PagerDutySink.cut(notice.text(), LONGEST_TEXT)));
    }

    private Map<String, Object> created(Notice notice) {
        Incident incident = notice.incident();
        var responders = new ArrayList<Object>();
        to.responders().forEach(name -> responders.add(Json.of("name", name, "type", "team")));
        return Json.of(
                "message",
                PagerDutySink.cut(notice.headline(), LONGEST_MESSAGE),
                "alias",
                notice.dedupKey(),
                "description",
                PagerDutySink.cut(notice.text(), LONGEST_TEXT),
                "responders",
                responders,
                "tags",
                to.tags(),
                "entity",
                String.join(", ", incident.deployments()),
                "source",
                notice.environment(),
                "priority",
                notice.kind() == Notice.Kind.TEST ? "P5" : "P" + incident.severity(),
                "details",
                Json.of(
                        "alert",
                        Long.toString(incident.number()),
                        "groups",
                        String.join(", ", incident.groups())));
    }

    @Override
    public void close() {
        http.close();
    }
}
