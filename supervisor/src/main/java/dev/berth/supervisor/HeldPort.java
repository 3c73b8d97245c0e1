package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.ContainerNetwork.PortBinding;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Fields;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who has a port that a container could not get. The engine only says that somebody does.
 */
final class HeldPort {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private HeldPort() {}

    /** Whether an engine's refusal to start a container is about a port. */
    static boolean isMeant(String words) {
        return words.contains("port is already allocated")
                || words.contains("address already in use");
    }

    /**
     * Who else on the engine has a port of this spec, and what to do; null when it is one of ours,
     * which leaves by itself, or cannot be told.
     */
    static @Nullable String text(Engine engine, String instance, ContainerSpec spec) {
        List<Map<String, Object>> rows;
        try {
            rows = engine.listContainers(Map.of(), LIMIT);
        } catch (EngineException e) {
            return null;
        }
        for (PortBinding wanted : spec.network().ports()) {
            for (Map<String, Object> row : rows) {
                Fields container = Fields.of(row, "listed container");
                boolean ours =
                        container.object("Labels").string(Labels.INSTANCE, "").equals(instance);
                if (!ours && has(container, wanted)) {
                    String id = container.string("Id", "?");
                    return "port "
                            + wanted.hostPort()
                            + " is held by container "
                            + id.substring(0, Math.min(12, id.length()))
                            + ", which Berth did not make; stop that one, or publish another port";
                }
            }
        }
        return null;
    }

    private static boolean has(Fields container, PortBinding wanted) {
        return wanted.hostPort() != 0
                && container.objects("Ports").stream()
                        .anyMatch(port ->
                                port.integer("PublicPort", 0) == wanted.hostPort()
                                        && port.string("Type", "").equals(wanted.protocol()));
    }
}
