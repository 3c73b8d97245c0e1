package dev.berth.director;

import dev.berth.model.ContainerSpec;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.RegistryLogin;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Containers that are made from a Dockerfile become containers of an image of the environment's
 * registry, named by the digest of all that goes into it: built once, and shared by whoever builds
 * from the same. Thread-safe.
 */
final class ImageBuilds {
    private static final long PROGRESS_NANOS = 5_000_000_000L;

    private final @Nullable ImageBuilder builder;
    private final RegistryLook registry;

    /**
     * @param builder null: Dockerfiles are left to the VMs, and contexts refused
     */
    ImageBuilds(@Nullable ImageBuilder builder, RegistryLook registry) {
        this.builder = builder;
        this.registry = registry;
    }

    /** The container with its image's name in the registry, built or not. */
    ContainerSpec named(ImagePins.Use use) {
        ContainerSpec spec = use.container();
        if (!spec.image().isBuilt()) {
            return spec;
        }
        if (builder != null) {
            return spec.with(spec.image().builtAs(ImageBuilder.Recipe.of(spec).reference()));
        }
        if (spec.image().build() != null) {
            throw new ProblemException(
                    List.of(
                            Problem.at(
                                    use.place(),
                                    "this director has no engine that could build its image",
                                    "build it elsewhere, push it, and name it as 'image'")));
        }
        return spec;
    }

    /**
     * Builds what the registry does not have.
     *
     * @param uses as the manifest has them
     * @param earlier digests of the last deploy by {@link ImagePins.Use#key}
     * @param dry nothing is built
     * @return references that have no image yet: only of a dry run
     * @throws ProblemException with every build that failed, and its last words
     */
    Set<String> ready(
            List<ImagePins.Use> uses,
            Map<String, String> earlier,
            List<RegistryLogin> logins,
            ImagePins.Look look,
            boolean dry,
            TaskLog log) {
        if (builder == null || look == ImagePins.Look.KNOWN_ONLY) {
            return Set.of();
        }
        Map<String, ImagePins.Use> missing = missing(uses, earlier, look, dry);
        if (dry || missing.isEmpty()) {
            return new HashSet<>(missing.keySet());
        }
        TaskLog.Stage stage = log.stage("Building images", List.of(), missing.size());
        var problems = new ArrayList<Problem>();
        for (ImagePins.Use use : missing.values()) { // one by one: a build may take all cores
            try {
                stage.step(
                        use.container().name(),
                        step ->
                                builder.build(
                                        ImageBuilder.Recipe.of(use.container()),
                                        logins,
                                        told(step)));
            } catch (IOException e) {
                problems.add(
                        Problem.at(
                                use.place(),
                                "its image cannot be built: " + e.getMessage(),
                                "mend what the build says, and deploy again; nothing was changed"));
            } catch (RuntimeException e) {
                throw e;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ProblemException(100, "the build was not waited for");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        if (!problems.isEmpty()) {
            throw new ProblemException(problems);
        }
        return Set.of();
    }

    private Map<String, ImagePins.Use> missing(
            List<ImagePins.Use> uses,
            Map<String, String> earlier,
            ImagePins.Look look,
            boolean dry) {
        var missing = new LinkedHashMap<String, ImagePins.Use>();
        for (ImagePins.Use use : uses) {
            if (!use.container().image().isBuilt()) {
                continue;
            }
            var recipe = ImageBuilder.Recipe.of(use.container());
            boolean known =
                    earlier.containsKey(
                            ImagePins.keyOf(
                                    recipe.reference(), use.container().image().platform()));
            boolean again = look == ImagePins.Look.REFRESH && !dry;
            if (again || !known && !isThere(recipe.tag())) {
                missing.putIfAbsent(recipe.reference(), use);
            }
        }
        return missing;
    }

    /** A registry that cannot be asked has nothing: the build's push will say what is wrong. */
    private boolean isThere(String tag) {
        try {
            return registry.digest(ImageBuilder.REPOSITORY, tag).startsWith("sha256:");
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static Consumer<String> told(TaskLog.StepLog step) {
        long[] next = {System.nanoTime() + PROGRESS_NANOS};
        return words -> {
            if (System.nanoTime() >= next[0]) {
                next[0] = System.nanoTime() + PROGRESS_NANOS;
                step.progress(50, words.length() > 200 ? words.substring(0, 200) : words);
            }
        };
    }
}
