package dev.berth.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What runs in a container, and what it is told of its world.
 *
 * @param command null: the image's own; empty: cleared
 * @param entrypoint null: the image's own; setting it clears the image's command, as in Docker
 * @param environment values may be secrets
 * @param envFiles read on the VM when the container is made; {@code environment} wins
 * @param init whether a small init reaps and forwards signals; null: as the engine is set
 * @param runtime name of an OCI runtime that the engine knows; null: its default
 */
public record ContainerProcess(
        @Nullable List<String> command,
        @Nullable List<String> entrypoint,
        Map<String, String> environment,
        List<EnvFile> envFiles,
        @Nullable String user,
        @Nullable String workingDir,
        @Nullable String hostname,
        @Nullable String domainname,
        @Nullable Boolean init,
        boolean tty,
        boolean stdinOpen,
        Map<String, String> labels,
        Map<String, String> annotations,
        @Nullable String runtime) {
    public static final ContainerProcess DEFAULT =
            new ContainerProcess(
                    null, null, Map.of(), List.of(), null, null, null, null, null, false, false,
                    Map.of(), Map.of(), null);

    /**
     * A file of {@code NAME=VALUE} lines on the VM.
     *
     * @param optional whether it may be missing
     * @param raw whether quotes around values are part of them
     */
    public record EnvFile(String path, boolean optional, boolean raw) {}

    /** Values may be secrets (rule R8). */
    @Override
    public String toString() {
        return "ContainerProcess[<redacted>]";
    }
}
