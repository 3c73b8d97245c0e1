package dev.berth.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code build} of a container, whose context the command line has replaced by its digest.
 */
final class ContainerBuildReader {
    private static final Set<String> KNOWN =
            Set.of("context", "dockerfile", "dockerfile_inline", "args", "target", "labels");

    private static final Map<String, String> IDLE =
            Map.of(
                    "pull", "base images are pinned; deploy with --refresh-images looks again",
                    "no_cache", "what is built is kept by the digest of all that goes into it",
                    "cache_from", "the engine that builds keeps its own cache",
                    "cache_to", "the engine that builds keeps its own cache",
                    "tags", "the image is known by the digest of all that goes into it");

    private final ContainerKeys keys;
    private final ContainerKeys build;

    ContainerBuildReader(ContainerKeys keys) {
        this.keys = keys;
        Section none = new Section(Map.of(), keys.at("build"));
        this.build =
                new ContainerKeys(
                        keys.at("build").isMap() ? keys.section().section("build") : none, false);
    }

    /** Null for a Dockerfile's text alone, which needs nothing else. */
    @Nullable ContainerBuild build() {
        if (!keys.at("build").isMap()) {
            notPacked(keys.at("build"));
            return null;
        }
        build.refuse(refused());
        var known = new java.util.HashSet<>(KNOWN);
        known.addAll(refused().keySet());
        build.section().checkKeys(known, IDLE);
        String context = build.text("context");
        if (context != null && !context.matches("sha256:[a-f0-9]{64}")) {
            notPacked(build.at("context"));
        }
        if (context == null && !build.has("dockerfile_inline")) {
            keys.at("build").error("there is nothing to build", "give 'context'");
        }
        var read =
                new ContainerBuild(
                        context,
                        build.text("dockerfile"),
                        build.pairs("args"),
                        build.text("target"),
                        build.pairs("labels"));
        return read.equals(ContainerBuild.DEFAULT) ? null : read;
    }

    /** The text of the Dockerfile, if it is given in place. */
    @Nullable String inline(@Nullable String dockerfile) {
        String text = build.text("dockerfile_inline");
        if (text != null && (dockerfile != null || build.has("dockerfile"))) {
            keys.at("build").error("there are two Dockerfiles", "give one of them");
        }
        if (text == null && dockerfile != null) {
            keys.at("dockerfile")
                    .error(
                            "beside 'build' it is not clear what 'dockerfile' means",
                            "write it as build: {dockerfile_inline: ...}, or leave out 'build'");
        }
        return text;
    }

    private static void notPacked(Spot spot) {
        spot.error(
                "its context is a folder of the machine that deploys",
                "deploy with 'berth deploy', which packs and uploads it");
    }

    private static Map<String, String> refused() {
        var refused = new LinkedHashMap<String, String>();
        for (String key :
                java.util.List.of("ssh", "secrets", "additional_contexts", "entitlements")) {
            refused.put(
                    key, "the engine's own builder has no such thing: build elsewhere, and push");
        }
        for (String key : java.util.List.of("network", "extra_hosts", "privileged", "ulimits")) {
            refused.put(key, "builds use the engine's own settings: build elsewhere, and push");
        }
        refused.put("shm_size", "builds use the engine's own settings: build elsewhere, and push");
        refused.put("isolation", "it is of Windows");
        refused.put("platforms", "give the container's 'platform'");
        return refused;
    }
}
