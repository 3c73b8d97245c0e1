package dev.berth.alerts;

import dev.berth.model.AlertTemplate;
import dev.berth.model.AlertsConfig.Webhook;
import dev.berth.model.Secret;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Anything that takes JSON by HTTP. {@code Idempotency-Key} is the same at every try. */
final class WebhookSink implements Sink {
    private final Webhook to;
    private final HttpPost http;

    WebhookSink(Webhook to) {
        this.to = to;
        var secrets = new ArrayList<>(to.headers().values());
        secrets.add(to.url());
        // The path alone is the secret of a chat system's hook.
        secrets.add(new Secret(String.valueOf(URI.create(to.url().reveal()).getRawPath())));
        this.http = new HttpPost(to.ca(), new Masking(new ArrayList<>(secrets)));
    }

    @Override
    public String deliver(List<Notice> notices) throws SinkException, InterruptedException {
        Notice notice = notices.getFirst();
        Map<String, Secret> headers = new LinkedHashMap<>(to.headers());
        headers.put("Idempotency-Key", new Secret(notice.id()));
        Object body =
                to.body() == null
                        ? notice.shown()
                        : AlertTemplate.filled(to.body(), notice.fields());
        return http.send(URI.create(to.url().reveal()), headers, body);
    }

    @Override
    public void close() {
        http.close();
    }
}
