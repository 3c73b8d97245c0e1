package dev.berth.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Use of memory and cpu by one control group, in both versions of the kernel's interface. Cheaper
 * than asking the Docker Engine, which samples twice. What cannot be read is 0.
 *
 * @param memoryFolder of the group in the memory hierarchy
 * @param cpuFolder of the group in the cpu accounting hierarchy
 */
record Cgroup(Path memoryFolder, Path cpuFolder, boolean unified) {
    /** Above this, version 1 means 'no limit'. */
    private static final long NO_LIMIT = 1L << 50;

    /**
     * @param limitBytes 0: none
     */
    record Memory(long usedBytes, long limitBytes) {}

    static Cgroup ofVm(Layout layout) {
        return of(layout, "");
    }

    /** The group Docker makes for a container with its default driver. */
    static Cgroup ofContainer(Layout layout, String containerId) {
        return of(layout, "docker/" + containerId);
    }

    private static Cgroup of(Layout layout, String below) {
        Path root = layout.sys().resolve("fs/cgroup");
        boolean unified = Files.exists(root.resolve("cgroup.controllers"));
        return unified
                ? new Cgroup(root.resolve(below), root.resolve(below), true)
                : new Cgroup(
                        root.resolve("memory").resolve(below),
                        root.resolve("cpuacct").resolve(below),
                        false);
    }

    Memory memory() {
        String[] names =
                unified
                        ? new String[] {"memory.current", "memory.max", "inactive_file"}
                        : new String[] {
                            "memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file"
                        };
        long reclaimable = keyed(memoryFolder.resolve("memory.stat"), names[2]);
        long used = Math.max(0, number(memoryFolder.resolve(names[0])) - reclaimable);
        long limit = number(memoryFolder.resolve(names[1]));
        return new Memory(used, limit >= NO_LIMIT ? 0 : limit);
    }

    /** Processor time since the group was made. */
    long cpuNanos() {
        return unified
                ? 1000 * keyed(cpuFolder.resolve("cpu.stat"), "usage_usec")
                : number(cpuFolder.resolve("cpuacct.usage"));
    }

    private static long number(Path file) {
        try {
            return Long.parseLong(Files.readString(file).strip());
        } catch (IOException | NumberFormatException e) { // 'max' is no limit
            return 0;
        }
    }

    private static long keyed(Path file, String key) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(key + " ")) {
                    return Long.parseLong(line.substring(key.length() + 1).strip());
                }
            }
            return 0;
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
