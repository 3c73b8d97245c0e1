package dev.berth.director;

import dev.berth.model.ImageName;
import dev.berth.model.RegistryLogin;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings images of registries outside of the environment into its own, from which all VMs pull.
 * Blocking, with time limits of its own; thread-safe.
 *
 * <p>The messages of its exceptions are the registry's words, without any credentials.
 */
public interface OutsideImages {
    /**
     * An image outside.
     *
     * @param platform {@code os/arch[/variant]}; null: that of the director's host
     * @param login how its registry is reached
     */
    record Wanted(ImageName name, @Nullable String platform, RegistryLogin login) {}

    /**
     * Asks the outside registry which manifest the reference stands for now; where there are
     * several, that of the platform.
     *
     * @return {@code sha256:...}
     */
    String digest(Wanted image) throws IOException, InterruptedException;

    /**
     * Whether the environment's registry has the copy already.
     *
     * @throws IOException when it cannot be asked
     */
    boolean has(ImageName image, String digest) throws IOException, InterruptedException;

    /**
     * Copies, unless the copy is there. Two callers that want the same copy it once; repeating it
     * after a crash is harmless.
     *
     * @param progress hears a few times a second that it goes on, with the last words of the work,
     *     and may throw to end it
     */
    void bring(Wanted image, String digest, Consumer<String> progress)
            throws IOException, InterruptedException;
}
