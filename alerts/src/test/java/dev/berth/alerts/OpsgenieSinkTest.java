package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AlertsConfig;
import dev.berth.model.Secret;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Opsgenie's Alert API, with a real server that speaks it. */
class OpsgenieSinkTest extends HttpSinkContract {
    @Override
    AlertsConfig.Target target() {
        return new AlertsConfig.Opsgenie(
                new Secret("planted-api-key"), uri("/v2/alerts"), List.of("dba"), List.of("berth"));
    }

    @Override
    String identity(Notice notice) {
        return notice.dedupKey();
    }

    @Test
    void oneAlertIsCreatedAcknowledgedAndClosedByItsAlias() throws Exception {
        serve();
        Sink sink = sink();
        for (Notice notice : Notices.life("gone")) {
            assertThat(sink.deliver(List.of(notice))).contains("202");
        }
        assertThat(requests)
                .extracting(Request::path)
                .containsExactly(
                        "/v2/alerts",
                        "/v2/alerts/berth-e1-17/acknowledge?identifierType=alias",
                        "/v2/alerts/berth-e1-17/close?identifierType=alias");
        assertThat(requests)
                .extracting(Request::authorization)
                .containsOnly("GenieKey planted-api-key");
        Request created = requests.getFirst();
        assertThat(created.json().string("alias")).isEqualTo("berth-e1-17");
        assertThat(created.json().string("priority")).isEqualTo("P2");
        assertThat(created.json().objects("responders").getFirst().string("name")).isEqualTo("dba");
        assertThat(requests.get(1).json().string("user")).isEqualTo("ann");
    }
}
