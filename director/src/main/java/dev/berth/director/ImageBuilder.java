package dev.berth.director;

import dev.berth.model.ContainerBuild;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Digests;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.Json;
import dev.berth.model.RegistryLogin;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Builds images and puts them into the environment's registry. Blocking, within a bound of time;
 * thread-safe. Building the same twice at once builds it once.
 */
public interface ImageBuilder {
    /** Repository of the environment's registry that holds what was built. */
    String REPOSITORY = "built";

    /**
     * All that an image is made from.
     *
     * @param dockerfile text in place; null: it is in the context
     * @param platform null: that of the director's host
     */
    record Recipe(@Nullable String dockerfile, ContainerBuild build, @Nullable String platform) {
        static Recipe of(ContainerSpec spec) {
            return new Recipe(
                    spec.image().dockerfile(),
                    Objects.requireNonNullElse(spec.image().build(), ContainerBuild.DEFAULT),
                    spec.image().platform());
        }

        /** The tag that everyone who builds from the same comes to. */
        String tag() {
            return Digests.sha256(
                            Json.canonical(
                                    Json.of(
                                            "dockerfile",
                                            dockerfile,
                                            "context",
                                            build.context(),
                                            "path",
                                            build.dockerfile(),
                                            "args",
                                            new TreeMap<>(build.args()),
                                            "labels",
                                            new TreeMap<>(build.labels()),
                                            "target",
                                            build.target(),
                                            "platform",
                                            platform)))
                    .substring(0, 32);
        }

        /** What manifests would call the image. */
        String reference() {
            return EnvironmentFile.REGISTRY_NAME + "/" + REPOSITORY + ":" + tag();
        }

        /** Without the text and the arguments, which may hold secrets (rule R8). */
        @Override
        public String toString() {
            return "Recipe[" + tag() + "]";
        }
    }

    /**
     * Builds, whether or not the registry has the tag.
     *
     * @param logins how the registries of base images are reached
     * @param progress hears what the build prints
     * @throws IOException with the last lines of the build
     */
    void build(Recipe recipe, List<RegistryLogin> logins, Consumer<String> progress)
            throws IOException, InterruptedException;
}
