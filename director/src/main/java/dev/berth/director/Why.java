package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentException;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.wire.Heartbeat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Why an instance is as it is: what is wished and what is observed, side by side, and what is
 * waited for. What the agent says itself is asked of it; where it does not answer, its last
 * heartbeat stands in, and {@code told_by} says so. Holds nothing of a container's environment.
 */
final class Why {
    /** A person waits; an agent that hangs is told from its silence. */
    private static final Duration QUESTION = Duration.ofSeconds(5);

    private final Store store;
    private final FleetView fleet;
    private final AgentCalls agents;
    private final HealingView healing;

    Why(Store store, FleetView fleet, AgentCalls agents) {
        this.store = store;
        this.fleet = fleet;
        this.healing = new HealingView(store, fleet);
        this.agents = agents;
    }

    /** What the agent answered or else had said last. */
    private record Told(String by, Fields tree, @Nullable String error) {}

    /**
     * @param container only this one; empty: all
     */
    Map<String, Object> of(Rows.Instance instance, String container) {
        Rows.Vm vm = store.read(s -> s.activeVm(instance.id())).orElse(null);
        Told told = vm == null ? nobody("there is no VM") : ask(vm.agent(), container);
        var json = new LinkedHashMap<String, @Nullable Object>();
        json.put("deployment", instance.deployment());
        json.put("instance", instance.group() + "/" + instance.id());
        json.put("index", instance.index());
        json.put("az", instance.az());
        json.put("state", instance.state());
        json.put("ignore", instance.ignored());
        json.put("update_completed", instance.updateCompleted());
        json.put(
                "verdict",
                fleet.verdict(instance.id()).map(Verdict::text).orElse("not judged yet"));
        json.put("waiting_for", fleet.waitingFor(instance.id()));
        json.put("healing", healing.of(instance));
        json.put("resurrection", !InfoApi.resurrectionPaused(store));
        json.put("vm", vm == null ? null : vm(vm));
        json.put("told_by", told.by());
        json.put("agent_error", told.error());
        json.put("job_state", told.tree().optionalString("job_state"));
        json.put("daemon", told.tree().optionalString("daemon"));
        json.put("disks", disks(instance, vm, told.tree()));
        json.put("containers", containers(instance, told.tree(), container));
        return Json.asObject(json);
    }

    private Map<String, Object> vm(Rows.Vm vm) {
        return Json.of(
                "cid",
                vm.cid().value(),
                "agent_id",
                vm.agent().value(),
                "created_at",
                Times.rfc3339(vm.createdAt()),
                "responsive",
                fleet.responsive(vm.agent()),
                "last_seen",
                fleet.lastSeen(vm.agent()).map(Times::rfc3339).orElse(null));
    }

    private Told ask(AgentId agent, String container) {
        try {
            Object answer = agents.call(agent, "explain_containers", List.of(container), QUESTION);
            return new Told("agent", Fields.of(answer, "answer of the agent"), null);
        } catch (AgentException | IllegalArgumentException e) {
            Optional<Heartbeat> beat = fleet.lastHeartbeat(agent);
            return beat.isEmpty()
                    ? nobody(words(e))
                    : new Told("heartbeat", Fields.of(beat.get().tree(), "heartbeat"), words(e));
        }
    }

    private static Told nobody(String why) {
        return new Told("nobody", new Fields(Map.of(), "nothing"), why);
    }

    /** The agent's own words, without the protocol's around them. */
    static String words(RuntimeException e) {
        return Failures.message(e)
                .replaceFirst("^Action Failed get_task: Task \\S+ result: ", "")
                .replaceFirst("^Action Failed \\S+: ", "");
    }

    private List<Map<String, Object>> disks(
            Rows.Instance instance, Rows.@Nullable Vm vm, Fields told) {
        boolean asked = told.has("disk");
        Fields seen = asked ? told.object("disk") : new Fields(Map.of(), "disk");
        return store.read(s -> s.disks(instance.id())).stream()
                .filter(Rows.Disk::active)
                .map(disk -> {
                    if (DiskRecords.isRaw(disk)) {
                        return WhyDisk.raw(disk);
                    }
                    // Agents that keep several disks tell of each.
                    Optional<Fields> own =
                            told.objects("disk_report").stream()
                                    .filter(d -> d.string("cid", "").equals(disk.cid().value()))
                                    .findFirst();
                    if (own.isPresent()) {
                        return WhyDisk.of(disk, own.get());
                    }
                    boolean proven =
                            asked
                                    ? seen.flag("proven", false)
                                            && disk.cid().value().equals(seen.string("cid", ""))
                                    : told.strings("disks").contains(disk.cid().value());
                    return WhyDisk.recorded(disk, proven, proven ? "" : notProven(vm, told, seen));
                })
                .toList();
    }

    private static String notProven(Rows.@Nullable Vm vm, Fields told, Fields seen) {
        if (vm == null) {
            return "there is no VM to mount it";
        }
        return seen.string(
                "reason",
                told.tree().isEmpty()
                        ? "the agent has not told of it"
                        : "the agent does not name it as mounted and writable");
    }

    /** What was deployed; before the first success of a deploy, what the agent was told so far. */
    private static List<Fields> wished(Rows.Instance instance, Fields told) {
        Fields spec = Fields.of(instance.spec(), "spec");
        return (spec.has("containers") ? spec : told).objects("containers");
    }

    /**
     * What is wished and what is seen of each, in the order of the wish; then what is only seen.
     */
    private static List<Map<String, Object>> containers(
            Rows.Instance instance, Fields told, String only) {
        Map<String, Map<String, Object>> seen = new LinkedHashMap<>();
        told.objects("containers").forEach(c -> seen.put(c.string("name"), c.tree()));
        Set<String> held = new HashSet<>(HeldContainers.of(instance));
        var all = new ArrayList<Map<String, Object>>();
        for (Fields wished : wished(instance, told)) {
            String name = wished.string("name");
            all.add(
                    Json.of(
                            "name",
                            name,
                            "wished",
                            Json.of(
                                    "image",
                                    wished.optionalString("image"),
                                    "image_digest",
                                    wished.optionalString("image_digest"),
                                    "spec_digest",
                                    wished.optionalString("digest"),
                                    "stopped",
                                    held.contains(name)),
                            "seen",
                            seen.remove(name)));
        }
        seen.forEach((name, tree) -> all.add(Json.of("name", name, "wished", null, "seen", tree)));
        all.removeIf(c -> !only.isEmpty() && !only.equals(c.get("name")));
        if (all.isEmpty() && !only.isEmpty()) {
            throw new ProblemException(70001, "Instance has no container '" + only + "'");
        }
        return all;
    }
}
