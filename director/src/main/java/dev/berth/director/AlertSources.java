package dev.berth.director;

import dev.berth.alerts.Alarm;
import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import dev.berth.wire.Alert;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes alarms of what the monitor says and agents tell: with a key that stays the same for as long
 * as the trouble is the same, and with what the records know of the instance.
 */
final class AlertSources {
    /** Source of what the director itself finds; its id says what it is about. */
    static final String MONITOR = "monitor";

    private static final String TOLD = "told/";
    private static final Pattern INSTANCE = Pattern.compile("instance/([^/]+)");
    private static final Pattern OF_AGENT = Pattern.compile(TOLD + "([^/]+)/(.+)");
    private static final Pattern ZONE = Pattern.compile("az/([^/]+)(?:/meltdown)?");

    private AlertSources() {}

    /**
     * What an agent tells under an id of its own each time, with an id that names the trouble: its
     * begin and its end have the same.
     */
    static Alert named(AgentId agent, Alert alert) {
        if (!isTrouble(alert)) {
            return alert;
        }
        return new Alert(
                TOLD + agent + "/" + alert.source(),
                alert.severity(),
                alert.title(),
                alert.summary(),
                alert.createdAt(),
                alert.source(),
                alert.deployment(),
                alert.category());
    }

    private static boolean isTrouble(Alert alert) {
        return alert.source() != null && ("trouble".equals(alert.category()) || isEnd(alert));
    }

    static boolean isEnd(Alert alert) {
        return "resolved".equals(alert.category());
    }

    static Alarm alarm(Alert alert, StoreSession session) {
        Matcher told = OF_AGENT.matcher(alert.id());
        if (told.matches()) {
            return ofAgent(alert, new AgentId(told.group(1)), session);
        }
        if (!MONITOR.equals(alert.source())) {
            return of(alert, alert.id(), Alarm.Kind.EVENT, alert.severity(), null, alert.source());
        }
        Matcher instance = INSTANCE.matcher(alert.id());
        if (instance.matches()) {
            Alarm.Kind kind = alert.severity() <= 2 ? Alarm.Kind.DOWN : Alarm.Kind.OWN;
            Optional<Rows.Instance> row = session.instance(new InstanceId(instance.group(1)));
            return of(alert, alert.id(), kind, alert.severity(), row.orElse(null), null);
        }
        Matcher zone = ZONE.matcher(alert.id());
        boolean follows = alert.id().endsWith("meltdown");
        return new Alarm(
                alert.id(),
                follows ? Alarm.Kind.CONSEQUENCE : Alarm.Kind.OWN,
                bounded(alert.severity()),
                alert.title(),
                alert.summary(),
                alert.deployment(),
                null,
                zone.matches() ? zone.group(1) : null,
                null);
    }

    private static Alarm ofAgent(Alert alert, AgentId agent, StoreSession session) {
        Optional<Rows.Instance> row =
                session.vm(agent).flatMap(vm -> session.instance(vm.instance()));
        String key = row.map(i -> keyOf(i.id(), agent) + alert.source()).orElse(alert.id());
        return of(
                alert,
                key,
                Alarm.Kind.OWN,
                alert.severity(),
                row.orElse(null),
                row.map(i ->
                                i.deployment()
                                        + ": "
                                        + i.group()
                                        + "("
                                        + i.id()
                                        + ") [id="
                                        + agent
                                        + ", index="
                                        + i.index()
                                        + "]")
                        .orElse("agent " + agent + " []"));
    }

    /** Begin of the keys of what an agent tells of its instance. */
    static String keyOf(InstanceId instance, AgentId agent) {
        return "instance/" + instance + "/" + agent + "/";
    }

    private static Alarm of(
            Alert alert,
            String key,
            Alarm.Kind kind,
            int severity,
            Rows.@Nullable Instance instance,
            @Nullable String source) {
        return new Alarm(
                key,
                kind,
                bounded(severity),
                alert.title(),
                alert.summary(),
                instance == null ? alert.deployment() : instance.deployment(),
                instance == null ? null : instance.group(),
                instance == null ? null : instance.az(),
                source);
    }

    /** Agents of others may send anything. */
    private static int bounded(int severity) {
        return Math.max(1, Math.min(4, severity));
    }
}
