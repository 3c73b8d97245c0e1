package dev.berth.monitor;

import dev.berth.model.InstanceId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Lets the repairs of one deployment go: all at once when few are down, one at a time in a
 * meltdown, none while somebody else works on the deployment. It always says why it waits.
 */
final class Releases {
    static final String BUS_LOST = "nobody is heard on the bus: silence proves nothing";

    private final JudgeSettings settings;
    private final Alarms alarms;
    private final Zones zones;
    private final String deployment;

    /** Why silence proves nothing now; null: it does. */
    interface Doubt {
        @Nullable String of(Watched w);
    }

    /** All instances of the deployment. */
    final Map<InstanceId, Watched> members = new LinkedHashMap<>();

    private final Tally tally;
    private @Nullable Instant firstNeed;

    /** The task that changes the deployment; null: none. */
    @Nullable String busyWith;

    /** When it is in the judge's queue; null: it is not. */
    @Nullable Instant wakeAt;

    Releases(JudgeSettings settings, Alarms alarms, Zones zones, String deployment) {
        this.settings = settings;
        this.alarms = alarms;
        this.zones = zones;
        this.deployment = deployment;
        this.tally = new Tally(settings);
    }

    String deployment() {
        return deployment;
    }

    /** Somebody else's task holds the deployment; the judge's own repairs do not count. */
    boolean isBusy() {
        return busyWith != null && !tally.isRepairing();
    }

    void joined(Watched w) {
        members.put(w.member.instance(), w);
        tally.joined(w.member.instance());
    }

    void noted(Watched w, Instant now) {
        tally.noted(w, isBusy(), now);
        if (tally.down().isEmpty()) {
            firstNeed = null;
        } else if (firstNeed == null && w.need != null) {
            firstNeed = now;
        }
    }

    void removed(InstanceId id) {
        members.remove(id);
        tally.left(id);
    }

    void recalled(InstanceId id, Instant downAt) {
        tally.recalled(id, downAt);
    }

    @Nullable Instant lastDown(InstanceId id, Instant now) {
        return tally.lastDown(id, now);
    }

    /** False when no such repair is under way: a copy. */
    boolean ended(InstanceId id) {
        zones.ended(id);
        return tally.ended(id);
    }

    /** A repair that was begun before this judge was there. */
    void goesOn(Watched w) {
        w.repairing = true;
        w.broughtBack = false;
        tally.started(w.member.instance());
        zones.started(w);
    }

    /** Decides now; returns when to decide again, null when something has to happen first. */
    @Nullable Instant release(boolean wanted, Doubt doubt, Instant now, List<Action> out) {
        if (tally.down().isEmpty()) {
            alarms.resolve(out, meltdownAlarm());
            return null;
        }
        List<Watched> needy =
                tally.down().stream()
                        .map(members::get)
                        .filter(w -> w != null && w.need != null && !w.repairing)
                        .map(w -> (Watched) w)
                        .toList();
        if (needy.isEmpty()) {
            return null;
        }
        String hindered = hindrance(wanted);
        if (hindered != null) {
            needy.forEach(w -> wait(w, hindered, out));
            return null;
        }
        Instant settled = firstNeed == null ? now : firstNeed.plus(settings.settle());
        if (tally.hasUnsure() && now.isBefore(settled)) {
            return settled;
        }
        return go(stillNeedy(needy, doubt, out), now, out);
    }

    /** Silence that was one agent's when it was judged may be everybody's by now. */
    private static List<Watched> stillNeedy(List<Watched> needy, Doubt doubt, List<Action> out) {
        var still = new ArrayList<Watched>();
        for (Watched w : needy) {
            String reason = w.needBySilence ? doubt.of(w) : null;
            reason = reason == null ? w.member.barred() : reason;
            if (reason == null) {
                still.add(w);
            } else {
                wait(w, reason, out);
            }
        }
        return still;
    }

    private @Nullable String hindrance(boolean wanted) {
        if (!wanted) {
            return "resurrection is switched off";
        }
        return busyWith == null ? null : "deployment " + deployment + " is busy with " + busyWith;
    }

    private @Nullable Instant go(List<Watched> needy, Instant now, List<Action> out) {
        var ready = new ArrayList<Watched>();
        Instant next = null;
        for (Watched w : needy) {
            if (w.notBefore != null && now.isBefore(w.notBefore)) {
                wait(
                        w,
                        w.repairs
                                + " repair"
                                + (w.repairs == 1 ? "" : "s")
                                + " did not help; the next not before "
                                + w.notBefore,
                        out);
                next = next == null || w.notBefore.isBefore(next) ? w.notBefore : next;
            } else {
                ready.add(w);
            }
        }
        if (ready.isEmpty()) {
            return next;
        }
        boolean meltdown = isMeltdown(now, out);
        if (meltdown) {
            ready.sort(Comparator.comparingInt(w -> w.repairs));
        }
        var these = new ArrayList<Watched>();
        for (Watched w : ready) {
            String crowd =
                    meltdown && tally.isRepairing()
                            ? "many are down: one repair at a time"
                            : zones.crowded(w, now, out);
            if (crowd == null) {
                w.repairing = true;
                w.broughtBack = false;
                w.waiting = "";
                tally.started(w.member.instance());
                zones.started(w);
                these.add(w);
            } else {
                wait(w, crowd, out);
            }
        }
        if (!these.isEmpty()) {
            start(these, out);
        }
        return next;
    }

    private boolean isMeltdown(Instant now, List<Action> out) {
        boolean meltdown = tally.isMeltdown(now);
        if (meltdown) {
            alarms.raise(
                    out,
                    meltdownAlarm(),
                    1,
                    deployment + ": We are in meltdown",
                    tally.words(now),
                    deployment);
        } else {
            alarms.resolve(out, meltdownAlarm());
        }
        return meltdown;
    }

    private void start(List<Watched> these, List<Action> out) {
        firstNeed = null;
        out.add(
                new Action.Repair(
                        deployment,
                        these.stream().map(w -> w.member.instance()).toList(),
                        these.stream()
                                .limit(5)
                                .map(w -> w.member.text() + ": " + w.need)
                                .collect(
                                        Collectors.joining(
                                                "; ", "", these.size() > 5 ? "; ..." : ""))));
    }

    static void wait(Watched w, String reason, List<Action> out) {
        if (!reason.equals(w.waiting)) {
            w.waiting = reason;
            out.add(new Action.Wait(w.member.text(), reason));
        }
    }

    private String meltdownAlarm() {
        return "deployment/" + deployment + "/meltdown";
    }
}
