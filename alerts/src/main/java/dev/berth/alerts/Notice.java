package dev.berth.alerts;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What somebody is told of an alert, as it was then.
 *
 * @param id the same at every try, and of no other notice
 * @param environment name of the director's environment
 * @param dedupKey the same for all notices of one alert, and of no other
 */
public record Notice(
        String id, Kind kind, Incident incident, String environment, String dedupKey, Instant at) {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /** What is news in it. */
    public enum Kind {
        OPEN,
        UPDATE,
        ACKNOWLEDGE,
        RESOLVE,
        /** Nothing: a person wants to know whether it arrives. */
        TEST;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public String severity() {
        return switch (incident.severity()) {
            case 1 -> "alert";
            case 2 -> "critical";
            case 3 -> "error";
            default -> "warning";
        };
    }

    /** Without line ends, however odd the title. */
    public String headline() {
        String word =
                switch (kind) {
                    case OPEN -> severity();
                    case UPDATE -> severity() + " goes on";
                    case ACKNOWLEDGE -> "acknowledged";
                    case RESOLVE -> "resolved";
                    case TEST -> "test";
                };
        String line = "[" + environment + "] " + word + ": " + incident.title();
        return line.replaceAll("\\p{Cntrl}+", " ");
    }

    /** For people: several lines. */
    public String text() {
        var text = new StringBuilder();
        text.append(incident.title()).append("\n\n").append(incident.summary()).append("\n\n");
        line(text, "Alert", Long.toString(incident.number()));
        line(text, "State", incident.state().text());
        line(text, "Severity", incident.severity() + " (" + severity() + ")");
        line(text, "Deployment", String.join(", ", incident.deployments()));
        line(text, "Began", TIME.format(incident.openedAt()));
        line(text, "Acknowledged", incident.acknowledgedBy());
        Instant over = incident.resolvedAt();
        if (over != null) {
            line(text, "Over", TIME.format(over));
            line(text, "Because", incident.because());
        }
        if (!incident.isOver() && kind != Kind.TEST) {
            text.append("\nberth alert ").append(incident.number()).append(" says more; berth");
            text.append(" acknowledge-alert ").append(incident.number()).append(" takes it up.\n");
        }
        return text.toString();
    }

    private static void line(StringBuilder to, String name, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            to.append(name).append(": ").append(value).append('\n');
        }
    }

    /** Fields of {@link dev.berth.model.AlertTemplate}. */
    public Map<String, String> fields() {
        boolean over = kind == Kind.RESOLVE;
        int severity = incident.severity();
        return Map.ofEntries(
                Map.entry("action", kind.text()),
                Map.entry("alert", Long.toString(incident.number())),
                Map.entry("color", over ? "#2eb886" : severity <= 2 ? "#d00000" : "#daa038"),
                Map.entry("dedup_key", dedupKey),
                Map.entry("deployments", String.join(", ", incident.deployments())),
                Map.entry("environment", environment),
                Map.entry("headline", headline()),
                Map.entry(
                        "icon",
                        over
                                ? ":white_check_mark:"
                                : severity <= 2 ? ":rotating_light:" : ":warning:"),
                Map.entry("instances", Integer.toString(incident.members().size())),
                Map.entry("severity", severity()),
                Map.entry("severity_number", Integer.toString(severity)),
                Map.entry("state", incident.state().text()),
                Map.entry("summary", incident.summary()),
                Map.entry("text", text()),
                Map.entry("time", at.toString()),
                Map.entry("title", incident.title()));
    }

    /** What a webhook without a template and a line of standard output hold. */
    public Map<String, Object> shown() {
        Map<String, Object> alert = incident.toTree();
        alert.keySet().removeAll(java.util.Set.of("stale", "quiet_at", "told_at"));
        return Json.of(
                "id",
                id,
                "action",
                kind.text(),
                "dedup_key",
                dedupKey,
                "environment",
                environment,
                "time",
                at.toString(),
                "headline",
                headline(),
                "alert",
                alert);
    }

    /** As BOSH's plugins know alerts. */
    public Map<String, Object> asBosh() {
        Alarm first = incident.members().getFirst().alarm();
        return Json.of(
                "kind",
                "alert",
                "id",
                id,
                "severity",
                kind == Kind.RESOLVE ? 4 : incident.severity(),
                "category",
                incident.isGroup()
                        ? "deployment_health"
                        : first.kind() == Alarm.Kind.DOWN ? "vm_health" : null,
                "title",
                kind == Kind.OPEN ? incident.title() : kind.text() + ": " + incident.title(),
                "summary",
                incident.summary(),
                "source",
                first.source() == null ? "monitor" : first.source(),
                "deployment",
                incident.deployments().size() == 1 ? incident.deployments().getFirst() : null,
                "created_at",
                at.getEpochSecond(),
                "action",
                kind.text(),
                "dedup_key",
                dedupKey,
                "state",
                incident.state().text());
    }

    public Map<String, Object> toTree() {
        return Json.of(
                "id",
                id,
                "kind",
                kind.name(),
                "environment",
                environment,
                "dedup_key",
                dedupKey,
                "at",
                at.toEpochMilli(),
                "incident",
                incident.toTree());
    }

    public static Notice fromTree(Map<String, Object> tree) {
        var f = new Fields(tree, "notice");
        return new Notice(
                f.string("id"),
                Kind.valueOf(f.string("kind")),
                Incident.fromTree(f.object("incident").tree()),
                f.string("environment"),
                f.string("dedup_key"),
                Instant.ofEpochMilli(f.integer("at")));
    }
}
