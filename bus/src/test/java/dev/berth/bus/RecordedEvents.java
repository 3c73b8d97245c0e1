package dev.berth.bus;

import dev.berth.model.AgentId;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what the bus tells, as lines. */
final class RecordedEvents implements AgentEvents {
    final List<String> lines = new CopyOnWriteArrayList<>();
    final List<Heartbeat> heartbeats = new CopyOnWriteArrayList<>();
    final List<Alert> alerts = new CopyOnWriteArrayList<>();

    @Override
    public void heartbeat(Heartbeat heartbeat) {
        heartbeats.add(heartbeat);
        lines.add("heartbeat " + heartbeat.agent());
    }

    @Override
    public void alert(AgentId agent, Alert alert) {
        alerts.add(alert);
        lines.add("alert " + agent);
    }

    @Override
    public void shutdown(AgentId agent) {
        lines.add("shutdown " + agent);
    }

    @Override
    public void connected(AgentId agent) {
        lines.add("connected " + agent);
    }

    @Override
    public void disconnected(AgentId agent) {
        lines.add("disconnected " + agent);
    }

    @Override
    public void busLost() {
        lines.add("bus lost");
    }

    @Override
    public void busBack() {
        lines.add("bus back");
    }
}
