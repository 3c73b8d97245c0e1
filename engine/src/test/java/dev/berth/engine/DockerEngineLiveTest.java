package dev.berth.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The same client against a real engine: the one DOCKER_HOST names, else the standard socket. */
@Tag("engine")
class DockerEngineLiveTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private final String run = UUID.randomUUID().toString().substring(0, 8);
    private final Map<String, String> label = Map.of("berth.test", run);
    private DockerEngine engine;
    private String image;

    DockerEngineLiveTest() {
        String host = System.getenv().getOrDefault("DOCKER_HOST", "unix:///var/run/docker.sock");
        engine = new DockerEngine(Path.of(host.replaceFirst("^unix://", "")));
        image = "berth-engine-test:" + run;
    }

    @BeforeEach
    void image() throws Exception {
        Process tar =
                new ProcessBuilder(
                                "sh",
                                "-c",
                                "tar -ch -C / $(ldd /bin/sh /bin/sleep /bin/echo | grep -o '/[^ :]*$\\|/[^ ]* (' | tr -d '( ' | sed s,^/,,| sort -u) bin/sh bin/sleep bin/echo")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try (InputStream root = tar.getInputStream()) {
            engine.importImage(
                    root, "berth-engine-test", run, List.of("ENV PATH=/bin", "LABEL a=b"));
        }
    }

    @AfterEach
    void clean() {
        engine.listContainers(nullable(label), LIMIT)
                .forEach(c -> engine.removeContainer(String.valueOf(c.get("Id")), true, true));
        engine.removeImage(image, true);
        engine.close();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, @org.jspecify.annotations.Nullable String> nullable(
            Map<String, String> labels) {
        return (Map<String, @org.jspecify.annotations.Nullable String>) (Map<?, ?>) labels;
    }

    private String container(String... command) {
        return engine.createContainer(
                "berth-engine-test-" + run,
                Json.of(
                        "Image",
                        image,
                        "Cmd",
                        Arrays.asList(command),
                        "Labels",
                        label,
                        "HostConfig",
                        Json.of("NetworkMode", "none")));
    }

    @Test
    void aContainerLivesThroughAllItsCalls() {
        String id = container("sh", "-c", "echo out; echo err >&2; exec sleep 1000");
        engine.startContainer(id);
        engine.startContainer(id);
        assertThat(engine.listContainers(nullable(label), LIMIT)).hasSize(1);
        var result =
                engine.exec(
                        id,
                        List.of("sh", "-c", "echo $A; echo bad >&2; exit 7"),
                        Map.of("A", "one two"),
                        LIMIT);
        assertThat(result).isEqualTo(new Engine.ExecResult(7, "one two\n", "bad\n"));
        assertThat(engine.logs(id, 10)).contains("out\n").contains("err\n");
        assertThat(engine.stats(id)).containsKey("memory_stats");
        engine.updateContainer(id, Json.of("RestartPolicy", Json.of("Name", "always")));
        engine.renameContainer(id, "berth-engine-test-renamed-" + run);
        assertThat(engine.inspectContainer("berth-engine-test-renamed-" + run)).isPresent();
        engine.updateContainer(id, Json.of("RestartPolicy", Json.of("Name", "no")));
        engine.stopContainer(id, Duration.ZERO);
        engine.stopContainer(id, Duration.ZERO);
        engine.killContainer(id, "KILL");
        engine.removeContainer(id, false, true);
        engine.removeContainer(id, true, true);
        assertThat(engine.inspectContainer(id)).isEmpty();
    }

    @Test
    void eventsArriveWhileTheyHappenAndClosingEndsThem() throws Exception {
        var events = new LinkedBlockingQueue<Map<String, Object>>();
        var ends = new LinkedBlockingQueue<Throwable>();
        try (var stream =
                engine.events(
                        Map.of("label", List.of("berth.test=" + run)), events::add, ends::add)) {
            String id = container("sleep", "1000");
            engine.startContainer(id);
            engine.killContainer(id, "KILL");
            String seen = "";
            while (!seen.contains("die")) {
                seen +=
                        Fields.of(events.poll(20, TimeUnit.SECONDS), "event").string("Action")
                                + " ";
            }
            assertThat(seen).contains("create").contains("start");
            assertThat(stream).isNotNull();
        }
        assertThat(ends).isEmpty();
    }

    @Test
    void followingALogEndsWithTheContainer() {
        String id = container("sh", "-c", "echo a; sleep 0.2; echo b");
        engine.startContainer(id);
        var out = new ByteArrayOutputStream();
        engine.streamLogs(id, 100, true, out);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("a\nb\n");
    }

    @Test
    void followingALogEndsWithAnInterrupt() throws Exception {
        String id = container("sh", "-c", "echo a; exec sleep 1000");
        engine.startContainer(id);
        var begun = new CountDownLatch(1);
        OutputStream out =
                new OutputStream() {
                    @Override
                    public void write(int b) {
                        begun.countDown();
                    }
                };
        Thread follower = Thread.ofVirtual().start(() -> engine.streamLogs(id, 100, true, out));
        begun.await();
        follower.interrupt();
        assertThat(follower.join(LIMIT)).isTrue();
    }

    @Test
    void anImageOfHalfAGigabyteStreamsThroughASmallHeap() {
        long size = 500L * 1024 * 1024;
        String id =
                engine.importImage(new TarOfOneFile(size), "berth-engine-test-big", run, List.of());
        assertThat(engine.inspectImage(id).orElseThrow()).containsEntry("Size", size);
        engine.removeImage("berth-engine-test-big:" + run, true);
        assertThat(engine.inspectImage(id)).isEmpty();
    }

    @Test
    void aRefusedPullCarriesTheReason() {
        assertThatThrownBy(() -> engine.pullImage("127.0.0.1:1/none:1", null, line -> {}))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("127.0.0.1:1");
    }

    @Test
    void networksAndVolumesAreFoundByLabelAndGoneTwice() {
        String name = "berth-test-" + run;
        engine.createVolume(Json.of("Name", name, "Labels", label));
        assertThat(engine.listVolumes(nullable(label))).hasSize(1);
        engine.removeVolume(name, false);
        engine.removeVolume(name, false);
        assertThat(engine.listVolumes(nullable(label))).isEmpty();
        String id = engine.createNetwork(Json.of("Name", name, "Labels", label, "Internal", true));
        assertThat(engine.listNetworks(nullable(label))).hasSize(1);
        assertThat(engine.inspectNetwork(name).orElseThrow()).containsEntry("Id", id);
        engine.removeNetwork(name);
        engine.removeNetwork(name);
        assertThat(engine.inspectNetwork(name)).isEmpty();
    }

    @Test
    void anImageIsBuiltFromAContext() throws IOException {
        byte[] dockerfile = ("FROM " + image + "\nLABEL x=y\n").getBytes(StandardCharsets.UTF_8);
        String id =
                engine.buildImage(
                        new ByteArrayInputStream(
                                new TarOfOneFile("Dockerfile", dockerfile).readAllBytes()),
                        "berth-engine-test-built:" + run,
                        label,
                        line -> {});
        Fields config = Fields.of(engine.inspectImage(id).orElseThrow(), "image").object("Config");
        assertThat(config.stringMap("Labels"))
                .containsEntry("x", "y")
                .containsEntry("berth.test", run);
        engine.removeImage("berth-engine-test-built:" + run, true);
    }
}
