package dev.berth.supervisor;

import dev.berth.engine.Engine.RegistryAuth;
import org.jspecify.annotations.Nullable;

/** The port that knows the credentials of registries. Thread-safe. */
public interface RegistryAuths {
    /** For an image reference such as {@code registry.berth/shop/web:3}; null: none. */
    @Nullable RegistryAuth forImage(String reference);

    /** Every registry is read without credentials. */
    static RegistryAuths none() {
        return reference -> null;
    }
}
