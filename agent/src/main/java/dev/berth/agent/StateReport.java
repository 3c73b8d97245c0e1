package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentState.ContainerState;
import dev.berth.wire.Heartbeat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Puts together what {@code get_state} and heartbeats say. Thread-safe. */
final class StateReport {
    private final Layout layout;
    private final Supplier<Settings> settings;
    private final InstanceSpec spec;
    private final Workload workload;
    private final Disks disks;
    private final Vitals vitals;
    private final Clock clock;

    private record CpuSample(long cpuNanos, long atMillis) {}

    private final Map<String, CpuSample> lastCpu = new HashMap<>();

    StateReport(
            Layout layout,
            Supplier<Settings> settings,
            InstanceSpec spec,
            Workload workload,
            Disks disks,
            Vitals vitals,
            Clock clock) {
        this.layout = layout;
        this.settings = settings;
        this.spec = spec;
        this.workload = workload;
        this.disks = disks;
        this.vitals = vitals;
        this.clock = clock;
    }

    /** The value of {@code get_state}. */
    Map<String, Object> state(boolean full) {
        Workload.Status status = workload.status();
        var state = new LinkedHashMap<String, Object>(spec.get().tree());
        for (String key : List.of("networks", "packages", "resource_pool")) {
            state.putIfAbsent(key, Map.of());
        }
        if (!state.containsKey("index")) {
            state.putAll(Json.of("index", null));
        }
        state.put("agent_id", settings.get().agentId().value());
        state.put("job_state", status.jobState());
        state.put("vm", Json.of("name", settings.get().document().vmName()));
        List<Map<String, Object>> processes = processes(status.containers());
        if (!processes.isEmpty()) {
            state.put("processes", processes);
        }
        state.put("containers", trees(status.containers()));
        state.put("disks", disks.proven());
        state.put("daemon", status.daemon());
        if (full) {
            state.put("vitals", vitals.sample());
        }
        return state;
    }

    List<Map<String, Object>> disks() {
        return disks.report().all();
    }

    Map<String, Object> heartbeat() {
        Workload.Status status = workload.status();
        Fields stored = spec.get();
        Long index = stored.optionalInteger("index");
        Map<String, Object> beat =
                Heartbeat.write(
                        stored.string("deployment", ""),
                        group(stored),
                        index == null ? null : index.intValue(),
                        status.jobState(),
                        vitals.sample(),
                        stored.string("id", ""),
                        status.containers().size(),
                        processes(status.containers()),
                        trees(status.containers()),
                        disks.proven());
        beat.put("daemon", status.daemon());
        beat.put("disk_report", disks.report().brief());
        return beat;
    }

    private static @Nullable String group(Fields stored) {
        return stored.object("job").optionalString("name");
    }

    private static List<Map<String, Object>> trees(List<ContainerState> containers) {
        return containers.stream().map(ContainerState::toTree).toList();
    }

    /** Containers as the processes that BOSH's tables show. */
    private synchronized List<Map<String, Object>> processes(List<ContainerState> containers) {
        long now = clock.now().toEpochMilli();
        var result = new ArrayList<Map<String, Object>>();
        for (ContainerState container : containers) {
            var process = new LinkedHashMap<String, Object>();
            process.put("name", container.name());
            process.put("state", processState(container.state()));
            if (container.startedAtMillis() > 0 && container.containerId() != null) {
                use(process, container.containerId(), container.startedAtMillis(), now);
            }
            result.add(process);
        }
        lastCpu.keySet()
                .removeIf(id -> containers.stream().noneMatch(c -> id.equals(c.containerId())));
        return result;
    }

    private void use(Map<String, Object> process, String id, long startedAt, long now) {
        Cgroup group = Cgroup.ofContainer(layout, id);
        process.put("uptime", Json.of("secs", Math.max(0, (now - startedAt) / 1000)));
        Cgroup.Memory memory = group.memory();
        Cgroup.Memory vm = Cgroup.ofVm(layout).memory();
        long whole = vm.limitBytes() > 0 ? vm.limitBytes() : machineBytes();
        process.put(
                "mem",
                Json.of(
                        "kb",
                        memory.usedBytes() / 1024,
                        "percent",
                        whole == 0 ? 0.0 : Math.round(1000.0 * memory.usedBytes() / whole) / 10.0));
        long cpu = group.cpuNanos();
        CpuSample before = lastCpu.get(id);
        if (before == null || now - before.atMillis() >= 200) {
            lastCpu.put(id, new CpuSample(cpu, now));
        }
        long since = before == null ? startedAt : before.atMillis();
        long spent = cpu - (before == null ? 0 : before.cpuNanos());
        double percent = now <= since ? 0 : spent / 10_000.0 / (now - since);
        process.put("cpu", Json.of("total", Math.max(0, Math.round(percent * 10) / 10.0)));
    }

    private static long machineBytes() {
        return java.util.stream.Stream.of(
                        DurableFile.read(java.nio.file.Path.of("/proc/meminfo")).orElse(""))
                .flatMap(String::lines)
                .filter(line -> line.startsWith("MemTotal:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }

    /** A supervisor's word as one of the four that BOSH's clients know. */
    private static String processState(String state) {
        return switch (state) {
            case "up", "done" -> "running";
            case "waiting", "preparing", "creating", "starting" -> "starting";
            case "stopped", "stopping", "gone" -> "stopped";
            default -> "failing";
        };
    }
}
