package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.wire.AgentState.ContainerState;
import dev.berth.wire.Heartbeat;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Vitals and processes of a heartbeat in the types the stock CLI decodes: one number where it
 * expects text would fail its whole command, so nothing goes through as the agent sent it.
 */
final class Vitals {
    private Vitals() {}

    /** VM level: all text, but for {@code uptime.secs}. */
    static @Nullable Map<String, Object> vm(@Nullable Object vitals) {
        if (!(vitals instanceof Map<?, ?> tree)) {
            return null;
        }
        var json = new LinkedHashMap<String, Object>();
        for (String part : List.of("cpu", "mem", "swap")) {
            if (tree.get(part) instanceof Map<?, ?> values) {
                json.put(part, texts(values));
            }
        }
        if (tree.get("load") instanceof List<?> load) {
            json.put("load", load.stream().map(String::valueOf).toList());
        }
        if (tree.get("disk") instanceof Map<?, ?> disks) {
            var parts = new LinkedHashMap<String, Object>();
            disks.forEach((name, values) -> {
                if (values instanceof Map<?, ?> map) {
                    parts.put(String.valueOf(name), texts(map));
                }
            });
            json.put("disk", parts);
        }
        if (tree.get("uptime") instanceof Map<?, ?> uptime) {
            json.put("uptime", Json.of("secs", whole(uptime.get("secs"))));
        }
        return json;
    }

    private static Map<String, Object> texts(Map<?, ?> values) {
        var json = new LinkedHashMap<String, Object>();
        values.forEach((name, value) -> {
            if (value != null) {
                json.put(String.valueOf(name), String.valueOf(value));
            }
        });
        return json;
    }

    /** Process level: all numbers. Our agents' containers stand in where there are no processes. */
    static List<Map<String, Object>> processes(Heartbeat beat, Instant now) {
        if (beat.tree().get("processes") instanceof List<?> list && !list.isEmpty()) {
            return list.stream()
                    .filter(Map.class::isInstance)
                    .map(Json::asObject)
                    .map(Vitals::process)
                    .toList();
        }
        List<ContainerState> containers = beat.containers();
        return containers == null
                ? List.of()
                : containers.stream().map(container -> process(container, now)).toList();
    }

    private static Map<String, Object> process(Map<String, Object> tree) {
        return Json.of(
                "name",
                String.valueOf(tree.get("name")),
                "state",
                String.valueOf(tree.get("state")),
                "uptime",
                Json.of("secs", whole(part(tree, "uptime", "secs"))),
                "mem",
                Json.of(
                        "kb",
                        whole(part(tree, "mem", "kb")),
                        "percent",
                        number(part(tree, "mem", "percent"))),
                "cpu",
                Json.of("total", number(part(tree, "cpu", "total"))));
    }

    private static Map<String, Object> process(ContainerState container, Instant now) {
        boolean up = container.state().equals("up");
        long started = container.startedAtMillis();
        long secs = up && started > 0 ? Math.max(0, now.toEpochMilli() - started) / 1000 : 0;
        return Json.of(
                "name",
                container.name(),
                "state",
                up ? "running" : container.state(),
                "uptime",
                Json.of("secs", secs),
                "mem",
                Json.of(),
                "cpu",
                Json.of());
    }

    private static @Nullable Object part(Map<String, Object> tree, String name, String key) {
        return tree.get(name) instanceof Map<?, ?> map ? map.get(key) : null;
    }

    private static long whole(@Nullable Object value) {
        return (long) number(value);
    }

    private static double number(@Nullable Object value) {
        try {
            return switch (value) {
                case Number number -> number.doubleValue();
                case String text -> Double.parseDouble(text);
                case null, default -> 0;
            };
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
