package dev.berth.director;

import dev.berth.alerts.Courier;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What of the director, its fleet and its alerts is looked up for {@link Metrics}. */
final class DirectorMetrics {
    private static final int MOST_ALERTS = 10_000;

    private final Store store;
    private final FleetWatch fleet;
    private final AlertDesk desk;

    DirectorMetrics(Store store, FleetWatch fleet, AlertDesk desk) {
        this.store = store;
        this.fleet = fleet;
        this.desk = desk;
    }

    void addTo(Metrics metrics, DirectorIdentity identity) {
        metrics.gauge(
                "director",
                "The director.",
                v -> v.add(1, identity.name(), identity.uuid(), identity.version()),
                "name",
                "uuid",
                "version");
        metrics.gauge(
                "instances",
                "Instances by what the monitor thinks of them.",
                this::instances,
                "deployment",
                "verdict");
        metrics.gauge("vms", "VMs that stand for instances.", this::vms, "deployment", "agent");
        metrics.gauge("tasks", "Tasks that are remembered.", this::tasks, "type", "state");
        metrics.gauge(
                "judge_lag_seconds",
                "How long ago the monitor last took in what it was told; about 1 at rest.",
                v -> v.add(fleet.lagSeconds()));
        metrics.gauge(
                "judge_waiting_signals",
                "What the monitor was told and has not taken in.",
                v -> v.add(fleet.waitingSignals()));
        metrics.gauge(
                "bus_connected",
                "Whether the director is connected to the bus.",
                v -> v.add(fleet.isBusUp() ? 1 : 0));
        metrics.gauge("alerts", "Alerts that are not over.", this::alerts, "state", "severity");
        metrics.gauge(
                "alert_deliveries_waiting", "Notices that wait for a sink.", this::waiting, "sink");
        metrics.gauge(
                "alert_sink_failing",
                "1 where the last try was in vain.",
                v -> statuses(v, s -> s.failingSince() == null ? 0 : 1),
                "sink");
        metrics.counter(
                "alert_deliveries",
                "Notices by what became of them since the director started; failed: tries in"
                        + " vain.",
                this::deliveries,
                "sink",
                "outcome");
    }

    private void instances(Metrics.Values values) {
        record At(String deployment, String verdict) {}
        Map<At, Integer> counts = new LinkedHashMap<>();
        for (Rows.Instance i : store.read(s -> s.instances(null))) {
            String word = fleet.verdict(i.id()).map(DirectorMetrics::word).orElse("unknown");
            counts.merge(new At(i.deployment(), word), 1, Integer::sum);
        }
        counts.forEach((at, count) -> values.add(count, at.deployment, at.verdict));
    }

    private static String word(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Well v -> "well";
            case Verdict.Degraded v -> "degraded";
            case Verdict.Silent v -> "silent";
            case Verdict.LockedOut v -> "locked_out";
            case Verdict.Gone v -> "gone";
            case Verdict.Held v -> "held";
            case Verdict.Unmanaged v -> "unmanaged";
            case Verdict.Rogue v -> "rogue";
        };
    }

    private void vms(Metrics.Values values) {
        record At(String deployment, String agent) {}
        Map<At, Integer> counts = new LinkedHashMap<>();
        store.read(
                        s -> {
                            var names = new java.util.HashMap<dev.berth.model.InstanceId, String>();
                            s.instances(null).forEach(i -> names.put(i.id(), i.deployment()));
                            return s.vmsOf(null).stream()
                                    .filter(Rows.Vm::active)
                                    .map(vm ->
                                            new At(
                                                    names.getOrDefault(vm.instance(), ""),
                                                    fleet.responsive(vm.agent())
                                                            ? "responsive"
                                                            : "silent"))
                                    .toList();
                        })
                .forEach(at -> counts.merge(at, 1, Integer::sum));
        counts.forEach((at, count) -> values.add(count, at.deployment, at.agent));
    }

    private void tasks(Metrics.Values values) {
        store.read(StoreSession::taskCounts)
                .forEach(count -> values.add(count.count(), count.type(), count.state()));
    }

    private void alerts(Metrics.Values values) {
        record At(String state, String severity) {}
        Map<At, Integer> counts = new LinkedHashMap<>();
        for (Rows.Alert row :
                store.read(s -> s.alerts(List.of("open", "acknowledged"), MOST_ALERTS))) {
            String severity = String.valueOf(row.content().get("severity"));
            counts.merge(new At(row.state(), severity), 1, Integer::sum);
        }
        counts.forEach((at, count) -> values.add(count, at.state, at.severity));
    }

    private void waiting(Metrics.Values values) {
        Map<String, Long> waiting = store.read(StoreSession::waitingDeliveries);
        desk.couriers()
                .served()
                .keySet()
                .forEach(name -> values.add(waiting.getOrDefault(name, 0L), name));
    }

    private void statuses(Metrics.Values values, ToDoubleFunction<Courier.Status> of) {
        desk.couriers()
                .served()
                .forEach((name, one) -> values.add(of.applyAsDouble(one.courier().status()), name));
    }

    private void deliveries(Metrics.Values values) {
        desk.couriers()
                .served()
                .forEach((name, one) -> {
                    Courier.Status status = one.courier().status();
                    values.add(status.delivered(), name, "delivered");
                    values.add(status.failures(), name, "failed");
                    values.add(status.dropped(), name, "dropped");
                });
    }
}
