package dev.berth.cli;

import dev.berth.model.Fields;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The stock CLI's {@code --vitals} columns. */
final class VitalsColumns {
    static final List<String> HEADER =
            List.of(
                    "Uptime",
                    "Load\n(1m, 5m, 15m)",
                    "CPU\nTotal",
                    "CPU\nUser",
                    "CPU\nSys",
                    "CPU\nWait",
                    "Memory\nUsage",
                    "Swap\nUsage",
                    "System\nDisk Usage",
                    "Ephemeral\nDisk Usage",
                    "Persistent\nDisk Usage");

    private VitalsColumns() {}

    static List<@Nullable String> of(Fields vitals) {
        Fields cpu = vitals.object("cpu");
        Fields disk = vitals.object("disk");
        return Arrays.asList(
                uptime(vitals.object("uptime").optionalInteger("secs")),
                String.join(", ", vitals.strings("load")),
                null,
                percent(cpu.tree().get("user")),
                percent(cpu.tree().get("sys")),
                percent(cpu.tree().get("wait")),
                memory(vitals.object("mem")),
                memory(vitals.object("swap")),
                disk(disk.object("system")),
                disk(disk.object("ephemeral")),
                disk(disk.object("persistent")));
    }

    static List<@Nullable String> ofProcess(Fields process) {
        return Arrays.asList(
                uptime(process.object("uptime").optionalInteger("secs")),
                null,
                percent(process.object("cpu").tree().get("total")),
                null,
                null,
                null,
                memory(process.object("mem")),
                null,
                null,
                null,
                null);
    }

    private static @Nullable String percent(@Nullable Object value) {
        return value == null ? null : value + "%";
    }

    private static @Nullable String memory(Fields part) {
        Object percent = part.tree().get("percent");
        Object kb = part.tree().get("kb");
        if (percent == null || kb == null || !kb.toString().matches("\\d+")) {
            return null;
        }
        return percent + "% (" + size(Long.parseLong(kb.toString()) * 1000, 1000, "B") + ")";
    }

    private static @Nullable String disk(Fields part) {
        Object percent = part.tree().get("percent");
        Object inodes = part.tree().get("inode_percent");
        return percent == null || inodes == null ? null : percent + "% (" + inodes + "i%)";
    }

    private static @Nullable String uptime(@Nullable Long seconds) {
        if (seconds == null) {
            return null;
        }
        Duration d = Duration.ofSeconds(seconds);
        return d.toDays()
                + "d "
                + d.toHoursPart()
                + "h "
                + d.toMinutesPart()
                + "m "
                + d.toSecondsPart()
                + "s";
    }

    /** {@code 1.0 GiB} for 1024. */
    static String mebibytes(long mebibytes) {
        return size(mebibytes << 20, 1024, "iB");
    }

    /** {@code 1.0 MiB} for 1024. */
    static String kibibytes(long kibibytes) {
        return size(kibibytes << 10, 1024, "iB");
    }

    private static String size(long bytes, int step, String unit) {
        double rest = bytes;
        int power = 0;
        while (rest >= step && power < 4) {
            rest /= step;
            power++;
        }
        if (power == 0) {
            return bytes + " B";
        }
        String number = String.format(java.util.Locale.ROOT, rest < 10 ? "%.1f" : "%.0f", rest);
        return number + " " + "kMGT".charAt(power - 1) + unit;
    }
}
