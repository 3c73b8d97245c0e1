package dev.berth.director;

import java.io.IOException;

/** Asks the environment's registry what a tag stands for. Blocking; thread-safe. */
@FunctionalInterface
public interface RegistryLook {
    /**
     * @param name without the registry's own, {@code shop/db}
     * @return {@code sha256:...}
     * @throws IOException when it has no such image or cannot be asked; its message completes "the
     *     registry ..."
     */
    String digest(String name, String tag) throws IOException, InterruptedException;
}
