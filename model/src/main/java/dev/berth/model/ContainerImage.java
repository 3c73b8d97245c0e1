package dev.berth.model;

import org.jspecify.annotations.Nullable;

/**
 * What a container is made from.
 *
 * @param reference as the manifest gives it; null only when it is built
 * @param digest {@code sha256:...} the deploy pinned the reference to; null until pinned
 * @param dockerfile text of an inline Dockerfile, built where the container runs; null when pulled
 * @param platform {@code os/arch[/variant]}; null: the engine's own
 * @param source where the VM takes the pinned digest from, when that is not the reference's own
 *     registry: {@code registry.berth/outside/docker.io/library/postgres}; null: from the reference
 * @param build what the director builds it from; null: nothing but the Dockerfile's text, if any
 */
public record ContainerImage(
        @Nullable String reference,
        @Nullable String digest,
        @Nullable String dockerfile,
        @Nullable String platform,
        Pull pull,
        @Nullable String source,
        @Nullable ContainerBuild build) {
    public static final ContainerImage DEFAULT =
            new ContainerImage(null, null, null, null, Pull.MISSING, null, null);

    /** A build that says nothing is none. */
    public ContainerImage {
        build = ContainerBuild.DEFAULT.equals(build) ? null : build;
    }

    /** When the VM asks the registry. */
    public enum Pull {
        MISSING,
        /** At each deploy too, where no digest is pinned. */
        ALWAYS,
        NEVER
    }

    public static ContainerImage of(String reference) {
        return new ContainerImage(reference, null, null, null, Pull.MISSING, null, null);
    }

    public static ContainerImage built(String dockerfile) {
        return new ContainerImage(null, null, dockerfile, null, Pull.MISSING, null, null);
    }

    /** The same image by its digest, from where the reference says. */
    public ContainerImage pinnedTo(String newDigest) {
        return pinnedTo(newDigest, null);
    }

    /** The same image by its digest, from a repository that holds a copy of it. */
    public ContainerImage pinnedTo(String newDigest, @Nullable String newSource) {
        return new ContainerImage(
                reference, newDigest, dockerfile, platform, pull, newSource, build);
    }

    /** What was to be built, by the name under which a registry has it. */
    public ContainerImage builtAs(String newReference) {
        return new ContainerImage(newReference, null, null, platform, Pull.MISSING, null, null);
    }

    /** Whether it is made from a Dockerfile, with or without a context. */
    public boolean isBuilt() {
        return dockerfile != null || build != null;
    }

    ContainerImage pulledWhenMissing() {
        return new ContainerImage(
                reference, digest, dockerfile, platform, Pull.MISSING, source, build);
    }

    /** Without the Dockerfile, which may hold secrets (rule R8). */
    @Override
    public String toString() {
        return "ContainerImage[" + (isBuilt() ? "built" : reference) + "]";
    }
}
