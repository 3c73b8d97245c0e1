package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AlertsConfig;
import dev.berth.model.Clock;
import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Anything that takes JSON, with a real server. */
class WebhookSinkTest extends HttpSinkContract {
    @Override
    AlertsConfig.Target target() {
        return new AlertsConfig.Webhook(
                new Secret(uri("/services/planted-path").toString()),
                Map.of("Authorization", new Secret("Bearer planted-token")),
                null,
                null);
    }

    @Override
    String identity(Notice notice) {
        return "idempotencyKey=" + notice.id();
    }

    @Test
    void withoutATemplateItIsTheWholeAlert() throws Exception {
        serve();
        Sink sink = sink();
        for (Notice notice : Notices.life("gone")) {
            assertThat(sink.deliver(List.of(notice))).contains("202");
        }
        assertThat(requests)
                .extracting(r -> r.json().string("action"))
                .containsExactly("open", "acknowledge", "resolve");
        Request first = requests.getFirst();
        assertThat(first.authorization()).isEqualTo("Bearer planted-token");
        assertThat(first.path()).isEqualTo("/services/planted-path");
        assertThat(first.json().string("dedup_key")).isEqualTo("berth-e1-17");
        assertThat(first.json().object("alert").string("title")).isEqualTo("gone");
        assertThat(requests.getLast().json().object("alert").string("state")).isEqualTo("resolved");
    }

    @Test
    void aTemplateIsFilledAndNothingBreaksOutOfIt() throws Exception {
        serve();
        Object body =
                Json.of(
                        "text",
                        "{{icon}} {{headline}}",
                        "deep",
                        List.of(Json.of("k", "{{ title }}|{{state}}|{{severity_number}}")),
                        "n",
                        7L);
        var target =
                new AlertsConfig.Webhook(new Secret(uri("/x").toString()), Map.of(), body, null);
        Sink sink = opened(new Sinks(Clock.SYSTEM, System.out, "h1").of(target));
        Notice notice = Notices.life("a \"title\"\\ $1 {{state}}").getFirst();
        assertThat(sink.deliver(List.of(notice))).isNotBlank();
        assertThat(requests.getFirst().json().tree())
                .isEqualTo(
                        Json.of(
                                "text",
                                ":rotating_light: [prod] critical: a \"title\"\\ $1 {{state}}",
                                "deep",
                                List.of(Json.of("k", "a \"title\"\\ $1 {{state}}|open|2")),
                                "n",
                                7L));
    }
}
