package dev.berth.model;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a container's image is built by the director. The text of an inline Dockerfile is beside it,
 * in {@link ContainerImage#dockerfile}.
 *
 * @param context digest of the tar that holds the context, {@code sha256:...}, as the command line
 *     has packed and uploaded it; null: a Dockerfile that needs none
 * @param dockerfile path within the context; null: {@code Dockerfile}
 * @param target stage to build; null: the last one
 */
public record ContainerBuild(
        @Nullable String context,
        @Nullable String dockerfile,
        Map<String, String> args,
        @Nullable String target,
        Map<String, String> labels) {
    public static final ContainerBuild DEFAULT =
            new ContainerBuild(null, null, Map.of(), null, Map.of());

    /** Without the arguments, which may hold secrets (rule R8). */
    @Override
    public String toString() {
        return "ContainerBuild[" + context + "]";
    }
}
