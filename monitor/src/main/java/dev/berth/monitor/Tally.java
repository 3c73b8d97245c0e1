package dev.berth.monitor;

import dev.berth.model.InstanceId;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Counts who of a set of instances is down, was down a short while ago, or may be down: the rule of
 * the meltdown. VMs that a deploy makes or replaces are no failures. Plain state of the judge.
 */
final class Tally {
    private final JudgeSettings settings;
    private final Set<InstanceId> members = new HashSet<>();
    private final Set<InstanceId> down = new LinkedHashSet<>();
    private final Set<InstanceId> unsure = new LinkedHashSet<>();
    private final Map<InstanceId, Instant> lastDown = new LinkedHashMap<>();
    private final Set<InstanceId> inFlight = new LinkedHashSet<>();

    Tally(JudgeSettings settings) {
        this.settings = settings;
    }

    void joined(InstanceId id) {
        members.add(id);
    }

    void left(InstanceId id) {
        members.remove(id);
        down.remove(id);
        unsure.remove(id);
        lastDown.remove(id);
        inFlight.remove(id);
    }

    /**
     * @param meant somebody's task works on the deployment: what is not there now failed nobody
     */
    void noted(Watched w, boolean meant, Instant now) {
        InstanceId id = w.member.instance();
        if (w.isDown()) {
            down.add(id);
            if (!meant) {
                lastDown.put(id, now);
            }
        } else if (down.remove(id) && !meant) {
            lastDown.computeIfPresent(id, (i, began) -> now); // if it was a failure at all
        }
        if (w.isUnsure() && !meant) {
            unsure.add(id);
        } else {
            unsure.remove(id);
        }
    }

    /** It was down then, as an earlier director remembers. */
    void recalled(InstanceId id, Instant downAt) {
        lastDown.put(id, downAt);
    }

    @Nullable Instant lastDown(InstanceId id, Instant now) {
        Instant at = lastDown.get(id);
        return at == null || at.plus(settings.meltdownWindow()).isBefore(now) ? null : at;
    }

    Set<InstanceId> down() {
        return down;
    }

    boolean hasUnsure() {
        return !unsure.isEmpty();
    }

    void started(InstanceId id) {
        inFlight.add(id);
    }

    /** False when no such repair is under way. */
    boolean ended(InstanceId id) {
        return inFlight.remove(id);
    }

    boolean isRepairing() {
        return !inFlight.isEmpty();
    }

    boolean isEmpty() {
        return members.isEmpty();
    }

    int size() {
        return members.size();
    }

    /** As the reference: so many within the window, and that share of all. */
    boolean isMeltdown(Instant now) {
        long count = count(now);
        return count >= settings.meltdownMinimum()
                && count * 100 >= (long) settings.meltdownPercent() * members.size();
    }

    long count(Instant now) {
        lastDown.entrySet()
                .removeIf(e ->
                        e.getValue().plus(settings.meltdownWindow()).isBefore(now)
                                && !down.contains(e.getKey())
                                && !inFlight.contains(e.getKey()));
        return lastDown.size() + unsure.stream().filter(id -> !lastDown.containsKey(id)).count();
    }

    String words(Instant now) {
        return count(now)
                + " of "
                + members.size()
                + " instances were down within "
                + settings.meltdownWindow().toSeconds()
                + " s; repairs go one at a time.";
    }
}
