package dev.berth.supervisor;

import dev.berth.model.Fields;
import dev.berth.supervisor.Observed.Health;
import dev.berth.supervisor.Observed.Phase;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads rows of the engine's container list. */
final class EngineList {
    private static final Pattern EXITED = Pattern.compile("Exited \\((\\d{1,9})\\).*");

    private EngineList() {}

    static List<Observed> read(List<Map<String, Object>> rows) {
        return rows.stream().map(EngineList::read).toList();
    }

    private static Observed read(Map<String, Object> row) {
        Fields f = Fields.of(row, "listed container");
        Fields labels = f.object("Labels");
        String status = f.string("Status", "");
        Phase phase = phase(f.string("State", ""));
        return new Observed(
                labels.string(Labels.CONTAINER, ""),
                f.strings("Names").stream().findFirst().map(n -> n.substring(1)).orElse(""),
                f.string("Id"),
                labels.string(Labels.SPEC, ""),
                labels.string(Labels.FIXED, ""),
                phase,
                health(phase, status),
                exitCode(phase, status),
                false,
                null,
                hostPorts(f));
    }

    private static Phase phase(String state) {
        return switch (state) {
            case "running", "restarting" -> Phase.RUNNING;
            case "paused" -> Phase.PAUSED;
            case "created" -> Phase.CREATED;
            default -> Phase.EXITED; // exited, dead, removing
        };
    }

    /** The list tells health only in words: {@code Up 3 minutes (healthy)}. */
    private static Health health(Phase phase, String status) {
        if (phase != Phase.RUNNING) {
            return Health.UNKNOWN;
        }
        if (status.endsWith("(healthy)")) {
            return Health.HEALTHY;
        }
        if (status.endsWith("(unhealthy)")) {
            return Health.UNHEALTHY;
        }
        return status.endsWith("(health: starting)") ? Health.STARTING : Health.NONE;
    }

    private static @Nullable Integer exitCode(Phase phase, String status) {
        Matcher matcher = EXITED.matcher(status);
        return phase == Phase.EXITED && matcher.matches()
                ? Integer.valueOf(matcher.group(1))
                : null;
    }

    private static Set<Integer> hostPorts(Fields row) {
        var ports = new HashSet<Integer>();
        for (Fields port : row.objects("Ports")) {
            if (port.has("PublicPort")) {
                ports.add((int) port.integer("PublicPort"));
            }
        }
        return Set.copyOf(ports);
    }
}
