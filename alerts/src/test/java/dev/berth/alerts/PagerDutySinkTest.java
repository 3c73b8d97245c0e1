package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AlertsConfig;
import dev.berth.model.Fields;
import dev.berth.model.Secret;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The Events API v2, with a real server that speaks it. */
class PagerDutySinkTest extends HttpSinkContract {
    @Override
    AlertsConfig.Target target() {
        return new AlertsConfig.PagerDuty(new Secret("planted-routing-key"), uri("/v2/enqueue"));
    }

    @Override
    String identity(Notice notice) {
        return "\"dedup_key\":\"" + notice.dedupKey() + "\"";
    }

    @Test
    void oneIncidentIsTriggeredAcknowledgedAndResolved() throws Exception {
        serve();
        Sink sink = sink();
        for (Notice notice : Notices.life("gone")) {
            assertThat(sink.deliver(List.of(notice))).contains("202");
        }
        assertThat(requests)
                .extracting(r -> r.json().string("event_action"))
                .containsExactly("trigger", "acknowledge", "resolve");
        assertThat(requests)
                .extracting(r -> r.json().string("routing_key"))
                .containsOnly("planted-routing-key");
        Fields payload = requests.getFirst().json().object("payload");
        assertThat(payload.string("summary")).isEqualTo("[prod] critical: gone");
        assertThat(payload.string("severity")).isEqualTo("critical");
        assertThat(payload.string("source")).isEqualTo("prod");
        assertThat(payload.string("timestamp")).isEqualTo("2026-01-05T10:00:00Z");
    }

    @Test
    void aTestLeavesNobodyPaged() throws Exception {
        serve();
        assertThat(sink().deliver(List.of(Notices.test()))).contains("202");
        assertThat(requests)
                .extracting(r -> r.json().string("event_action"))
                .containsExactly("trigger", "resolve");
        assertThat(requests.getFirst().json().object("payload").string("severity"))
                .isEqualTo("info");
    }
}
