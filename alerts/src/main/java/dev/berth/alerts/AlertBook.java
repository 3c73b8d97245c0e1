package dev.berth.alerts;

import dev.berth.alerts.Incident.Member;
import dev.berth.alerts.Incident.State;
import dev.berth.model.AlertsConfig.Timing;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes alerts of alarms: a trouble is told once and its end once, what goes down together is one
 * alert, and what comes and goes is told so and then left alone. Touches nothing and asks no clock.
 * Not thread-safe.
 *
 * <p>What it knows of alerts that were told is in the {@link Incident}s it hands out; a new book
 * that is given them goes on where the old one was. Only alarms not told yet are forgotten between
 * the two, and those are raised again by who watches.
 */
public final class AlertBook {
    /** Of one trouble; more beginnings than are needed to see that it flaps are not kept. */
    private static final int BEGINNINGS = 10;

    /** A list longer than that helps nobody; those beyond it are alerts of their own lists. */
    private static final int MOST_MEMBERS = 2_000;

    private Timing timing;
    private long next;

    /** Alerts that are not over, by number. */
    private final TreeMap<Long, Incident> open = new TreeMap<>();

    /** Number of the alert that a trouble belongs to, as long as it is not over. */
    private final Map<String, Long> byKey = new HashMap<>();

    /** Beginnings of troubles lately, those of alerts that are over included. */
    private final Map<String, List<Instant>> begun = new HashMap<>();

    /** Instances that went down a moment ago, told to nobody. */
    private final LinkedHashMap<String, Pending> pending = new LinkedHashMap<>();

    private record Pending(Alarm alarm, Instant since) {}

    /**
     * @param known alerts that are not over, and those that ended lately
     * @param last the highest number ever given
     */
    public AlertBook(Timing timing, Collection<Incident> known, long last) {
        this.timing = timing;
        this.next = last + 1;
        for (Incident incident : known) {
            if (!incident.isOver()) {
                put(incident);
            }
            for (Member member : incident.members()) {
                begun.merge(
                        member.alarm().key(),
                        member.begun(),
                        (a, b) ->
                                latest(
                                        java.util.stream.Stream.concat(a.stream(), b.stream())
                                                .distinct()
                                                .sorted()
                                                .toList()));
            }
        }
    }

    public void timing(Timing now) {
        timing = now;
    }

    public Optional<Incident> incident(long number) {
        return Optional.ofNullable(open.get(number));
    }

    /** Those that are not over, oldest first. */
    public List<Incident> open() {
        return List.copyOf(open.values());
    }

    /** The troubles that go on and are told, each with its alert. */
    public Map<Alarm, Incident> troubles() {
        var troubles = new LinkedHashMap<Alarm, Incident>();
        for (Incident incident : open.values()) {
            for (Member member : incident.members()) {
                if (member.isOn()) {
                    troubles.put(member.alarm(), incident);
                }
            }
        }
        return troubles;
    }

    // --- what those who watch say

    /** A trouble began, or is another now. */
    public List<Change> raised(Alarm alarm, Instant now) {
        Long number = byKey.get(alarm.key());
        if (number != null) {
            return again(incidentOf(number), alarm, now);
        }
        if (pending.containsKey(alarm.key())) {
            pending.computeIfPresent(alarm.key(), (k, p) -> new Pending(alarm, p.since));
            return List.of();
        }
        return switch (alarm.kind()) {
            case DOWN -> {
                pending.put(alarm.key(), new Pending(alarm, now));
                yield timing.settle().isZero() ? tick(now) : List.of();
            }
            case CONSEQUENCE -> consequence(alarm, now);
            case OWN -> List.of(begin(List.of(member(alarm, now)), now));
            case EVENT -> {
                Incident told = fresh(List.of(member(alarm, now)), now);
                yield List.of(new Change(told.resolved(now, "it was an event"), Notice.Kind.OPEN));
            }
        };
    }

    /** The trouble is over; nothing happens when it was not known. */
    public List<Change> resolved(String key, String why, Instant now) {
        pending.remove(key); // too short to be told
        Long number = byKey.get(key);
        if (number == null) {
            return List.of();
        }
        Incident before = incidentOf(number);
        Member member = memberOf(before, key);
        if (!member.isOn()) {
            return List.of();
        }
        Incident after =
                before.withMembers(
                        replaced(before, new Member(member.alarm(), member.begun(), now)), true);
        if (after.members().stream().anyMatch(Member::isOn)) {
            return List.of(keep(after, null));
        }
        if (flaps(after, now)) {
            boolean news = !after.flapping();
            Incident quiet = after.flapping(true, now.plus(timing.flapQuiet()));
            return List.of(news ? keep(quiet.told(now), Notice.Kind.UPDATE) : keep(quiet, null));
        }
        return List.of(end(after, why, now));
    }

    // --- what people say

    /** Somebody has taken it up; empty when it is over or was taken up already. */
    public List<Change> acknowledge(long number, String who, Instant now) {
        Incident incident = open.get(number);
        if (incident == null || incident.state() != State.OPEN) {
            return List.of();
        }
        return List.of(keep(incident.acknowledged(who, now), Notice.Kind.ACKNOWLEDGE));
    }

    /** Somebody knows that it is over; what goes on all the same is raised again as another. */
    public List<Change> end(long number, String who, Instant now) {
        Incident incident = open.get(number);
        return incident == null ? List.of() : List.of(end(incident, who + " says so", now));
    }

    // --- time

    /** To be called when {@link #nextWake} has come; earlier does no harm. */
    public List<Change> tick(Instant now) {
        var out = new ArrayList<Change>();
        settle(now, out);
        for (Incident incident : List.copyOf(open.values())) {
            if (incident.quietAt() != null && !now.isBefore(incident.quietAt())) {
                out.add(end(incident, "it has been quiet since " + lastEnd(incident), now));
            } else if (incident.stale()
                    && incident.state() == State.OPEN
                    && incident.quietAt() == null
                    && !now.isBefore(incident.toldAt().plus(timing.updateEvery()))) {
                out.add(keep(incident.told(now), Notice.Kind.UPDATE));
            }
        }
        begun.values().removeIf(times -> times.getLast().plus(timing.flapWithin()).isBefore(now));
        return out;
    }

    /** Null: nothing waits for time. */
    public @Nullable Instant nextWake() {
        Instant earliest = null;
        for (Pending p : pending.values()) {
            earliest = earlier(earliest, p.since.plus(timing.settle()));
        }
        for (Incident incident : open.values()) {
            if (incident.quietAt() != null) {
                earliest = earlier(earliest, incident.quietAt());
            } else if (incident.stale() && incident.state() == State.OPEN) {
                earliest = earlier(earliest, incident.toldAt().plus(timing.updateEvery()));
            }
        }
        return earliest;
    }

    private static Instant earlier(@Nullable Instant one, Instant other) {
        return one == null || other.isBefore(one) ? other : one;
    }

    // --- grouping

    /**
     * When the first of those that went down has waited long enough, all of them are told: as one
     * alert if they are many, together with those that were told a moment ago.
     */
    private void settle(Instant now, List<Change> out) {
        boolean due =
                pending.values().stream()
                        .anyMatch(p -> !now.isBefore(p.since.plus(timing.settle())));
        if (!due) {
            return;
        }
        List<Member> fresh = pending.values().stream().map(p -> member(p.alarm, p.since)).toList();
        pending.clear();
        Incident group = growing(now);
        if (group != null) {
            join(group, fresh, now, out);
            return;
        }
        List<Incident> lately =
                open.values().stream()
                        .filter(i -> i.members().size() == 1 && isDown(i.members().getFirst()))
                        .filter(i -> i.state() == State.OPEN && !i.flapping())
                        .filter(i -> !i.openedAt().plus(timing.groupWithin()).isBefore(now))
                        .toList();
        if (fresh.size() + lately.size() < timing.groupFrom()) {
            fresh.forEach(m -> out.add(begin(List.of(m), now)));
            return;
        }
        var members = new ArrayList<Member>();
        for (Incident one : lately) {
            members.addAll(one.members());
            out.add(end(one, "it is part of alert " + next, now));
        }
        members.addAll(fresh);
        out.add(begin(members, now));
    }

    private static boolean isDown(Member member) {
        return member.alarm().kind() == Alarm.Kind.DOWN && member.isOn();
    }

    /** An alert of many that somebody joined a moment ago. */
    private @Nullable Incident growing(Instant now) {
        return open.descendingMap().values().stream()
                .filter(i -> i.isGroup() && i.members().size() < MOST_MEMBERS)
                .filter(i ->
                        i.members().stream()
                                .filter(Member::isOn)
                                .map(m -> m.begun().getLast())
                                .anyMatch(at -> !at.plus(timing.groupWithin()).isBefore(now)))
                .findFirst()
                .orElse(null);
    }

    private void join(Incident group, List<Member> fresh, Instant now, List<Change> out) {
        var members = new ArrayList<>(group.members());
        members.addAll(fresh);
        Incident after = group.withMembers(members, true).flapping(group.flapping(), null);
        boolean worse = after.severity() < group.severity();
        out.add(worse ? keep(after.told(now), Notice.Kind.UPDATE) : keep(after, null));
    }

    private List<Change> consequence(Alarm alarm, Instant now) {
        boolean soon =
                pending.values().stream()
                        .map(p -> p.alarm)
                        .anyMatch(a -> a.kind() == Alarm.Kind.DOWN && follows(alarm, a));
        if (soon) {
            pending.put(alarm.key(), new Pending(alarm, now));
            return List.of();
        }
        Incident cause =
                open.descendingMap().values().stream()
                        .filter(i ->
                                i.members().stream()
                                        .anyMatch(m -> isDown(m) && follows(alarm, m.alarm())))
                        .findFirst()
                        .orElse(null);
        var out = new ArrayList<Change>();
        if (cause == null) {
            out.add(begin(List.of(member(alarm, now)), now));
        } else {
            join(cause, List.of(member(alarm, now)), now, out);
        }
        return out;
    }

    /** Of the same deployment, and of the same zone, as far as it names them. */
    private static boolean follows(Alarm consequence, Alarm down) {
        return (consequence.deployment() == null
                        || consequence.deployment().equals(down.deployment()))
                && (consequence.az() == null || consequence.az().equals(down.az()));
    }

    // --- one alert

    private List<Change> again(Incident before, Alarm alarm, Instant now) {
        Member old = memberOf(before, alarm.key());
        if (old.isOn() && old.alarm().equals(alarm)) {
            return List.of(); // a director that started anew says what is known
        }
        Member fresh = old.isOn() ? new Member(alarm, old.begun(), null) : member(alarm, now);
        Incident after =
                before.withMembers(replaced(before, fresh), true).flapping(before.flapping(), null);
        boolean worse = after.severity() < before.severity() && before.quietAt() == null;
        return List.of(worse ? keep(after.told(now), Notice.Kind.UPDATE) : keep(after, null));
    }

    private Change begin(List<Member> members, Instant now) {
        return keep(fresh(members, now), Notice.Kind.OPEN);
    }

    private Incident fresh(List<Member> members, Instant now) {
        return new Incident(
                next++, State.OPEN, members, now, now, null, null, null, "", false, null, false);
    }

    private Change end(Incident incident, String why, Instant now) {
        open.remove(incident.number());
        incident.members().forEach(m -> byKey.remove(m.alarm().key(), incident.number()));
        return new Change(incident.resolved(now, why), Notice.Kind.RESOLVE);
    }

    private Change keep(Incident incident, Notice.@Nullable Kind told) {
        put(incident);
        return new Change(incident, told);
    }

    private void put(Incident incident) {
        open.put(incident.number(), incident);
        incident.members().forEach(m -> byKey.put(m.alarm().key(), incident.number()));
    }

    private Incident incidentOf(long number) {
        return java.util.Objects.requireNonNull(open.get(number));
    }

    private static Member memberOf(Incident incident, String key) {
        return incident.members().stream()
                .filter(m -> m.alarm().key().equals(key))
                .findFirst()
                .orElseThrow();
    }

    private static List<Member> replaced(Incident incident, Member member) {
        return incident.members().stream()
                .map(m -> m.alarm().key().equals(member.alarm().key()) ? member : m)
                .toList();
    }

    // --- coming and going

    private Member member(Alarm alarm, Instant now) {
        var times = new ArrayList<>(begun.getOrDefault(alarm.key(), List.of()));
        times.add(now);
        List<Instant> kept = latest(times);
        begun.put(alarm.key(), kept);
        return new Member(alarm, kept, null);
    }

    private static List<Instant> latest(List<Instant> times) {
        return List.copyOf(times.subList(Math.max(0, times.size() - BEGINNINGS), times.size()));
    }

    private boolean flaps(Incident incident, Instant now) {
        Instant from = now.minus(timing.flapWithin());
        return incident.members().stream()
                .anyMatch(m ->
                        m.begun().stream().filter(at -> at.isAfter(from)).count()
                                >= timing.flapTimes());
    }

    private static Instant lastEnd(Incident incident) {
        return incident.members().stream()
                .map(Member::endedAt)
                .filter(java.util.Objects::nonNull)
                .max(java.util.Comparator.naturalOrder())
                .orElse(incident.openedAt());
    }
}
