package dev.berth.supervisor;

import dev.berth.model.ContainerResources.Cpu;
import dev.berth.model.ContainerResources.Memory;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Fields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the limits of a living container differ from those of a spec. Pure.
 *
 * @param changed the body of the engine's {@code POST /containers/{id}/update}
 * @param irrevocable limits that the spec has no more; the engine sets others but takes none away
 */
record Limits(Map<String, Object> changed, List<String> irrevocable) {
    /**
     * @param host the {@code HostConfig} that an inspection shows
     */
    static Limits between(Fields host, ContainerSpec spec) {
        Memory memory = spec.resources().memory();
        Cpu cpu = spec.resources().cpu();
        var wished = new LinkedHashMap<String, @Nullable Object>();
        wished.put("Memory", memory.limit());
        wished.put("MemoryReservation", memory.reservation());
        wished.put("MemorySwap", swap(memory));
        wished.put("CpuShares", cpu.shares());
        wished.put("NanoCpus", cpu.nanoCpus());
        wished.put("CpuPeriod", cpu.period());
        wished.put("CpuQuota", cpu.quota());
        wished.put("CpusetCpus", cpu.set());
        wished.put("CpuRealtimeRuntime", cpu.realtimeRuntime());
        wished.put("CpuRealtimePeriod", cpu.realtimePeriod());
        wished.put("BlkioWeight", spec.resources().blkio().weight());
        wished.put("PidsLimit", spec.resources().pids());
        var changed = new LinkedHashMap<String, Object>();
        var irrevocable = new ArrayList<String>();
        wished.forEach((key, value) -> {
            Object now = host.tree().get(key);
            if (unset(value)) {
                if (!unset(now)) {
                    irrevocable.add(key);
                }
            } else if (!value.equals(now)) {
                changed.put(key, value);
            }
        });
        if (changed.containsKey("Memory") && wished.get("MemorySwap") instanceof Long swap) {
            changed.put("MemorySwap", swap); // the engine wants both when one passes the other
        }
        return new Limits(changed, List.copyOf(irrevocable));
    }

    /** What the engine makes of it at create: as much swap as memory. */
    private static @Nullable Long swap(Memory memory) {
        Long limit = memory.limit();
        return memory.swap() == null && limit != null ? Long.valueOf(2 * limit) : memory.swap();
    }

    private static boolean unset(@Nullable Object value) {
        return value == null || value.equals(0L) || value.equals("");
    }
}
