package dev.berth.agent;

import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The VM's vitals in BOSH's text form, from {@code /proc} and the file systems. Percentages of cpu
 * are since the previous sample. Thread-safe.
 */
final class Vitals {
    private static final Duration INODES_LIVE = Duration.ofSeconds(25);

    private final Layout layout;
    private final Programs programs;
    private long[] lastCpu = new long[0];
    private Map<String, Object> lastCpuShares = Map.of();
    private long lastCpuNanos;
    private Map<Path, Integer> inodes = Map.of();
    private long inodesNanos;

    Vitals(Layout layout, Programs programs) {
        this.layout = layout;
        this.programs = programs;
    }

    synchronized Map<String, Object> sample() {
        var vitals = new LinkedHashMap<String, Object>();
        vitals.put("cpu", cpu());
        vitals.put("disk", disks());
        String[] load = read("loadavg").split(" ", 4);
        if (load.length == 4) {
            vitals.put("load", List.of(load[0], load[1], load[2]));
        }
        memory(vitals);
        long uptime = uptimeSeconds();
        vitals.put("uptime", uptime > 0 ? Json.of("secs", uptime) : Map.of());
        return vitals;
    }

    private Map<String, Object> cpu() {
        String[] words = read("stat").lines().findFirst().orElse("").trim().split(" +");
        long now = System.nanoTime();
        if (words.length < 9 || (lastCpu.length > 0 && now - lastCpuNanos < 200_000_000L)) {
            return lastCpuShares; // a share of so short a time would be noise
        }
        long[] ticks = new long[8];
        for (int i = 0; i < 8; i++) {
            ticks[i] = Long.parseLong(words[i + 1]);
        }
        long[] before = lastCpu.length == 0 ? new long[8] : lastCpu;
        long total = 0;
        for (int i = 0; i < 8; i++) {
            total += ticks[i] - before[i];
        }
        lastCpu = ticks;
        lastCpuNanos = now;
        if (total > 0) {
            lastCpuShares =
                    Json.of(
                            "sys", share(ticks[2] - before[2], total),
                            "user", share(ticks[0] + ticks[1] - before[0] - before[1], total),
                            "wait", share(ticks[4] - before[4], total));
        }
        return lastCpuShares;
    }

    private static String share(long part, long total) {
        return String.format(Locale.ROOT, "%.1f", 100.0 * Math.max(0, part) / total);
    }

    private void memory(Map<String, Object> vitals) {
        var kb = new LinkedHashMap<String, Long>();
        read("meminfo")
                .lines()
                .forEach(line -> {
                    String[] words = line.split("[: ]+");
                    if (words.length >= 2) {
                        kb.put(words[0], Long.parseLong(words[1]));
                    }
                });
        long total = kb.getOrDefault("MemTotal", 0L);
        long used = total - kb.getOrDefault("MemAvailable", 0L);
        // A VM that is a container sees its host's memory in /proc; its own limit is what counts.
        Cgroup.Memory limited = Cgroup.ofVm(layout).memory();
        if (limited.limitBytes() > 0 && limited.limitBytes() / 1024 < total) {
            total = limited.limitBytes() / 1024;
            used = limited.usedBytes() / 1024;
        }
        vitals.put("mem", used(used, total));
        long swap = kb.getOrDefault("SwapTotal", 0L);
        vitals.put("swap", used(swap - kb.getOrDefault("SwapFree", 0L), swap));
    }

    private static Map<String, Object> used(long usedKb, long totalKb) {
        return Json.of(
                "kb",
                String.valueOf(usedKb),
                "percent",
                String.valueOf(totalKb == 0 ? 0 : Math.round(100.0 * usedKb / totalKb)));
    }

    /** Since the VM's first process began: a VM that is a container is younger than its kernel. */
    private long uptimeSeconds() {
        try {
            double machine = Double.parseDouble(read("uptime").split(" ", 2)[0]);
            return Math.max(
                    1, (long) (machine - ProcessTimes.startTicks(layout.proc(), 1) / 100.0));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private Map<String, Object> disks() {
        var mounted = new LinkedHashMap<Path, String>();
        mounted.put(Path.of("/"), "system");
        mounted.put(layout.data(), "ephemeral");
        mounted.put(layout.store(), "persistent");
        List<String> points = mountPoints();
        mounted.keySet().removeIf(at -> !points.contains(at.toString()));
        Map<Path, Integer> inodePercents = inodes(List.copyOf(mounted.keySet()));
        var result = new LinkedHashMap<String, Object>();
        mounted.forEach((at, name) -> {
            try {
                FileStore store = Files.getFileStore(at);
                long free = store.getUnallocatedSpace();
                long used = store.getTotalSpace() - free;
                long reachable = used + store.getUsableSpace();
                result.put(
                        name,
                        Json.of(
                                "inode_percent", String.valueOf(inodePercents.getOrDefault(at, 0)),
                                "percent",
                                        String.valueOf(
                                                reachable == 0
                                                        ? 0
                                                        : Math.ceilDiv(100 * used, reachable))));
            } catch (IOException e) {
                // A disk that cannot be asked is left out, as in BOSH.
            }
        });
        return result;
    }

    private List<String> mountPoints() {
        return read("self/mountinfo").lines().map(line -> line.split(" ", 6)[4]).toList();
    }

    /** The JDK does not know inodes; they move slowly, so the program that does is run seldom. */
    private Map<Path, Integer> inodes(List<Path> at) {
        long now = System.nanoTime();
        if (inodes.keySet().containsAll(at) && now - inodesNanos < INODES_LIVE.toNanos()) {
            return inodes;
        }
        var command = new java.util.ArrayList<>(List.of("stat", "-f", "-c", "%c %d %n"));
        at.forEach(path -> command.add(path.toString()));
        var fresh = new LinkedHashMap<Path, Integer>();
        at.forEach(path -> fresh.put(path, 0));
        programs.run(command, Duration.ofSeconds(5))
                .output()
                .lines()
                .forEach(line -> {
                    String[] words = line.split(" ", 3);
                    if (words.length == 3 && words[0].matches("\\d+") && words[1].matches("\\d+")) {
                        long total = Long.parseLong(words[0]);
                        long free = Long.parseLong(words[1]);
                        fresh.put(
                                Path.of(words[2]),
                                total == 0 ? 0 : (int) Math.ceilDiv(100 * (total - free), total));
                    }
                });
        inodes = fresh;
        inodesNanos = now;
        return inodes;
    }

    private String read(String name) {
        try {
            return Files.readString(layout.proc().resolve(name));
        } catch (IOException e) {
            return "";
        }
    }
}
