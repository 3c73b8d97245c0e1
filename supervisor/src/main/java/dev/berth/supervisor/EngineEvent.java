package dev.berth.supervisor;

import dev.berth.model.Fields;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the engine said about one of our containers, reduced to what is used of it.
 *
 * @param action {@code die}, {@code start}, {@code health_status: healthy}, ...
 * @param at by the engine's clock, which is the VM's
 */
record EngineEvent(String action, String id, @Nullable Integer exitCode, Instant at) {
    /** The engine's filter. Without it every run of a health check would wake us. */
    static Map<String, List<String>> filters(String instance) {
        return Map.of(
                "type",
                List.of("container"),
                "label",
                List.of(Labels.INSTANCE + "=" + instance),
                "event",
                List.of("die", "oom", "start", "destroy", "pause", "unpause", "health_status"));
    }

    static EngineEvent fromTree(Map<String, Object> tree) {
        Fields f = Fields.of(tree, "engine event");
        Fields actor = f.object("Actor");
        long nanos = f.integer("timeNano", 0);
        return new EngineEvent(
                f.string("Action", f.string("status", "")),
                actor.string("ID", f.string("id", "")),
                number(actor.object("Attributes").optionalString("exitCode")),
                Instant.ofEpochSecond(nanos / 1_000_000_000, nanos % 1_000_000_000));
    }

    private static @Nullable Integer number(@Nullable String text) {
        try {
            return text == null ? null : Integer.valueOf(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
