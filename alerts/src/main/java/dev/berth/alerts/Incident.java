package dev.berth.alerts;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One alert, as people know it: one cause, with all that it brought down.
 *
 * @param number what people call it; grows, and is never used again
 * @param members what is or was in trouble, oldest first; never empty
 * @param toldAt when somebody was told last
 * @param flapping it comes and goes, and its end is told only when it has been quiet
 * @param quietAt when its end will be told, if it stays quiet; null: it is not quiet
 * @param stale members have come or gone since it was told
 * @param because why it is over
 */
public record Incident(
        long number,
        State state,
        List<Member> members,
        Instant openedAt,
        Instant toldAt,
        @Nullable Instant acknowledgedAt,
        @Nullable String acknowledgedBy,
        @Nullable Instant resolvedAt,
        String because,
        boolean flapping,
        @Nullable Instant quietAt,
        boolean stale) {
    private static final int NAMED = 50;

    /** Where it is in its life; it only goes forward. */
    public enum State {
        OPEN,
        ACKNOWLEDGED,
        RESOLVED;

        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /**
     * One trouble in it.
     *
     * @param begun when it began, the last times
     * @param endedAt null: it goes on
     */
    public record Member(Alarm alarm, List<Instant> begun, @Nullable Instant endedAt) {
        boolean isOn() {
            return endedAt == null;
        }
    }

    public Incident {
        if (members.isEmpty()) {
            throw new IllegalArgumentException("an alert is about something");
        }
        members = List.copyOf(members);
    }

    /** Of one trouble, and of no number: for a test. */
    public static Incident single(Alarm alarm, Instant now) {
        return new Incident(
                0,
                State.OPEN,
                List.of(new Member(alarm, List.of(now), null)),
                now,
                now,
                null,
                null,
                null,
                "",
                false,
                null,
                false);
    }

    public boolean isOver() {
        return state == State.RESOLVED;
    }

    /** The worst of what goes on; of what was, when all is over. */
    public int severity() {
        return concerned().mapToInt(m -> m.alarm().severity()).min().orElse(4);
    }

    private Stream<Member> concerned() {
        boolean any = members.stream().anyMatch(Member::isOn);
        return members.stream().filter(m -> !any || m.isOn());
    }

    public List<String> deployments() {
        return distinct(Alarm::deployment);
    }

    public List<String> groups() {
        return distinct(Alarm::group);
    }

    private List<String> distinct(Function<Alarm, @Nullable String> what) {
        var found = new TreeSet<String>();
        for (Member member : members) {
            String value = what.apply(member.alarm());
            if (value != null) {
                found.add(value);
            }
        }
        return List.copyOf(found);
    }

    private List<Member> down() {
        return members.stream().filter(m -> m.alarm().kind() == Alarm.Kind.DOWN).toList();
    }

    /** Of several instances, as opposed to one trouble. */
    public boolean isGroup() {
        return down().size() > 1;
    }

    public String title() {
        if (!isGroup()) {
            // The trouble itself rather than what follows from it.
            return members.stream()
                    .min(Comparator.comparing(m -> m.alarm().kind() == Alarm.Kind.CONSEQUENCE))
                    .orElseThrow()
                    .alarm()
                    .title();
        }
        List<Member> down = down();
        return down.size() + " instances went down" + where(down);
    }

    private static String where(List<Member> down) {
        List<@Nullable String> zones = down.stream().map(m -> m.alarm().az()).distinct().toList();
        List<@Nullable String> names =
                down.stream().map(m -> m.alarm().deployment()).distinct().toList();
        String zone =
                zones.size() > 1
                        ? " in " + zones.size() + " zones"
                        : zones.getFirst() == null ? "" : " in zone " + zones.getFirst();
        String deployment =
                names.size() > 1
                        ? " of " + names.size() + " deployments"
                        : names.getFirst() == null ? "" : " of deployment " + names.getFirst();
        return zone + deployment;
    }

    /** What to know beside the title: lines, one for each of several. */
    public String summary() {
        String note = flapping ? "It comes and goes. " : "";
        if (members.size() == 1) {
            return note + members.getFirst().alarm().summary();
        }
        long on = members.stream().filter(Member::isOn).count();
        var text = new StringBuilder(note).append(on).append(" of ").append(members.size());
        text.append(" still in trouble:");
        members.stream()
                .sorted(Comparator.comparing(m -> !m.isOn()))
                .limit(NAMED)
                .forEach(m ->
                        text.append("\n- ")
                                .append(m.isOn() ? "" : "over: ")
                                .append(
                                        m.alarm().deployment() == null
                                                ? ""
                                                : m.alarm().deployment() + ": ")
                                .append(m.alarm().title()));
        if (members.size() > NAMED) {
            text.append("\n- and ").append(members.size() - NAMED).append(" more");
        }
        return text.toString();
    }

    /** When anything about it changed last. */
    public Instant changedAt() {
        return Stream.concat(
                        Stream.of(openedAt, toldAt, acknowledgedAt, resolvedAt),
                        members.stream()
                                .flatMap(m ->
                                        Stream.concat(m.begun().stream(), Stream.of(m.endedAt()))))
                .filter(Objects::nonNull)
                .max(Comparator.naturalOrder())
                .orElse(openedAt);
    }

    // --- further on

    Incident withMembers(List<Member> now, boolean nowStale) {
        return new Incident(
                number,
                state,
                now,
                openedAt,
                toldAt,
                acknowledgedAt,
                acknowledgedBy,
                resolvedAt,
                because,
                flapping,
                quietAt,
                nowStale);
    }

    Incident told(Instant at) {
        return new Incident(
                number,
                state,
                members,
                openedAt,
                at,
                acknowledgedAt,
                acknowledgedBy,
                resolvedAt,
                because,
                flapping,
                quietAt,
                false);
    }

    Incident flapping(boolean now, @Nullable Instant quiet) {
        return new Incident(
                number,
                state,
                members,
                openedAt,
                toldAt,
                acknowledgedAt,
                acknowledgedBy,
                resolvedAt,
                because,
                now,
                quiet,
                stale);
    }

    Incident acknowledged(String who, Instant at) {
        return new Incident(
                number,
                State.ACKNOWLEDGED,
                members,
                openedAt,
                at,
                at,
                who,
                resolvedAt,
                because,
                flapping,
                quietAt,
                stale);
    }

    Incident resolved(Instant at, String why) {
        return new Incident(
                number,
                State.RESOLVED,
                members,
                openedAt,
                at,
                acknowledgedAt,
                acknowledgedBy,
                at,
                why,
                flapping,
                null,
                false);
    }

    // --- as a tree, for the store and for sinks

    public Map<String, Object> toTree() {
        return Json.of(
                "id",
                Long.toString(number),
                "state",
                state.text(),
                "severity",
                severity(),
                "title",
                title(),
                "summary",
                summary(),
                "deployments",
                deployments(),
                "groups",
                groups(),
                "members",
                members.stream().map(Incident::tree).toList(),
                "opened_at",
                openedAt.toEpochMilli(),
                "told_at",
                toldAt.toEpochMilli(),
                "acknowledged_at",
                millis(acknowledgedAt),
                "acknowledged_by",
                acknowledgedBy,
                "resolved_at",
                millis(resolvedAt),
                "because",
                because,
                "flapping",
                flapping,
                "quiet_at",
                millis(quietAt),
                "stale",
                stale);
    }

    private static Map<String, Object> tree(Member m) {
        Alarm a = m.alarm();
        return Json.of(
                "key",
                a.key(),
                "kind",
                a.kind().name(),
                "severity",
                a.severity(),
                "title",
                a.title(),
                "summary",
                a.summary(),
                "deployment",
                a.deployment(),
                "group",
                a.group(),
                "az",
                a.az(),
                "source",
                a.source(),
                "begun",
                m.begun().stream().map(Instant::toEpochMilli).toList(),
                "ended_at",
                millis(m.endedAt()));
    }

    private static @Nullable Long millis(@Nullable Instant at) {
        return at == null ? null : at.toEpochMilli();
    }

    public static Incident fromTree(Map<String, Object> tree) {
        var f = new Fields(tree, "alert");
        var members = new ArrayList<Member>();
        for (Fields m : f.objects("members")) {
            members.add(
                    new Member(
                            new Alarm(
                                    m.string("key"),
                                    Alarm.Kind.valueOf(m.string("kind")),
                                    (int) m.integer("severity"),
                                    m.string("title"),
                                    m.string("summary"),
                                    m.optionalString("deployment"),
                                    m.optionalString("group"),
                                    m.optionalString("az"),
                                    m.optionalString("source")),
                            m.list("begun").stream()
                                    .map(at -> Instant.ofEpochMilli(((Number) at).longValue()))
                                    .toList(),
                            time(m, "ended_at")));
        }
        return new Incident(
                Long.parseLong(f.string("id")),
                State.valueOf(f.string("state").toUpperCase(java.util.Locale.ROOT)),
                members,
                Instant.ofEpochMilli(f.integer("opened_at")),
                Instant.ofEpochMilli(f.integer("told_at")),
                time(f, "acknowledged_at"),
                f.optionalString("acknowledged_by"),
                time(f, "resolved_at"),
                f.string("because", ""),
                f.flag("flapping", false),
                time(f, "quiet_at"),
                f.flag("stale", false));
    }

    private static @Nullable Instant time(Fields f, String key) {
        Long millis = f.optionalInteger(key);
        return millis == null ? null : Instant.ofEpochMilli(millis);
    }
}
