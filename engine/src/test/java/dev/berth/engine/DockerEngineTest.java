package dev.berth.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the client behaves towards engines that hang, lie, refuse or stop in the middle. */
class DockerEngineTest {
    @TempDir Path folder;

    private interface Use {
        void with(DockerEngine engine, CannedEngine canned) throws Exception;
    }

    private void against(CannedEngine.Answer answer, Use use) throws Exception {
        Path socket = folder.resolve("engine.sock");
        try (var canned = new CannedEngine(socket, answer);
                var engine = new DockerEngine(socket)) {
            use.with(engine, canned);
        }
    }

    @Test
    void noSocketIsAnUnknownOutcomeThatNamesIt() {
        try (var engine = new DockerEngine(folder.resolve("none.sock"))) {
            assertThat(engine.ping(Duration.ofSeconds(1))).isFalse();
            assertThatThrownBy(engine::info)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.isUnknown()).isTrue())
                    .hasMessageContaining("none.sock");
        }
    }

    @Test
    void aHungEngineCostsTheLimitAndNoMore() throws Exception {
        var never = new CountDownLatch(1);
        against(
                (head, body, out) -> never.await(),
                (engine, canned) ->
                        assertThatThrownBy(() ->
                                        engine.listContainers(Map.of(), Duration.ofMillis(200)))
                                .isInstanceOfSatisfying(
                                        EngineException.class,
                                        e -> assertThat(e.isUnknown()).isTrue())
                                .hasMessageContaining("did not finish GET /v1.41/containers/json"));
    }

    @Test
    void anAnswerThatStallsInItsBodyIsCutAtTheLimit() throws Exception {
        var never = new CountDownLatch(1);
        against(
                (head, body, out) -> {
                    out.write(
                            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"
                                    .getBytes(StandardCharsets.UTF_8));
                    out.flush();
                    never.await();
                },
                (engine, canned) ->
                        assertThatThrownBy(() ->
                                        engine.listContainers(Map.of(), Duration.ofMillis(200)))
                                .isInstanceOfSatisfying(
                                        EngineException.class,
                                        e -> assertThat(e.isUnknown()).isTrue()));
    }

    @Test
    void theLowerVersionOfBothIsSpoken() throws Exception {
        against(
                (head, body, out) -> out.write(CannedEngine.ok("1.41", "{}")),
                (engine, canned) -> {
                    engine.version();
                    assertThat(canned.requests).contains("GET /v1.41/version HTTP/1.1");
                });
    }

    @Test
    void theEnginesOwnWordsAreTheError() throws Exception {
        against(
                (head, body, out) ->
                        out.write(
                                CannedEngine.refusal(
                                        409, "{\"message\":\"name in use by container 12\"}")),
                (engine, canned) ->
                        assertThatThrownBy(() -> engine.createContainer("a", Map.of()))
                                .isInstanceOfSatisfying(
                                        EngineException.class,
                                        e -> assertThat(e.isConflict()).isTrue())
                                .hasMessage("name in use by container 12"));
    }

    @Test
    void anErrorLineInAPullIsAFailureWithTheRegistrysWords() throws Exception {
        against(
                (head, body, out) -> {
                    assertThat(head).contains("fromImage=registry.berth%2Fshop&tag=2");
                    assertThat(head)
                            .contains(
                                    Base64.getUrlEncoder()
                                            .encodeToString(
                                                    "{\"username\":\"u\",\"password\":\"p?>\",\"serveraddress\":\"registry.berth\"}"
                                                            .getBytes(StandardCharsets.UTF_8)));
                    out.write(
                            CannedEngine.ok(
                                    "1.41",
                                    "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"manifest unknown\"}\r\n"));
                },
                (engine, canned) ->
                        assertThatThrownBy(() ->
                                        engine.pullImage(
                                                "registry.berth/shop:2",
                                                new Engine.RegistryAuth(
                                                        "u", "p?>", "registry.berth"),
                                                line -> {}))
                                .isInstanceOf(EngineException.class)
                                .hasMessageContaining("manifest unknown"));
    }

    @Test
    void aBuildErrorTellsWhatWasPrintedBefore() throws Exception {
        against(
                (head, body, out) -> {
                    body.readNBytes("3\r\n...\r\n0\r\n\r\n".length());
                    out.write(
                            CannedEngine.ok(
                                    "1.41",
                                    "{\"stream\":\"make: *** missing separator\\n\"}\n{\"error\":\"returned a non-zero code: 2\"}\n"));
                },
                (engine, canned) ->
                        assertThatThrownBy(() ->
                                        engine.buildImage(
                                                new ByteArrayInputStream(new byte[3]),
                                                "a:1",
                                                Map.of(),
                                                line -> {}))
                                .hasMessageContaining("returned a non-zero code: 2")
                                .hasMessageContaining("missing separator"));
    }

    @Test
    void aSourceThatBreaksDuringAnUploadFailsTheCall() throws Exception {
        against(
                (head, body, out) -> body.readAllBytes(),
                (engine, canned) -> {
                    InputStream broken =
                            new InputStream() {
                                @Override
                                public int read() throws IOException {
                                    throw new IOException("disk went away");
                                }
                            };
                    assertThatThrownBy(() -> engine.importImage(broken, "a", "1", List.of()))
                            .hasMessageContaining("disk went away");
                });
    }

    @Test
    void anOldEngineIsRefusedWithTheVersionNeeded() throws Exception {
        Path socket = folder.resolve("old.sock");
        try (var server =
                        new CannedEngine(
                                socket,
                                (head, body, out) -> out.write(CannedEngine.ok("1.24", "{}")));
                var engine = new DockerEngine(socket)) {
            assertThat(engine.ping(Duration.ofSeconds(2))).isTrue();
            server.version = "1.24";
            assertThatThrownBy(engine::version).hasMessageContaining("needs 1.41");
        }
    }

    @Test
    void framesAreSplitByStreamAndACutOneKeepsWhatCame() throws Exception {
        byte[] frames = {1, 0, 0, 0, 0, 0, 0, 2, 'o', 'k', 2, 0, 0, 0, 0, 0, 0, 9, 'e', 'r'};
        var stdout = new ByteArrayOutputStream();
        var stderr = new ByteArrayOutputStream();
        LogFrames.copy(new ByteArrayInputStream(frames), stdout, stderr);
        assertThat(stdout).hasToString("ok");
        assertThat(stderr).hasToString("er");
    }

    @Test
    void referencesAreTakenApartWhereTheRegistryHasAPort() {
        assertThat(ImageReference.parse("host:5000/a/b"))
                .isEqualTo(new ImageReference("host:5000/a/b", "latest"));
        assertThat(ImageReference.parse("host:5000/a:1"))
                .isEqualTo(new ImageReference("host:5000/a", "1"));
        assertThat(ImageReference.parse("host:5000/a:1@sha256:ab"))
                .isEqualTo(new ImageReference("host:5000/a", "sha256:ab"));
    }
}
