package dev.berth.cli;

import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.model.YamlText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Containers with {@code build: DIR}: the folder is packed, taken to the director unless it has it,
 * and named by its digest in the manifest that is sent.
 */
final class BuildContexts {
    private final Path folder;
    private final Store store;

    /** Where contexts go. */
    interface Store {
        boolean has(String digest);

        void take(String digest, Path tar);
    }

    private final Map<String, String> packed = new HashMap<>();

    /**
     * @param folder that contexts are relative to
     */
    BuildContexts(Path folder, Store store) {
        this.folder = folder;
        this.store = store;
    }

    /** The manifest; as it was, to the letter, where nothing is built. */
    String applied(String manifest) {
        if (!manifest.contains("build")) {
            return manifest;
        }
        Object root;
        try {
            root = YamlDocument.asWritten(manifest);
        } catch (ProblemException e) {
            return manifest; // the director says what is wrong, with the lines of this text
        }
        if (!(root instanceof Map<?, ?> map)
                || !(map.get("instance_groups") instanceof List<?> groups)) {
            return manifest;
        }
        var copies = new ArrayList<@Nullable Object>();
        for (Object group : groups) {
            copies.add(group instanceof Map<?, ?> g ? group(Json.asObject(g)) : group);
        }
        if (packed.isEmpty()) {
            return manifest;
        }
        var copy = new LinkedHashMap<>(Json.asObject(root));
        copy.put("instance_groups", copies);
        return YamlText.write(copy);
    }

    private Map<String, Object> group(Map<String, Object> group) {
        if (!(group.get("containers") instanceof List<?> containers)) {
            return group;
        }
        var copies = new ArrayList<@Nullable Object>();
        for (Object container : containers) {
            copies.add(
                    container instanceof Map<?, ?> c && c.get("build") != null
                            ? container(Json.asObject(c))
                            : container);
        }
        var copy = new LinkedHashMap<>(group);
        copy.put("containers", copies);
        return copy;
    }

    private Map<String, Object> container(Map<String, Object> container) {
        Object written = container.get("build");
        var build =
                new LinkedHashMap<String, Object>(
                        written instanceof Map<?, ?> map
                                ? Json.asObject(map)
                                : Json.of("context", written));
        if (!(build.get("context") instanceof String context)
                || context.matches("sha256:[a-f0-9]{64}")) {
            return container;
        }
        String place = "container '" + container.get("name") + "': build";
        if (context.matches("[a-z+]+://.*|git@.*")) {
            throw new CliException(
                    place
                            + ": "
                            + context
                            + " is not on this machine; fetch it, and name the folder");
        }
        Path at = folder.resolve(context).normalize();
        if (!Files.isDirectory(at)) {
            throw new CliException(place + ": there is no folder " + at);
        }
        inlined(place, at, build);
        String dockerfile =
                build.containsKey("dockerfile_inline")
                        ? "Dockerfile"
                        : Objects.toString(build.get("dockerfile"), "Dockerfile");
        if (!build.containsKey("dockerfile_inline")
                && !Files.isRegularFile(at.resolve(dockerfile))) {
            throw new CliException(place + ": there is no " + at.resolve(dockerfile));
        }
        build.put(
                "context",
                packed.computeIfAbsent(at + "\n" + dockerfile, k -> packed(at, dockerfile)));
        var copy = new LinkedHashMap<>(container);
        copy.put("build", build);
        return copy;
    }

    /** A Dockerfile that is not in the context travels as text. */
    private static void inlined(String place, Path context, Map<String, Object> build) {
        if (!(build.get("dockerfile") instanceof String dockerfile)
                || context.resolve(dockerfile).normalize().startsWith(context)) {
            return;
        }
        Path outside = context.resolve(dockerfile).normalize();
        if (!Files.isRegularFile(outside)) {
            throw new CliException(place + ": there is no " + outside);
        }
        build.remove("dockerfile");
        build.put("dockerfile_inline", ChangeCommands.read(outside));
    }

    private String packed(Path context, String dockerfile) {
        BuildContext.Packed tar;
        try {
            tar = new BuildContext(context, dockerfile).pack();
        } catch (IOException e) {
            throw new CliException("cannot pack " + context + ": " + e.getMessage(), e);
        }
        try {
            if (!store.has(tar.digest())) {
                store.take(tar.digest(), tar.file());
            }
            return tar.digest();
        } finally {
            tar.file().toFile().delete();
        }
    }

    /** The director. */
    static Store at(Api api, Screen screen) {
        return new Store() {
            @Override
            public boolean has(String digest) {
                return api.raw("GET", "/build_contexts/" + digest, null, null, Map.of()).status()
                        == 200;
            }

            @Override
            public void take(String digest, Path tar) {
                screen.note(
                        "Uploading a build context of "
                                + Math.max(1, tar.toFile().length() >> 20)
                                + " MiB");
                api.putFile("/build_contexts/" + digest, tar);
            }
        };
    }
}
