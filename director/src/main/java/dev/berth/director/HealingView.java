package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where an instance stands on the ladder of healing: what was tried and why, what is done now, and
 * what comes next with its bound. From events, so that a new director says the same.
 */
final class HealingView {
    /** Type of the object of events that tell of a step. */
    static final String OBJECT = "healing";

    /** Of its deployment's events as many are looked through. */
    private static final int LOOK = 500;

    private static final int SHOWN = 6;

    private static final Set<String> WORKING = Set.of("queued", "processing", "cancelling");

    private final Store store;
    private final FleetView fleet;

    HealingView(Store store, FleetView fleet) {
        this.store = store;
        this.fleet = fleet;
    }

    Map<String, Object> of(Rows.Instance instance) {
        String name = instance.group() + "/" + instance.id();
        List<Rows.Event> tried =
                store.read(s -> s.events(null, instance.deployment(), LOOK)).stream()
                        .filter(e -> e.objectType().equals(OBJECT) && name.equals(e.instance()))
                        .limit(SHOWN)
                        .toList();
        var list = new ArrayList<Object>();
        for (Rows.Event e : tried.reversed()) {
            list.add(
                    Json.of(
                            "at",
                            Times.rfc3339(e.at()),
                            "step",
                            e.action(),
                            "reason",
                            String.valueOf(e.context().getOrDefault("reason", "")),
                            "task",
                            e.task()));
        }
        boolean working = !tried.isEmpty() && isUnderWay(tried.getFirst());
        Stand stand = working ? underWay(tried.getFirst()) : standing(instance);
        return Json.of("tried", list, "now", stand.now(), "next", stand.next());
    }

    private record Stand(String now, String next) {}

    private boolean isUnderWay(Rows.Event last) {
        Long task = last.task();
        return task != null
                && store.read(s -> s.task(task))
                        .filter(t -> WORKING.contains(t.state()))
                        .isPresent();
    }

    private Stand underWay(Rows.Event last) {
        String by = " (task " + last.task() + ")";
        return switch (last.action()) {
            case "reboot" ->
                    new Stand(
                            "its VM is rebooted" + by,
                            "a new VM, when its agent has not answered "
                                    + fleet.bounds().reboot().toSeconds()
                                    + " s after that");
            case "start" ->
                    new Stand("its VM is started" + by, "after a failure: again, with a pause");
            case "replace" ->
                    new Stand(
                            "it gets a new VM with its disks" + by,
                            "after a failure: again, with a pause");
            default -> new Stand("it is repaired" + by, "after a failure: again, with a pause");
        };
    }

    private Stand standing(Rows.Instance instance) {
        long silence = fleet.bounds().silence().toSeconds();
        return fleet.verdict(instance.id())
                .map(verdict ->
                        switch (verdict) {
                            case Verdict.Well v -> new Stand("nothing is to be healed", "");
                            case Verdict.Degraded v ->
                                    new Stand(
                                            "its agent heals it inside the VM: containers, then"
                                                    + " the daemon",
                                            "an alert, when that lasts; the VM is left alone as"
                                                    + " long as its agent answers");
                            case Verdict.Silent v ->
                                    new Stand(
                                            "its agent is pinged, and the cloud is asked",
                                            "a reboot of its VM, when it was silent for "
                                                    + silence
                                                    + " s and two pings had no answer; at once a"
                                                    + " new VM when the cloud says it is gone");
                            case Verdict.LockedOut v ->
                                    new Stand(
                                            "nothing: its agent lives and is locked out of the"
                                                    + " bus",
                                            "nothing by itself, see the alert");
                            case Verdict.Gone v ->
                                    new Stand(
                                            "its repair is to begin",
                                            "its VM is started, or made anew with its disks");
                            case Verdict.Held v -> new Stand("nothing: " + v.reason(), "");
                            case Verdict.Unmanaged v -> new Stand("nothing", "");
                            case Verdict.Rogue v -> new Stand("nothing", "");
                        })
                .orElse(new Stand("it is not judged yet", ""));
    }
}
