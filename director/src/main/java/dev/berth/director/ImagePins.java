package dev.berth.director;

import dev.berth.model.ContainerImage.Pull;
import dev.berth.model.ContainerSpec;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.ImageName;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.RegistryLogin;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Resolves tags to digests, once a deploy, so that all instances run the same image, whichever
 * registry it is of. A reference that an earlier deploy pinned keeps its digest and asks no
 * registry: a tag that has moved is adopted when the manifest names another reference, or when the
 * operator asks for a fresh look.
 */
final class ImagePins {
    /** Registries asked at once. */
    private static final int AT_ONCE = 8;

    private final RegistryLook registry;
    private final @Nullable OutsideImages outside;
    private final Parallel parallel;

    /**
     * @param outside null: images of other registries are left to the VMs that pull them
     */
    ImagePins(RegistryLook registry, @Nullable OutsideImages outside, Parallel parallel) {
        this.registry = registry;
        this.outside = outside;
        this.parallel = parallel;
    }

    /** An image as one container of one group names it. */
    record Use(String group, ContainerSpec container) {
        String reference() {
            String image = container.image().reference();
            return image == null ? "" : image;
        }

        /** What a pin is kept under: the same reference may mean another image elsewhere. */
        String key() {
            return keyOf(reference(), container.image().platform());
        }

        String place() {
            return "instance group '" + group + "', container '" + container.name() + "'";
        }
    }

    static String keyOf(String reference, @Nullable String platform) {
        return platform == null ? reference : reference + " " + platform;
    }

    /** When registries are asked although a digest is known. */
    enum Look {
        /** Never, and outside registries not at all: the manifest is not being deployed. */
        KNOWN_ONLY,
        /** For what has no pin, and for what is to be pulled always. */
        USUAL,
        REFRESH
    }

    /**
     * Digests by {@link Use#key}, for those that can be pinned.
     *
     * @param earlier digests by key of the last deploy
     * @param logins how outside registries are reached
     * @throws ProblemException every image that a registry does not give, with its words
     */
    Map<String, String> resolve(
            List<Use> uses, Map<String, String> earlier, List<RegistryLogin> logins, Look look) {
        var pins = new ConcurrentHashMap<String, String>();
        var asked = new LinkedHashMap<String, Use>();
        for (Use use : uses) {
            String known = earlier.get(use.key());
            if (!canBePinned(use, look, known != null)) {
                continue;
            }
            if (known != null && !asksAgain(use, look)) {
                pins.put(use.key(), known);
            } else {
                asked.putIfAbsent(use.key(), use);
            }
        }
        // One container that wants a fresh look decides for all that share its image.
        asked.keySet().forEach(pins::remove);
        List<Problem> problems = Collections.synchronizedList(new ArrayList<>());
        everywhere(
                asked.values(),
                use -> {
                    try {
                        pins.put(use.key(), digest(use, logins));
                    } catch (IOException e) {
                        problems.add(problem(use, String.valueOf(e.getMessage()), logins));
                    }
                });
        if (!problems.isEmpty()) {
            throw new ProblemException(
                    problems.stream()
                            .sorted(java.util.Comparator.comparing(p -> String.valueOf(p.place())))
                            .toList());
        }
        return pins;
    }

    private boolean canBePinned(Use use, Look look, boolean known) {
        String image = use.reference();
        if (image.isEmpty() || use.container().image().dockerfile() != null) {
            return false; // the release names what is built from a Dockerfile
        }
        if (ImageName.parse(image).isOfEnvironment()) {
            return !image.contains("@sha256:");
        }
        return outside != null
                && use.container().image().pull() != Pull.NEVER
                && (known || look != Look.KNOWN_ONLY);
    }

    private static boolean asksAgain(Use use, Look look) {
        return look == Look.REFRESH
                || look == Look.USUAL && use.container().image().pull() == Pull.ALWAYS;
    }

    private void everywhere(java.util.Collection<Use> uses, Parallel.Work<Use> work) {
        try {
            parallel.forEach(uses, AT_ONCE, work);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProblemException(100, "the registries were not waited for");
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private String digest(Use use, List<RegistryLogin> logins)
            throws IOException, InterruptedException {
        ImageName name = ImageName.parse(use.reference());
        if (name.isOfEnvironment() || outside == null) {
            return registry.digest(name.repository(), name.version());
        }
        return outside.digest(wanted(use, logins));
    }

    static OutsideImages.Wanted wanted(Use use, List<RegistryLogin> logins) {
        ImageName name = ImageName.parse(use.reference());
        return new OutsideImages.Wanted(
                name, use.container().image().platform(), login(name, logins));
    }

    /** The first of that host: a manifest's own come before those of all deployments. */
    static RegistryLogin login(ImageName name, List<RegistryLogin> logins) {
        return logins.stream()
                .filter(l -> l.host().equals(name.host()))
                .findFirst()
                .orElse(RegistryLogin.anonymous(name.host()));
    }

    /** What is wrong with a container's image, and what may be done about it. */
    static Problem problem(Use use, String words, List<RegistryLogin> logins) {
        ImageName name = ImageName.parse(use.reference());
        String remedy =
                name.isOfEnvironment()
                        ? name.repository().equals(ImageBuilder.REPOSITORY)
                                ? "build it anew: deploy with --refresh-images"
                                : "push it: berth push " + name.repository() + ":" + name.version()
                        : RegistryRemedy.of(login(name, logins), words);
        return new Problem(
                100,
                use.place(),
                "image '"
                        + use.reference()
                        + "' cannot be pulled: the registry "
                        + (name.isOfEnvironment() ? words : name.host() + " says: " + words),
                remedy);
    }

    /** The container with the digest of its image, and where VMs take that from. */
    static ContainerSpec pinned(ContainerSpec spec, Map<String, String> pins) {
        String image = spec.image().reference();
        if (image == null) {
            return spec;
        }
        String digest = pins.get(keyOf(image, spec.image().platform()));
        if (digest == null) {
            return spec;
        }
        ImageName name = ImageName.parse(image);
        return spec.with(
                name.isOfEnvironment()
                        ? spec.image().pinnedTo(digest)
                        : spec.image()
                                .pinnedTo(
                                        digest,
                                        EnvironmentFile.REGISTRY_NAME
                                                + "/"
                                                + name.repositoryInside()));
    }
}
