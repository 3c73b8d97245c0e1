package dev.berth.model;

import java.util.Optional;

/** Where the values of variables come from. Safe for use by one thread at a time. */
@FunctionalInterface
public interface VariableSource {
    /**
     * The value of a variable: text, number, boolean, list or object, as in {@link Json}'s trees.
     *
     * @param absoluteName begins with a slash
     * @return empty when there is no such variable
     */
    Optional<Object> get(String absoluteName);
}
