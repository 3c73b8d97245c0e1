package dev.berth.agent;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.supervisor.ContainerStatus;
import dev.berth.supervisor.DaemonState;
import dev.berth.supervisor.DiskState;
import dev.berth.supervisor.DiskStates;
import dev.berth.supervisor.SupervisorStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Why each container is as it is: what the supervisor knows, what the health check said last, and
 * the last lines of those that are not well. Environment and command stay out of it: they may hold
 * secrets.
 */
final class Explanation {
    private static final Set<String> WELL = Set.of("up", "done", "gone");
    private static final int LOG_LINES = 50;
    private static final int LOG_BYTES = 8 * 1024;
    private static final int HEALTH_BYTES = 2 * 1024;

    /** Of all containers together; what comes later goes without. */
    private static final int ALL_BYTES = 512 * 1024;

    private final Engine engine;
    private final boolean engineAnswers;
    private final boolean thorough;
    private int left = ALL_BYTES;

    private Explanation(Engine engine, boolean engineAnswers, boolean thorough) {
        this.engine = engine;
        this.engineAnswers = engineAnswers;
        this.thorough = thorough;
    }

    /**
     * @param thorough whether of containers that are well again it is told what they printed before
     *     they ended last; of many at once that would hide the one that matters
     */
    static Map<String, Object> of(SupervisorStatus status, Engine engine, boolean thorough) {
        var explanation = new Explanation(engine, status.daemon() == DaemonState.UP, thorough);
        var containers = new ArrayList<Map<String, Object>>();
        status.containers().forEach(c -> containers.add(explanation.container(c)));
        return Json.of(
                "job_state",
                status.jobState(),
                "daemon",
                status.daemon().name().toLowerCase(Locale.ROOT),
                "disk",
                disk(status.disks().store()),
                "named_disks",
                disks(status.disks()),
                "containers",
                containers);
    }

    private static Map<String, Object> disk(DiskState state) {
        return switch (state) {
            case DiskState.Proven proven -> Json.of("proven", true, "cid", proven.diskCid());
            case DiskState.Unproven bad -> Json.of("proven", false, "reason", bad.reason());
        };
    }

    /** Those with a name, by it. */
    private static Map<String, Object> disks(DiskStates states) {
        var named = new TreeMap<String, Object>();
        states.byName()
                .forEach((name, state) -> {
                    if (!name.isEmpty()) {
                        named.put(name, disk(state));
                    }
                });
        return named;
    }

    private Map<String, Object> container(ContainerStatus c) {
        Map<String, Object> tree = SupervisedWorkload.onTheWire(c).toTree();
        tree.put("failures", c.failures());
        tree.put("last_exit_at_ms", c.lastExitAtMillis());
        if (!WELL.contains(c.state())) {
            tree.put("last_log", lastLog(c));
        } else if (thorough && !c.lastLog().isBlank()) {
            tree.put("exit_log", within(lastLines(WireText.last(c.lastLog(), LOG_BYTES))));
        }
        if (!Set.of("", "none").contains(c.health())) {
            tree.put("health_output", healthOutput(c));
        }
        return tree;
    }

    private String lastLog(ContainerStatus c) {
        String text = c.lastLog();
        String id = c.containerId();
        boolean runs = c.startedAtMillis() > 0;
        if ((runs || text.isBlank()) && id != null && engineAnswers) {
            try {
                text = engine.logs(id, LOG_LINES);
            } catch (EngineException e) {
                text = "(the log cannot be read: " + e.getMessage() + ")";
            }
        }
        return within(lastLines(WireText.last(text, LOG_BYTES)));
    }

    private static String lastLines(String text) {
        List<String> lines = text.lines().toList();
        return String.join(
                "\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    private String healthOutput(ContainerStatus c) {
        String id = c.containerId();
        if (id == null || !engineAnswers) {
            return "";
        }
        try {
            List<Fields> checks =
                    engine.inspectContainer(id)
                            .map(tree ->
                                    Fields.of(tree, "container")
                                            .object("State")
                                            .object("Health")
                                            .objects("Log"))
                            .orElse(List.of());
            if (checks.isEmpty()) {
                return "";
            }
            Fields last = checks.getLast();
            String said = WireText.first(last.string("Output", "").strip(), HEALTH_BYTES);
            return within(
                    "exit code "
                            + last.integer("ExitCode", 0)
                            + (said.isEmpty() ? "" : ": " + said));
        } catch (EngineException | IllegalArgumentException e) {
            return "";
        }
    }

    private String within(String text) {
        int bytes = WireText.bytes(text);
        if (bytes > left) {
            return "(left out: too much at once; ask for this container alone)";
        }
        left -= bytes;
        return text;
    }
}
