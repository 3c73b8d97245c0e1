package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.alerts.Courier;
import dev.berth.alerts.Incident;
import dev.berth.alerts.Sinks;
import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.wire.Alert;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the monitor says, through the book into the store and out to whom it concerns. */
class AlertDeskTest {
    private static final String CONFIG =
            """
            sinks:
            - {name: all, type: stdout}
            - {name: bad, type: stdout, severity: critical}
            - {name: other, type: stdout, deployments: [other]}
            """;

    private final Store store = SqlStore.sqliteInMemory();
    private Instant now = Instant.parse("2026-01-05T10:00:00Z");
    private final Clock clock =
            new Clock() {
                @Override
                public Instant now() {
                    return now;
                }

                @Override
                public void sleep(Duration time) {
                    now = now.plus(time);
                }
            };
    private AlertDesk desk = desk();

    private AlertDesk desk() {
        var out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        var couriers =
                new AlertCouriers(
                        store,
                        clock,
                        name -> Optional.empty(),
                        new Sinks(clock, out, "h"),
                        Courier.Patience.USUAL);
        var identity = new DirectorIdentity("prod", "e1", "0.1.0", "docker");
        return new AlertDesk(store, clock, identity, couriers, new ApiFixture.FakeFleet());
    }

    @AfterEach
    void close() {
        desk.close();
        store.close();
    }

    private static Alert alarm(String id, int severity, @Nullable String deployment) {
        return new Alert(id, severity, "title of " + id, "words", 1, "monitor", deployment, null);
    }

    private List<Incident> incidents() {
        return store.read(s -> s.alerts(null, 99)).stream()
                .map(row -> Incident.fromTree(row.content()))
                .toList();
    }

    private List<String> told(long alert) {
        return store.read(s -> s.deliveriesOf(alert)).stream()
                .map(d -> d.sink() + " " + d.notice().replaceFirst(".*-", ""))
                .sorted()
                .toList();
    }

    private void configured() {
        store.update(s -> s.saveConfig("alerts", "default", CONFIG, now));
        desk.couriers().start();
    }

    @Test
    void aTroubleIsKeptAndToldToThoseItConcernsAndItsEndToo() {
        configured();
        desk.raised(alarm("bus", 1, null));
        desk.raised(alarm("deployment/shop/slow", 4, "shop"));
        desk.resolved("bus", "title of bus");
        desk.resolved("deployment/shop/slow", "t");
        desk.resolved("deployment/shop/slow", "t");
        assertThat(incidents())
                .extracting(i -> i.state().text())
                .containsExactly("resolved", "resolved");
        assertThat(told(1)).containsExactly("all open", "all resolve", "bad open", "bad resolve");
        assertThat(told(2)).containsExactly("all open", "all resolve");
        List<Rows.Event> events = store.read(s -> s.events(null, null, 99));
        assertThat(events)
                .extracting(Rows.Event::action)
                .containsExactly("resolve", "resolve", "create", "create");
    }

    @Test
    void aDirectorThatStartsAnewTellsNothingTwiceAndSeesWhatIsOver() {
        configured();
        desk.raised(alarm("deployment/shop/slow", 3, "shop"));
        desk.raised(alarm("bus", 1, null));
        desk.close();
        desk = desk();
        desk.couriers().start();
        desk.raised(alarm("deployment/shop/slow", 3, "shop"));
        assertThat(incidents()).hasSize(2);
        assertThat(told(1)).containsExactly("all open");
        // Nobody says that the bus is back: agents are heard, or there are none.
        assertThat(desk.turn()).isAfter(now);
        assertThat(told(2)).contains("all resolve", "bad resolve");
        assertThat(desk.incident(1).orElseThrow().isOver()).isFalse();
        assertThat(desk.acknowledge(1, "ann")).isTrue();
        assertThat(desk.acknowledge(1, "bob")).isFalse();
        assertThat(told(1)).containsExactly("all acknowledge", "all open");
    }

    /** Of an alert of thousands each that leaves would write all of them anew. */
    @Test
    void whoLeavesAnAlertOfManyIsWrittenWithinASecondAndWhenTheDirectorEnds() {
        configured();
        for (int i = 0; i < 9; i++) {
            desk.raised(alarm("instance/i-" + i, 2, "shop"));
        }
        now = now.plusSeconds(3);
        desk.turn();
        assertThat(goingOn()).isEqualTo(9);
        desk.resolved("instance/i-0", "t");
        desk.resolved("instance/i-1", "t");
        Instant next = desk.turn();
        assertThat(goingOn()).as("not each for itself").isEqualTo(9);
        assertThat(next).isBeforeOrEqualTo(now.plusSeconds(1));
        now = next;
        desk.turn();
        assertThat(goingOn()).isEqualTo(7);
        desk.resolved("instance/i-2", "t");
        assertThat(goingOn()).isEqualTo(7);
        desk.close();
        assertThat(goingOn()).isEqualTo(6);
        assertThat(told(1)).containsOnlyOnce("all open");
    }

    /** Members of the one alert that the store says are still in trouble. */
    private long goingOn() {
        return incidents().getFirst().members().stream().filter(m -> m.endedAt() == null).count();
    }

    @Test
    void whatAnAgentTellsUnderNewIdsIsOneTrouble() {
        configured();
        var agent = new dev.berth.model.AgentId("a1");
        desk.raised(AlertSources.named(agent, told("x1", "trouble")));
        desk.raised(AlertSources.named(agent, told("x2", "trouble")));
        assertThat(incidents()).hasSize(1);
        desk.raised(AlertSources.named(agent, told("x3", "resolved")));
        assertThat(incidents().getFirst().isOver()).isTrue();
        assertThat(told(1)).containsExactly("all open", "all resolve", "bad open", "bad resolve");
    }

    private static Alert told(String id, String category) {
        return new Alert(id, 2, "disk not proven", "words", 1, "disk", "shop", category);
    }

    @Test
    void aSinkOfAnotherConfigCannotHaveTheSameName() {
        configured();
        assertThatThrownBy(
                        () -> desk.couriers().check("second", "sinks: [{name: all, type: stdout}]"))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("config 'default' has a sink of that name");
        desk.couriers().check("default", CONFIG);
        String timing = "timing: {flap_times: 9}\nsinks: []";
        assertThatThrownBy(() -> desk.couriers().check("second", timing))
                .hasMessageContaining("timing")
                .hasMessageContaining("the config of the name 'default'");
        desk.couriers().check("default", timing);
        assertThatThrownBy(() -> desk.test("nobody"))
                .hasMessageContaining("There is no sink 'nobody'");
    }

    @Test
    void metricsAreInPrometheusText() throws Exception {
        var metrics = new Metrics();
        metrics.step("create_vm", "done", 2_000_000_000L);
        metrics.step("create_vm", "failed: no room", 1L);
        metrics.wrote(3_000_000L);
        metrics.repaired(true);
        metrics.gauge("odd", "A \"value\".", v -> v.add(1, "a\"b\\c\nd"), "name");
        assertThat(metrics.text())
                .contains(
                        "# TYPE berth_step_seconds histogram",
                        "berth_step_seconds_bucket{kind=\"create_vm\",outcome=\"done\",le=\"2.5\"} 1",
                        "berth_step_seconds_count{kind=\"create_vm\",outcome=\"failed\"} 1",
                        "berth_repairs_total{outcome=\"done\"} 1",
                        "berth_odd{name=\"a\\\"b\\\\c\\nd\"} 1");
    }
}
