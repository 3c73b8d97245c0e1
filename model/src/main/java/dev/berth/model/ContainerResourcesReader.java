package dev.berth.model;

import static dev.berth.model.ContainerKeys.reading;

import dev.berth.model.ContainerResources.Blkio;
import dev.berth.model.ContainerResources.Cpu;
import dev.berth.model.ContainerResources.Device;
import dev.berth.model.ContainerResources.DeviceRate;
import dev.berth.model.ContainerResources.DeviceRequest;
import dev.berth.model.ContainerResources.Memory;
import dev.berth.model.ContainerResources.Ulimit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what a container may use of its VM, {@code deploy.resources} included. */
final class ContainerResourcesReader {
    private static final long LEAST_MEMORY = 6L << 20;
    private static final long MOST = 1L << 52;

    private final ContainerKeys keys;
    private final ContainerKeys limits;
    private final ContainerKeys reservations;

    ContainerResourcesReader(ContainerKeys keys) {
        this.keys = keys;
        Section none = new Section(Map.of(), keys.section().spot());
        Section deploy =
                !keys.legacy() && keys.at("deploy").isMap()
                        ? keys.section().section("deploy")
                        : none;
        Section resources = deploy.section("resources");
        resources.checkKeys(Set.of("limits", "reservations"), Map.of());
        this.limits = new ContainerKeys(resources.section("limits"), false);
        this.reservations = new ContainerKeys(resources.section("reservations"), false);
        limits.section().checkKeys(Set.of("cpus", "memory", "pids"), Map.of());
        reservations
                .section()
                .checkKeys(
                        Set.of("memory", "devices"),
                        Map.of(
                                "cpus", "an instance has its VM for itself",
                                "generic_resources", "they are of Swarm"));
    }

    ContainerResources resources() {
        boolean legacy = keys.legacy();
        return new ContainerResources(
                memory(),
                cpu(),
                blkio(),
                legacy ? null : pids(),
                legacy ? null : keys.bytes("shm_size"),
                ulimits(),
                devices(),
                legacy ? List.of() : keys.strings("device_cgroup_rules"),
                legacy ? List.of() : deviceRequests());
    }

    // --- memory

    private Memory memory() {
        String limitKey = keys.key("mem_limit", "memory");
        Long limit = twins(limitKey, keys.bytes(limitKey), "memory", limits.bytes("memory"));
        if (limit != null && limit < LEAST_MEMORY) {
            keys.at(limitKey).error("a container needs at least 6m of memory", null);
        }
        String reservationKey = keys.key("mem_reservation", "memory_reservation");
        Long reservation =
                twins(
                        reservationKey,
                        keys.bytes(reservationKey),
                        "memory",
                        reservations.bytes("memory"));
        if (limit != null && reservation != null && reservation > limit) {
            keys.at(reservationKey).error("the reservation of memory is above its limit", null);
        }
        boolean unkillable = keys.flag("oom_kill_disable");
        if (unkillable && limit == null) {
            keys.at("oom_kill_disable")
                    .error(
                            "without a limit of memory it would let the VM run out of memory",
                            "give 'memory' too, or leave it out");
        }
        return new Memory(
                limit,
                reservation,
                swap(limit),
                keys.integer(keys.key("mem_swappiness", "memory_swappiness"), 0, 100),
                unkillable,
                keys.legacy() ? null : keys.integer("oom_score_adj", -1000, 1000));
    }

    private @Nullable Long swap(@Nullable Long limit) {
        String key = keys.key("memswap_limit", "memory_swap");
        if (!keys.has(key)) {
            return null;
        }
        if (keys.at(key).string().strip().equals("-1")) {
            return -1L;
        }
        Long swap = keys.bytes(key);
        if (swap != null && (limit == null || swap < limit)) {
            keys.at(key)
                    .error(
                            "it is memory and swap together, so it needs a limit of memory that is"
                                    + " not above it",
                            "-1 is unlimited swap");
        }
        return swap;
    }

    /** Two ways to say one thing may both be used if they say the same. */
    private @Nullable Long twins(
            String key, @Nullable Long value, String below, @Nullable Long deployed) {
        if (value != null && deployed != null && !value.equals(deployed)) {
            keys.at(key)
                    .error(
                            "'" + key + "' and deploy.resources '" + below + "' differ",
                            "give one of them");
        }
        return value == null ? deployed : value;
    }

    // --- processors and devices

    private Cpu cpu() {
        boolean legacy = keys.legacy();
        Long own = legacy ? null : nanos(keys, "cpus");
        Long nanos = twins("cpus", own, "cpus", nanos(limits, "cpus"));
        Long period = keys.integer("cpu_period", 0, 1_000_000);
        Long quota = keys.integer("cpu_quota", -1, MOST);
        if (nanos != null && (period != null || quota != null)) {
            keys.at(period != null ? "cpu_period" : "cpu_quota")
                    .error("'cpus' and a quota of time exclude each other", "give one of them");
        }
        return new Cpu(
                keys.integer("cpu_shares", 0, 262_144),
                nanos,
                period,
                quota,
                legacy ? null : keys.text("cpuset"),
                legacy ? null : micros("cpu_rt_runtime"),
                legacy ? null : micros("cpu_rt_period"));
    }

    private static @Nullable Long nanos(ContainerKeys keys, String key) {
        return keys.has(key)
                ? reading(
                        keys.at(key),
                        ContainerFormats::nanoCpus,
                        ContainerKeys.textOf(keys.at(key)))
                : null;
    }

    /** A number of microseconds, or a duration. */
    private @Nullable Long micros(String key) {
        if (keys.at(key).value() instanceof String text && !text.matches("\\d+")) {
            var duration = keys.duration(key);
            return duration == null ? null : duration.toNanos() / 1000;
        }
        return keys.integer(key, 0, MOST);
    }

    private @Nullable Long pids() {
        Long own = keys.integer("pids_limit", -1, 4_194_304);
        return twins("pids_limit", own, "pids", limits.integer("pids", -1, 4_194_304));
    }

    private Blkio blkio() {
        if (keys.legacy() || keys.has("blkio_weight")) {
            Long weight = keys.integer("blkio_weight", 10, 1000);
            keys.key("blkio_config", "blkio_weight");
            return new Blkio(weight, List.of(), List.of(), List.of(), List.of(), List.of());
        }
        ContainerKeys blkio = keys.below("blkio_config");
        blkio.section()
                .checkKeys(
                        Set.of(
                                "weight",
                                "weight_device",
                                "device_read_bps",
                                "device_read_iops",
                                "device_write_bps",
                                "device_write_iops"),
                        Map.of());
        return new Blkio(
                blkio.integer("weight", 10, 1000),
                rates(blkio, "weight_device", "weight"),
                rates(blkio, "device_read_bps", "rate"),
                rates(blkio, "device_read_iops", "rate"),
                rates(blkio, "device_write_bps", "rate"),
                rates(blkio, "device_write_iops", "rate"));
    }

    private static List<DeviceRate> rates(ContainerKeys blkio, String key, String value) {
        var rates = new ArrayList<DeviceRate>();
        for (Section section : blkio.section().sections(key)) {
            section.checkKeys(Set.of("path", value), Map.of());
            Long rate = new ContainerKeys(section, false).bytes(value);
            rates.add(new DeviceRate(section.string("path"), rate == null ? 0 : rate));
        }
        return List.copyOf(rates);
    }

    private List<Ulimit> ulimits() {
        var ulimits = new ArrayList<Ulimit>();
        Spot spot = keys.at("ulimits");
        if (!spot.isMap()) {
            for (Spot item : keys.list("ulimits")) {
                String[] parts = item.string().split("=", 2);
                add(ulimits, item, parts[0], parts.length == 2 ? parts[1] : "");
            }
            return List.copyOf(ulimits);
        }
        Section map = spot.section();
        for (String name : map.tree().keySet()) {
            Spot value = map.at(name);
            if (value.isMap()) {
                Section both = value.section();
                both.checkKeys(Set.of("soft", "hard"), Map.of());
                add(ulimits, value, name, both.integer("soft") + ":" + both.integer("hard"));
            } else {
                add(ulimits, value, name, value.string());
            }
        }
        return List.copyOf(ulimits);
    }

    private static void add(List<Ulimit> ulimits, Spot spot, String name, String text) {
        Ulimit ulimit = reading(spot, t -> ContainerFormats.ulimit(name, t), text);
        if (ulimit != null) {
            ulimits.add(ulimit);
        }
    }

    private List<Device> devices() {
        var devices = new ArrayList<Device>();
        for (Spot item : keys.list("devices")) {
            String text = item.isMap() && !keys.legacy() ? longDevice(item) : item.string();
            if (isCdi(text)) {
                continue;
            }
            Device device = reading(item, ContainerFormats::device, text);
            if (device != null) {
                devices.add(device);
            }
        }
        return List.copyOf(devices);
    }

    private static String longDevice(Spot item) {
        Section section = item.section();
        section.checkKeys(Set.of("source", "target", "permissions"), Map.of());
        String source = section.string("source");
        String target = section.has("target") ? section.string("target") : source;
        String permissions = section.has("permissions") ? section.string("permissions") : "rwm";
        return isCdi(source) ? source : source + ":" + target + ":" + permissions;
    }

    /** Names of the Container Device Interface: {@code vendor/class=device}. */
    private static boolean isCdi(String text) {
        return text.matches("[a-zA-Z][^/=:]*/[^/=:]+=[^/:]+");
    }

    private List<DeviceRequest> deviceRequests() {
        var requests = new ArrayList<DeviceRequest>();
        List<String> cdi =
                keys.list("devices").stream()
                        .map(i -> i.isMap() ? longDevice(i) : ContainerKeys.textOf(i))
                        .filter(ContainerResourcesReader::isCdi)
                        .toList();
        if (!cdi.isEmpty()) {
            requests.add(new DeviceRequest("cdi", 0, cdi, List.of(), Map.of()));
        }
        if (keys.at("gpus").value() instanceof String) {
            keys.word("gpus", Set.of("all"));
            requests.add(new DeviceRequest("", -1, List.of(), List.of("gpu"), Map.of()));
        } else {
            keys.section().sections("gpus").forEach(s -> requests.add(request(s, "gpu")));
        }
        reservations.section().sections("devices").forEach(s -> requests.add(request(s, null)));
        return List.copyOf(requests);
    }

    private static DeviceRequest request(Section section, @Nullable String capability) {
        section.checkKeys(
                Set.of("capabilities", "driver", "count", "device_ids", "options"), Map.of());
        var keys = new ContainerKeys(section, false);
        List<String> capabilities = new ArrayList<>(section.strings("capabilities"));
        if (capability != null && !capabilities.contains(capability)) {
            capabilities.add(capability);
        }
        if (capabilities.isEmpty()) {
            section.spot().error("a device needs 'capabilities'", "such as [gpu]");
        }
        List<String> ids = section.strings("device_ids");
        boolean all = "all".equals(section.at("count").value());
        Long count = all ? Long.valueOf(-1) : keys.integer("count", 1, 1024);
        if (count != null && !ids.isEmpty()) {
            section.at("count").error("'count' and 'device_ids' exclude each other", null);
        }
        long number = count != null ? count : ids.isEmpty() ? -1 : 0;
        String driver = keys.text("driver");
        return new DeviceRequest(
                driver == null ? "" : driver,
                number,
                ids,
                List.copyOf(capabilities),
                keys.pairs("options"));
    }
}
