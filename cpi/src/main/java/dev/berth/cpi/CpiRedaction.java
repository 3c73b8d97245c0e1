package dev.berth.cpi;

import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Requests as they may be logged (rule R8): the masks of the contract's section 2.4. */
final class CpiRedaction {
    private static final String MASK = "<redacted>";
    private static final Set<String> OPEN_BOSH_KEYS = Set.of("group", "groups", "tags");
    private static final Set<String> OPEN_CONTEXT_KEYS =
            Set.of("director_uuid", "request_id", "vm");

    private CpiRedaction() {}

    static Map<String, Object> request(
            String method, List<?> arguments, Map<String, Object> context) {
        var seen = new LinkedHashMap<String, Object>();
        context.forEach(
                (key, value) -> seen.put(key, OPEN_CONTEXT_KEYS.contains(key) ? value : MASK));
        return Json.of(
                "method", method, "arguments", arguments(method, arguments), "context", seen);
    }

    private static List<Object> arguments(String method, List<?> arguments) {
        var seen = new ArrayList<Object>(arguments);
        switch (method) {
            case "create_vm" -> {
                mask(seen, 2);
                if (seen.size() > 3 && seen.get(3) instanceof Map<?, ?> networks) {
                    seen.set(3, networks(networks));
                }
                if (seen.size() > 5 && seen.get(5) instanceof Map<?, ?> env) {
                    seen.set(5, env(env));
                }
            }
            case "create_disk" -> mask(seen, 1);
            default -> {
                // The contract masks nothing else: other arguments are ids, sizes and tags.
            }
        }
        return seen;
    }

    private static void mask(List<Object> arguments, int at) {
        if (at < arguments.size()) {
            arguments.set(at, masked(arguments.get(at)));
        }
    }

    private static Object masked(@Nullable Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            return MASK;
        }
        var seen = new LinkedHashMap<Object, Object>();
        map.keySet().forEach(key -> seen.put(key, MASK));
        return seen;
    }

    private static Map<Object, Object> networks(Map<?, ?> networks) {
        var seen = new LinkedHashMap<Object, Object>();
        networks.forEach((name, network) -> {
            if (network instanceof Map<?, ?> map) {
                var copy = new LinkedHashMap<Object, Object>(map);
                copy.computeIfPresent("cloud_properties", (key, value) -> masked(value));
                seen.put(name, copy);
            } else {
                seen.put(name, MASK);
            }
        });
        return seen;
    }

    private static Map<Object, Object> env(Map<?, ?> env) {
        var seen = new LinkedHashMap<Object, Object>();
        env.forEach((key, value) -> {
            if (key.equals("bosh") && value instanceof Map<?, ?> bosh) {
                var open = new LinkedHashMap<Object, Object>();
                bosh.forEach((k, v) ->
                        open.put(k, OPEN_BOSH_KEYS.contains(String.valueOf(k)) ? v : MASK));
                seen.put(key, open);
            } else {
                seen.put(key, MASK);
            }
        });
        return seen;
    }
}
