package dev.berth.monitor;

import dev.berth.model.InstanceId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What befalls a zone, or the whole environment, across deployments: a zone that is gone takes many
 * small deployments with it, each too small for a meltdown of its own; and one that is only cut off
 * looks as if all its agents had died at once. Plain state of the judge.
 */
final class Zones {
    /** Of all instances, whatever their zone. */
    private static final String ALL = "";

    /**
     * So many agents that are silent while the cloud has their VMs have one cause, and it is not in
     * the VMs. Of fewer that cannot be told, and whoever has one or two VMs wants them repaired.
     */
    static final int FEWEST_CUT = 3;

    private final JudgeSettings settings;
    private final Alarms alarms;
    private final Map<String, Tally> tallies = new HashMap<>();
    private final Map<String, Set<Watched>> members = new HashMap<>();
    private final Set<String> melting = new HashSet<>();
    private final Set<String> cut = new HashSet<>();
    private final Map<String, Instant> backAt = new HashMap<>();

    Zones(JudgeSettings settings, Alarms alarms) {
        this.settings = settings;
        this.alarms = alarms;
    }

    private static List<String> of(Watched w) {
        String az = w.member.az();
        return az == null || az.isEmpty() ? List.of(ALL) : List.of(az, ALL);
    }

    void joined(Watched w) {
        for (String zone : of(w)) {
            tallies.computeIfAbsent(zone, z -> new Tally(settings)).joined(w.member.instance());
            members.computeIfAbsent(zone, z -> new LinkedHashSet<>()).add(w);
        }
    }

    void left(Watched w, List<Action> out) {
        for (String zone : of(w)) {
            Tally tally = tallies.get(zone);
            Set<Watched> there = members.get(zone);
            if (tally == null || there == null) {
                continue;
            }
            tally.left(w.member.instance());
            there.remove(w);
            if (tally.isEmpty()) {
                tallies.remove(zone);
                members.remove(zone);
                backAt.remove(zone);
                calm(zone, out);
                reached(zone, null, out);
            }
        }
    }

    void noted(Watched w, boolean meant, Instant now, List<Action> out) {
        for (String zone : of(w)) {
            Tally tally = tallies.get(zone);
            if (tally != null) {
                tally.noted(w, meant, now);
                if (tally.down().isEmpty()) {
                    calm(zone, out);
                }
            }
        }
    }

    void recalled(Watched w, Instant downAt) {
        of(w).forEach(zone -> {
            Tally tally = tallies.get(zone);
            if (tally != null) {
                tally.recalled(w.member.instance(), downAt);
            }
        });
    }

    // --- many at once

    /** Why this one's repair has to wait for another's; null: it has not. */
    @Nullable String crowded(Watched w, Instant now, List<Action> out) {
        String reason = null;
        for (String zone : of(w)) {
            Tally tally = tallies.get(zone);
            if (tally != null && tally.isMeltdown(now)) {
                melt(zone, tally, now, out);
                if (tally.isRepairing()) {
                    reason = "many are down in " + name(zone) + ": one repair at a time";
                }
            }
        }
        return reason;
    }

    void started(Watched w) {
        of(w).forEach(zone -> {
            Tally tally = tallies.get(zone);
            if (tally != null) {
                tally.started(w.member.instance());
            }
        });
    }

    void ended(InstanceId id) {
        tallies.values().forEach(tally -> tally.ended(id));
    }

    private void melt(String zone, Tally tally, Instant now, List<Action> out) {
        melting.add(zone);
        alarms.raise(
                out,
                meltdown(zone),
                1,
                name(zone) + ": We are in meltdown",
                tally.words(now),
                null);
    }

    private void calm(String zone, List<Action> out) {
        if (melting.remove(zone)) {
            alarms.resolve(out, meltdown(zone));
        }
    }

    // --- cut off

    /**
     * When nobody of a zone is heard of those who could be, while others are, the zone is cut off:
     * what runs there runs on, and a repair would end it.
     */
    boolean isCut(Watched w, Instant now, List<Action> out) {
        String az = w.member.az();
        if (az == null || az.isEmpty()) {
            return false;
        }
        int speakers = 0;
        for (Watched other : members.getOrDefault(az, Set.of())) {
            if (other.member.agent() == null) {
                continue;
            }
            if (other.isHeard(now)) {
                return false;
            }
            speakers += other.evidence != null && other.evidence.isDecisive() ? 0 : 1;
        }
        if (speakers < FEWEST_CUT) {
            return false;
        }
        cut.add(az);
        alarms.raise(
                out,
                "az/" + az,
                1,
                "None of " + speakers + " agents of az " + az + " is heard",
                "The zone is cut off from the director, or its hosts are down and the cloud does"
                        + " not know. Containers run on. VMs are repaired there when the cloud says"
                        + " that they are gone, or when the zone is heard again; berth cck repairs"
                        + " what a person says.",
                null);
        return true;
    }

    static String cutOff(Watched w) {
        return "nobody of az " + w.member.az() + " is heard: it may be cut off";
    }

    /** Somebody of it speaks: the others get their time from now on. */
    void heard(Watched w, Instant now, List<Action> out) {
        String az = w.member.az();
        if (az != null && !cut.isEmpty()) {
            reached(az, now, out);
        }
    }

    private void reached(String az, @Nullable Instant now, List<Action> out) {
        if (cut.remove(az)) {
            alarms.resolve(out, "az/" + az);
            if (now != null) {
                backAt.put(az, now);
            }
        }
    }

    /** Since when silence in its zone counts again. */
    Instant backAt(Watched w, Instant otherwise) {
        Instant at = backAt.get(w.member.az() == null ? ALL : w.member.az());
        return at == null || at.isBefore(otherwise) ? otherwise : at;
    }

    /** All that a person would have to look at. */
    List<String> cutZones() {
        return new ArrayList<>(cut);
    }

    private static String name(String zone) {
        return zone.equals(ALL) ? "the environment" : "az " + zone;
    }

    private static String meltdown(String zone) {
        return zone.equals(ALL) ? "meltdown" : "az/" + zone + "/meltdown";
    }
}
