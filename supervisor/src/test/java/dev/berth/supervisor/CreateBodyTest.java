package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage.Volume;
import dev.berth.model.DeploymentManifest;
import dev.berth.model.Json;
import dev.berth.model.Manifests;
import dev.berth.model.YamlDocument;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Every key of both notations adds to a create body exactly what the golden tables say. A line of a
 * table is {@code keys => what they add}; null is what they take away.
 */
class CreateBodyTest {
    private static final Map<String, String> FILE =
            new java.util.TreeMap<>(Map.of("A", "file", "B", "file"));
    private final CreateBody bodies = new CreateBody(SupervisorConfig.inVm("i-1", "boot"));

    static List<String> table(String name) throws IOException {
        try (InputStream in = CreateBodyTest.class.getResourceAsStream("golden/" + name + ".txt")) {
            String text =
                    new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().filter(l -> !l.isBlank() && !l.startsWith("#")).toList();
        }
    }

    static String keys(String line) {
        return line.substring(line.indexOf('{'), line.indexOf(" => "));
    }

    @Test
    void composeKeys() throws IOException {
        everyLineHolds("compose", false);
    }

    @Test
    void releaseKeys() throws IOException {
        everyLineHolds("release", true);
    }

    private void everyLineHolds(String table, boolean release) throws IOException {
        Set<String> missing = new HashSet<>(Manifests.containerKeys(release));
        Map<String, Object> least = body("{name: one}", release, new EngineFacts(48, false)).tree();
        var wrong = new StringBuilder();
        for (String line : table(table)) {
            String keys = keys(line);
            missing.removeAll(YamlDocument.parse(keys).tree().keySet());
            EngineFacts facts =
                    new EngineFacts(line.startsWith("1.41") ? 41 : 48, line.startsWith("v2"));
            String right = line.substring(line.indexOf(" => ") + 4);
            CreateBody.Made made = body(keys, release, facts);
            String folder = spec(keys, release).fixedDigest().substring(0, 16);
            String added = Json.canonical(added(least, made.tree())).replace(folder, "FIXED");
            String words = made.warnings().isEmpty() ? "" : " " + made.warnings().getFirst();
            int end = right.lastIndexOf('}') + 1;
            String wanted = Json.canonical(Json.parse(right.substring(0, end)));
            if (!(added + words).equals(wanted + right.substring(end))) {
                wrong.append(keys).append(" => ").append(added).append(words).append('\n');
            }
        }
        assertThat(wrong.toString()).isEmpty();
        assertThat(missing).as("keys without a line").isEmpty();
    }

    private CreateBody.Made body(String keys, boolean release, EngineFacts facts) {
        ContainerSpec spec = spec(keys, release);
        var around =
                new CreateBody.Surroundings(
                        facts,
                        keys.contains("command: []") ? List.of("/image-entry") : null,
                        spec.process().envFiles().isEmpty() ? Map.of() : FILE,
                        spec.security().securityOptions());
        return bodies.of(spec, "d1", "intent1", around);
    }

    /** As it comes out of a manifest and over the wire. */
    static ContainerSpec spec(String keys, boolean release) {
        String container = "{name: one, " + keys.substring(1);
        if (keys.startsWith("{name:")) {
            container = keys;
        }
        if (!keys.contains("image:")) {
            container = container.replace("{name: one", "{name: one, image: \"img:1\"");
        }
        String two = "{name: two, image: \"img:2\"}";
        String where =
                release
                        ? "  jobs:\n  - name: containers\n    release: docker\n    properties:\n"
                                + "      containers: ["
                                + container
                                + ", "
                                + two
                                + "]\n"
                        : "  containers: [" + container + ", " + two + "]\n";
        String manifest =
                """
                name: golden
                stemcells: [{alias: default, os: debian, version: latest}]
                releases: [{name: docker, version: latest}]
                update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1, update_watch_time: 1}
                secrets: {key: {content: pl4nted}}
                configs: {page: hello}
                instance_groups:
                - name: golden
                  instances: 1
                  azs: [z1]
                  vm_type: default
                  stemcell: default
                  persistent_disk: 1
                  networks: [{name: default}]
                """
                        + where;
        DeploymentManifest parsed = Manifests.parse(YamlDocument.parse(manifest));
        ContainerSpec spec = parsed.instanceGroups().getFirst().containers().getFirst();
        assertThat(spec.name()).isEqualTo("one");
        return ContainerSpec.fromTree(
                Objects.requireNonNull(Json.parse(Json.write(spec.toTree()))));
    }

    /** What the second tree has beyond the first; null where it lacks something. */
    private static Map<String, Object> added(Map<?, ?> less, Map<?, ?> more) {
        var added = new LinkedHashMap<String, @Nullable Object>();
        more.forEach((key, value) -> {
            Object before = less.get(key);
            if (value instanceof Map<?, ?> now && before instanceof Map<?, ?> then) {
                Map<String, Object> below = added(then, now);
                if (!below.isEmpty()) {
                    added.put(String.valueOf(key), below);
                }
            } else if (!Objects.equals(plain(value), plain(before))) {
                added.put(String.valueOf(key), value);
            }
        });
        added.remove(Labels.FIXED); // another digest on each line, and never less than all of them
        less.keySet().stream()
                .filter(key -> !more.containsKey(key))
                .forEach(key -> added.put(String.valueOf(key), null));
        return Json.asObject(added);
    }

    private static String plain(@Nullable Object tree) {
        return Json.canonical(tree);
    }

    /** Name and image alone: everything else is the image's own, but for our labels and rules. */
    @Test
    void theLeast() {
        assertThat(Json.canonical(body("{name: one}", false, new EngineFacts(48, true)).tree()))
                .isEqualTo(
                        Json.canonical(
                                Json.parse(
                                        """
                                        {"Image":"img:1","Env":[],"ExposedPorts":{},"StopTimeout":10,
                                         "Labels":{"berth.instance":"i-1","berth.container":"one",
                                                   "berth.spec":"d1","berth.intent":"intent1",
                                                   "berth.fixed":"%s"},
                                         "HostConfig":{"NetworkMode":"berth","PortBindings":{},"Mounts":[],
                                           "Privileged":false,
                                           "RestartPolicy":{"Name":"no","MaximumRetryCount":0},
                                           "LogConfig":{"Type":"json-file",
                                                        "Config":{"max-size":"10m","max-file":"3"}}},
                                         "NetworkingConfig":{"EndpointsConfig":{"berth":{"Aliases":["one"]}}}}
                                        """
                                                .formatted(
                                                        spec("{name: one}", false)
                                                                .fixedDigest()))));
    }

    /** What an older engine does not take at create is attached afterwards. */
    @Test
    void furtherNetworksOfAnOldEngine() {
        CreateBody.Made made =
                body("{networks: [default, back]}", false, new EngineFacts(41, false));
        assertThat(made.later()).isEqualTo(Map.of("berth-back", Map.of("Aliases", List.of("one"))));
    }

    /** No secret is in anything that the engine shows (rule R8). */
    @Test
    void secretsAreNotInTheBody() {
        String body = Json.write(body("{secrets: [key]}", false, new EngineFacts(48, true)).tree());
        assertThat(body).doesNotContain("pl4nted");
    }

    /** No volume leads out of its disk. */
    @Test
    void sourcesStayBelowTheirDisk() {
        ContainerSpec spec = Specs.named("a").volume(Volume.Kind.STORE, "../../etc", "/etc").make();
        var around =
                new CreateBody.Surroundings(new EngineFacts(48, true), null, Map.of(), List.of());
        assertThatThrownBy(() -> bodies.of(spec, "d", "i", around))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("../../etc");
    }
}
