package dev.berth.monitor;

import dev.berth.model.InstanceId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
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
    private final String deployment;

    /** All instances of the deployment. */
    final Map<InstanceId, Watched> members = new LinkedHashMap<>();

    private final Set<InstanceId> down = new LinkedHashSet<>();
    private final Set<InstanceId> unsure = new LinkedHashSet<>();
    private final Map<InstanceId, Instant> lastDown = new LinkedHashMap<>();
    private final Set<InstanceId> inFlight = new LinkedHashSet<>();
    private @Nullable Instant firstNeed;

    /** The task that changes the deployment; null: none. */
    @Nullable String busyWith;

    /** When it is in the judge's queue; null: it is not. */
    @Nullable Instant wakeAt;

    Releases(JudgeSettings settings, Alarms alarms, String deployment) {
        this.settings = settings;
        this.alarms = alarms;
        this.deployment = deployment;
    }

    String deployment() {
        return deployment;
    }

    /** Somebody else's task holds the deployment; the judge's own repairs do not count. */
    boolean isBusy() {
        return busyWith != null && inFlight.isEmpty();
    }

    void noted(Watched w, Instant now) {
        InstanceId id = w.member.instance();
        if (w.isDown()) {
            down.add(id);
            lastDown.put(id, now);
        } else if (down.remove(id)) {
            lastDown.put(id, now);
        }
        if (w.isUnsure()) {
            unsure.add(id);
        } else {
            unsure.remove(id);
        }
        if (down.isEmpty()) {
            firstNeed = null;
        } else if (firstNeed == null && w.need != null) {
            firstNeed = now;
        }
    }

    void removed(InstanceId id) {
        members.remove(id);
        down.remove(id);
        unsure.remove(id);
        lastDown.remove(id);
    }

    /** False when no such repair is under way: a copy. */
    boolean ended(InstanceId id) {
        return inFlight.remove(id);
    }

    /** Decides now; returns when to decide again, null when something has to happen first. */
    @Nullable Instant release(
            boolean wanted, BooleanSupplier busLost, Instant now, List<Action> out) {
        if (down.isEmpty()) {
            alarms.resolve(out, meltdownAlarm());
            return null;
        }
        List<Watched> needy =
                down.stream()
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
        if (!unsure.isEmpty() && now.isBefore(settled)) {
            return settled;
        }
        return go(stillNeedy(needy, busLost, out), now, out);
    }

    /** Silence that was one agent's when it was judged may be everybody's by now. */
    private static List<Watched> stillNeedy(
            List<Watched> needy, BooleanSupplier busLost, List<Action> out) {
        boolean bySilence = needy.stream().anyMatch(w -> w.needBySilence);
        if (!bySilence || !busLost.getAsBoolean()) {
            return needy;
        }
        needy.stream().filter(w -> w.needBySilence).forEach(w -> wait(w, BUS_LOST, out));
        return needy.stream().filter(w -> !w.needBySilence).toList();
    }

    private @Nullable String hindrance(boolean wanted) {
        if (!wanted) {
            return "resurrection is switched off";
        }
        return isBusy() ? "deployment " + deployment + " is busy with " + busyWith : null;
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
        if (isMeltdown(now, out)) {
            ready.sort(Comparator.comparingInt(w -> w.repairs));
            if (inFlight.isEmpty()) {
                start(List.of(ready.removeFirst()), out);
            }
            ready.forEach(w -> wait(w, "many are down: one repair at a time", out));
        } else {
            start(ready, out);
        }
        return next;
    }

    private boolean isMeltdown(Instant now, List<Action> out) {
        Duration window = settings.meltdownWindow();
        lastDown.entrySet()
                .removeIf(e ->
                        e.getValue().plus(window).isBefore(now)
                                && !down.contains(e.getKey())
                                && !inFlight.contains(e.getKey()));
        var counted = new LinkedHashSet<>(lastDown.keySet());
        counted.addAll(unsure);
        long count = counted.size();
        boolean meltdown =
                count >= settings.meltdownMinimum()
                        && count * 100 >= (long) settings.meltdownPercent() * members.size();
        if (meltdown) {
            alarms.raise(
                    out,
                    meltdownAlarm(),
                    1,
                    deployment + ": We are in meltdown",
                    count
                            + " of "
                            + members.size()
                            + " instances were down within "
                            + window.toSeconds()
                            + " s; repairs go one at a time.",
                    deployment);
        } else {
            alarms.resolve(out, meltdownAlarm());
        }
        return meltdown;
    }

    private void start(List<Watched> these, List<Action> out) {
        for (Watched w : these) {
            w.repairing = true;
            w.waiting = "";
            inFlight.add(w.member.instance());
        }
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
