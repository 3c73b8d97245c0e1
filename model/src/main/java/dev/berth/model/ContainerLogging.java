package dev.berth.model;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the output of a container goes.
 *
 * @param driver null: files of the VM that are rotated
 * @param options of the driver; may hold tokens
 */
public record ContainerLogging(@Nullable String driver, Map<String, String> options) {
    public static final ContainerLogging DEFAULT = new ContainerLogging(null, Map.of());

    /** Options may be secrets (rule R8). */
    @Override
    public String toString() {
        return "ContainerLogging[" + driver + "]";
    }
}
