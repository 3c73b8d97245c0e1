package dev.berth.bus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AgentId;
import dev.berth.model.Json;
import io.nats.client.Message;
import io.nats.client.impl.NatsMessage;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the server's events mean. */
class BusEventsTest {
    private static final String AGENT = "CN=a-1.agent.bosh-internal,O=Cloud Foundry,C=USA";

    private final RecordedEvents told = new RecordedEvents();
    private final Sightings sightings = new Sightings();
    private final BusEvents events = new BusEvents(told, sightings);

    @AfterEach
    void close() {
        events.close();
    }

    private static Message server(String what, String user, long connection) {
        return NatsMessage.builder()
                .subject("$SYS.ACCOUNT.BERTH." + what)
                .data(
                        Json.write(
                                Json.of(
                                        "server",
                                        Json.of("id", "N1"),
                                        "client",
                                        Json.of("id", connection, "user", user))))
                .build();
    }

    private void settle() throws Exception {
        events.busLost();
        Until.within(Duration.ofSeconds(5), "all read", () -> told.lines.remove("bus lost"));
    }

    /** After a cut cable the agent is back before the server gives its old connection up. */
    @Test
    void theEndOfAnOldConnectionIsNotTheEndOfTheAgent() throws Exception {
        events.serverMessage(server("CONNECT", AGENT, 7));
        events.serverMessage(server("CONNECT", AGENT, 9));
        events.serverMessage(server("DISCONNECT", AGENT, 7));
        settle();
        assertThat(told.lines).containsExactly("connected a-1", "connected a-1");
        assertThat(sightings.isPresent(new AgentId("a-1"))).isTrue();
        events.serverMessage(server("DISCONNECT", AGENT, 9));
        settle();
        assertThat(told.lines).last().isEqualTo("disconnected a-1");
        assertThat(sightings.isPresent(new AgentId("a-1"))).isFalse();
    }

    @Test
    void usersThatAreNoAgentsAreNotTold() throws Exception {
        events.serverMessage(
                server("CONNECT", "CN=default.hm.bosh-internal,O=Cloud Foundry,C=USA", 1));
        events.serverMessage(server("DISCONNECT", "", 2));
        events.present("CN=default.director.bosh-internal,O=Cloud Foundry,C=USA", "N1", 3);
        events.present("default.director.bosh-internal", "N1", 4);
        settle();
        assertThat(told.lines).isEmpty();
    }

    @Test
    void anAgentIsKnownByItsDnsNameAndByItsSubject() throws Exception {
        events.present("CN=b-2.bootstrap.agent.bosh-internal,O=Cloud Foundry,C=USA", "N1", 4);
        events.present("b-3.agent.bosh-internal", "N1", 5);
        events.serverMessage(server("CONNECT", "b-4.agent.bosh-internal", 6));
        settle();
        assertThat(told.lines).containsExactly("connected b-2", "connected b-3", "connected b-4");
    }

    @Test
    void aListenerThatFailsIsToldTheNextAllTheSame() throws Exception {
        var failing =
                new BusEvents(
                        new AgentEvents() {
                            @Override
                            public void heartbeat(dev.berth.wire.Heartbeat heartbeat) {
                                throw new IllegalStateException("listener");
                            }

                            @Override
                            public void alert(AgentId agent, dev.berth.wire.Alert alert) {}

                            @Override
                            public void shutdown(AgentId agent) {
                                told.shutdown(agent);
                            }

                            @Override
                            public void connected(AgentId agent) {}

                            @Override
                            public void disconnected(AgentId agent) {}
                        },
                        sightings);
        failing.agentMessage(agent("heartbeat", "{}"));
        failing.agentMessage(agent("shutdown", "null"));
        Until.within(Duration.ofSeconds(5), "told", () -> told.lines.contains("shutdown a-1"));
        failing.close();
    }

    private static Message agent(String topic, String text) {
        return NatsMessage.builder().subject("hm.agent." + topic + ".a-1").data(text).build();
    }
}
