package dev.berth.supervisor;

import static dev.berth.supervisor.CreateBody.putFilled;
import static dev.berth.supervisor.CreateBody.putIf;

import dev.berth.model.ContainerLogging;
import dev.berth.model.ContainerNetwork;
import dev.berth.model.ContainerResources;
import dev.berth.model.ContainerResources.Blkio;
import dev.berth.model.ContainerResources.Cpu;
import dev.berth.model.ContainerResources.DeviceRate;
import dev.berth.model.ContainerResources.DeviceRequest;
import dev.berth.model.ContainerResources.Memory;
import dev.berth.model.ContainerSecurity;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The {@code HostConfig} of a create body, but for mounts and networks. Pure. */
final class HostConfig {
    /** Without rotation a chatty container fills the ephemeral disk. */
    private static final Map<String, String> ROTATION = Map.of("max-size", "10m", "max-file", "3");

    private static final Set<String> ROTATED = Set.of("json-file", "local");

    private final ContainerSpec spec;
    private final CreateBody.Surroundings around;
    private final List<String> warnings;
    private final Map<String, Object> host = new LinkedHashMap<>();

    HostConfig(ContainerSpec spec, CreateBody.Surroundings around, List<String> warnings) {
        this.spec = spec;
        this.around = around;
        this.warnings = warnings;
    }

    Map<String, Object> tree() {
        host.put("PortBindings", portBindings());
        // The supervisor alone restarts: two restarters undo each other's order and back-off.
        host.put("RestartPolicy", Json.of("Name", "no", "MaximumRetryCount", 0));
        if (!around.facts().ownLogs() || !spec.logging().equals(ContainerLogging.DEFAULT)) {
            host.put("LogConfig", logging());
        }
        names();
        storage();
        memory();
        cpu();
        blkio();
        devices();
        security();
        return host;
    }

    private Map<String, Object> portBindings() {
        var bindings = new LinkedHashMap<String, Object>();
        for (var p : spec.network().ports()) {
            String key = p.containerPort() + "/" + p.protocol();
            var list = new ArrayList<Object>();
            if (bindings.get(key) instanceof List<?> earlier) {
                list.addAll(earlier);
            }
            String hostPort = p.hostPort() == 0 ? "" : Integer.toString(p.hostPort());
            String range = p.lastHostPort() == 0 ? hostPort : hostPort + "-" + p.lastHostPort();
            list.add(Json.of("HostIp", p.hostIp(), "HostPort", range));
            bindings.put(key, list);
        }
        return bindings;
    }

    private Map<String, Object> logging() {
        ContainerLogging logging = spec.logging();
        String given = logging.driver();
        String driver = given == null ? "json-file" : given;
        var options = new LinkedHashMap<String, Object>();
        if (ROTATED.contains(driver)) {
            options.putAll(ROTATION);
        }
        options.putAll(logging.options());
        return Json.of("Type", driver, "Config", options);
    }

    private void names() {
        ContainerNetwork network = spec.network();
        putFilled(host, "ExtraHosts", network.extraHosts());
        putFilled(host, "Dns", network.dns());
        putFilled(host, "DnsOptions", network.dnsOptions());
        putFilled(host, "DnsSearch", network.dnsSearch());
        putIf(host, "Init", spec.process().init());
        putIf(host, "Runtime", spec.process().runtime());
        Map<String, String> annotations = spec.process().annotations();
        if (!annotations.isEmpty() && around.facts().api() < 43) {
            warnings.add("its engine does not know 'annotations' yet (API 1.43)");
        } else {
            putFilled(host, "Annotations", annotations);
        }
    }

    private void storage() {
        putFilled(
                host,
                "VolumesFrom",
                spec.storage().volumesFrom().stream()
                        .map(v -> v.container() + (v.readOnly() ? ":ro" : ""))
                        .toList());
        putFilled(host, "Tmpfs", spec.storage().tmpfs());
        putFilled(host, "StorageOpt", spec.storage().storageOptions());
        putIf(host, "ReadonlyRootfs", spec.storage().readOnly() ? true : null);
        putIf(host, "ShmSize", spec.resources().shmBytes());
    }

    private void memory() {
        Memory memory = spec.resources().memory();
        putIf(host, "Memory", memory.limit());
        putIf(host, "MemoryReservation", memory.reservation());
        putIf(host, "MemorySwap", memory.swap());
        putIf(host, "OomScoreAdj", memory.oomScoreAdjustment());
        putIf(host, "MemorySwappiness", unlessV2("memory swappiness", memory.swappiness()));
        putIf(
                host,
                "OomKillDisable",
                unlessV2("'oom_kill_disable'", memory.oomKillDisable() ? true : null));
        putIf(host, "PidsLimit", spec.resources().pids());
    }

    /** What cgroup v2 does not have. */
    private @Nullable Object unlessV2(String what, @Nullable Object value) {
        if (value != null && around.facts().cgroupV2()) {
            warnings.add(what + " has no effect with cgroup v2");
            return null;
        }
        return value;
    }

    private void cpu() {
        Cpu cpu = spec.resources().cpu();
        putIf(host, "CpuShares", cpu.shares());
        putIf(host, "NanoCpus", cpu.nanoCpus());
        putIf(host, "CpuPeriod", cpu.period());
        putIf(host, "CpuQuota", cpu.quota());
        putIf(host, "CpusetCpus", cpu.set());
        putIf(host, "CpuRealtimeRuntime", cpu.realtimeRuntime());
        putIf(host, "CpuRealtimePeriod", cpu.realtimePeriod());
    }

    private void blkio() {
        Blkio blkio = spec.resources().blkio();
        putIf(host, "BlkioWeight", blkio.weight());
        putFilled(
                host,
                "BlkioWeightDevice",
                blkio.weights().stream()
                        .map(w -> Json.of("Path", w.path(), "Weight", w.rate()))
                        .toList());
        putFilled(host, "BlkioDeviceReadBps", rates(blkio.readBps()));
        putFilled(host, "BlkioDeviceReadIOps", rates(blkio.readIops()));
        putFilled(host, "BlkioDeviceWriteBps", rates(blkio.writeBps()));
        putFilled(host, "BlkioDeviceWriteIOps", rates(blkio.writeIops()));
    }

    private static List<Map<String, Object>> rates(List<DeviceRate> rates) {
        return rates.stream().map(r -> Json.of("Path", r.path(), "Rate", r.rate())).toList();
    }

    private void devices() {
        ContainerResources resources = spec.resources();
        putFilled(
                host,
                "Ulimits",
                resources.ulimits().stream()
                        .map(u -> Json.of("Name", u.name(), "Soft", u.soft(), "Hard", u.hard()))
                        .toList());
        putFilled(
                host,
                "Devices",
                resources.devices().stream()
                        .map(d ->
                                Json.of(
                                        "PathOnHost",
                                        d.host(),
                                        "PathInContainer",
                                        d.container(),
                                        "CgroupPermissions",
                                        d.permissions()))
                        .toList());
        putFilled(host, "DeviceCgroupRules", resources.deviceCgroupRules());
        putFilled(
                host,
                "DeviceRequests",
                resources.deviceRequests().stream().map(HostConfig::request).toList());
    }

    private static Map<String, Object> request(DeviceRequest request) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("Driver", request.driver());
        tree.put("Count", request.count());
        putFilled(tree, "DeviceIDs", request.deviceIds());
        if (!request.capabilities().isEmpty()) {
            tree.put("Capabilities", List.of(request.capabilities()));
        }
        putFilled(tree, "Options", request.options());
        return tree;
    }

    private void security() {
        ContainerSecurity security = spec.security();
        host.put("Privileged", security.privileged());
        putFilled(host, "CapAdd", security.capAdd());
        putFilled(host, "CapDrop", security.capDrop());
        putFilled(host, "GroupAdd", security.groups());
        putFilled(host, "SecurityOpt", around.securityOptions());
        putIf(host, "PidMode", joined(security.pid()));
        putIf(host, "IpcMode", joined(security.ipc()));
        putIf(host, "UTSMode", security.uts());
        putIf(host, "UsernsMode", security.userns());
        putIf(host, "CgroupnsMode", security.cgroup());
        putIf(host, "CgroupParent", security.cgroupParent());
        putFilled(host, "Sysctls", security.sysctls());
    }

    /** By name: it is the same for every container that the supervisor makes of it. */
    static @Nullable String joined(@Nullable String mode) {
        String service = ContainerSpec.serviceOf(mode);
        return service == null ? mode : "container:" + service;
    }
}
