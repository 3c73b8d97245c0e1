package dev.berth.director;

import dev.berth.model.ContainerSpec;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Resolves tags to digests, once a deploy, so that all instances run the same image. A reference
 * that an earlier deploy pinned keeps its digest: a tag that has moved is adopted when the manifest
 * names another reference. Images of the environment's registry are resolved here; references to
 * other registries are left to the VMs that pull them.
 */
final class ImagePins {
    private final RegistryLook registry;

    ImagePins(RegistryLook registry) {
        this.registry = registry;
    }

    /** An image as one container of one group names it. */
    record Use(String group, ContainerSpec container) {}

    /**
     * Digest by reference, for those that can be pinned.
     *
     * @param earlier digests by reference of the last deploy
     * @throws ProblemException every image the registry does not have, with its words
     */
    Map<String, String> resolve(List<Use> uses, Map<String, String> earlier) {
        var pins = new HashMap<String, String>();
        var problems = new ArrayList<Problem>();
        for (Use use : uses) {
            String image = use.container().image().reference();
            if (image == null || image.contains("@sha256:") || pins.containsKey(image)) {
                continue;
            }
            String known = earlier.get(image);
            if (known != null) {
                pins.put(image, known);
            } else if (image.startsWith(EnvironmentFile.REGISTRY_NAME + "/")) {
                look(use, image, problems).ifPresent(digest -> pins.put(image, digest));
            }
        }
        if (!problems.isEmpty()) {
            throw new ProblemException(problems);
        }
        return pins;
    }

    private Optional<String> look(Use use, String image, List<Problem> problems) {
        String path = image.substring(EnvironmentFile.REGISTRY_NAME.length() + 1);
        int colon = path.lastIndexOf(':');
        String name = colon < 0 ? path : path.substring(0, colon);
        String tag = colon < 0 ? "latest" : path.substring(colon + 1);
        String said;
        try {
            return Optional.of(registry.digest(name, tag));
        } catch (IOException e) {
            said = e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            said = "was not waited for";
        }
        problems.add(
                new Problem(
                        100,
                        "instance group '"
                                + use.group()
                                + "', container '"
                                + use.container().name()
                                + "'",
                        "image '" + image + "' cannot be pulled: the registry " + said,
                        "push it: berth push " + name + ":" + tag));
        return Optional.empty();
    }

    static ContainerSpec pinned(ContainerSpec spec, Map<String, String> pins) {
        String image = spec.image().reference();
        @Nullable String digest = image == null ? null : pins.get(image);
        return digest == null ? spec : spec.pinnedTo(digest);
    }
}
