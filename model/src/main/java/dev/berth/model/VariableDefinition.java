package dev.berth.model;

import java.util.Map;

/**
 * A variable that a manifest asks to be generated.
 *
 * @param name as written; relative unless it begins with a slash
 * @param type {@code password}, {@code certificate}, ...
 * @param options raw, as the generator of the type understands them
 * @param updateMode what a deploy does with a value that is there
 */
public record VariableDefinition(
        String name, String type, Map<String, Object> options, UpdateMode updateMode) {
    /** BOSH's {@code no-overwrite}, {@code overwrite} and {@code converge}. */
    public enum UpdateMode {
        NO_OVERWRITE,
        OVERWRITE,
        CONVERGE
    }
}
