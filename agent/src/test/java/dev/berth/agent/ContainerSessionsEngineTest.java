package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.engine.DockerEngine;
import dev.berth.engine.Engine;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import dev.berth.wire.StreamEnd;
import dev.berth.wire.StreamFrame;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Sessions of the agent with commands in a container of a real engine; a test is the director. */
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerSessionsEngineTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private Path folder = Path.of("");
    private final Programs programs = new Programs.Real();
    private DockerEngine engine;
    private ContainerSessions sessions;
    private final Map<UUID, StreamEnd> ends = new ConcurrentHashMap<>();

    /** Whoever sends has gone on when it arrives. */
    private final ExecutorService toAgent = Executors.newSingleThreadExecutor();

    private final ExecutorService toDirector = Executors.newSingleThreadExecutor();

    private String sh(String script) {
        return programs.run(Duration.ofSeconds(120), "sh", "-c", "cd " + folder + "\n" + script)
                .orFail("sh");
    }

    @BeforeAll
    void startEngine(@TempDir Path home) throws Exception {
        folder = home;
        Files.writeString(
                folder.resolve("start"),
                """
                cd %s
                setsid dockerd -H unix://$PWD/docker.sock --data-root $PWD/docker --exec-root $PWD/exec \
                  -p $PWD/docker.pid --bridge none >> dockerd.log 2>&1 < /dev/null &
                """
                        .formatted(folder));
        String ignored =
                sh(
                        """
                        sh ./start
                        export DOCKER_HOST=unix://$PWD/docker.sock
                        until docker version > /dev/null 2>&1; do sleep 0.1; done
                        set -e
                        p=$(for t in sh cat sleep stty sha256sum head; do command -v $t; done | sort -u)
                        l=$(ldd $p | grep -o '/[^ ]* (' | tr -d '( ' | sort -u)
                        tar -chf - $p $l 2> /dev/null | docker import -c 'ENV PATH=/bin:/usr/bin' - test/sh:1
                        docker run -d --network none --name box test/sh:1 sh -c 'while :; do sleep 1; done'
                        """);
        engine = new DockerEngine(folder.resolve("docker.sock"));
    }

    @AfterAll
    void stopEngine() {
        engine.close();
        toAgent.shutdown();
        toDirector.shutdown();
        String ignored =
                sh(
                        """
                        DOCKER_HOST=unix://$PWD/docker.sock docker rm -f box
                        pid=$(cat docker.pid); kill $pid
                        while kill -0 $pid 2> /dev/null; do sleep 0.1; done
                        umount docker/overlay2 exec/netns/* 2> /dev/null || true
                        """);
    }

    @BeforeEach
    void begin() {
        sessions = sessions();
        sessions.endLeftOver();
    }

    private ContainerSessions sessions() {
        Bus bus = new LocalBus();
        var workload =
                new FakeWorkload() {
                    @Override
                    public Engine.ExecStream session(String name, Map<String, Object> body) {
                        return engine.execStream(name, body);
                    }
                };
        return new ContainerSessions(workload, bus, Layout.of(folder.resolve("vcap")));
    }

    @AfterEach
    void end() {
        ends.values().forEach(StreamEnd::close);
        ends.clear();
        sessions.close();
    }

    /** Every subject is the test's. */
    private final class LocalBus implements Bus {
        @Override
        public void reply(String subject, byte[] envelope) {}

        @Override
        public void tellMonitor(String topic, Map<String, Object> message) {}

        @Override
        public void announceShutdown() {}

        @Override
        public boolean stream(String subject, byte[] message) {
            StreamFrame frame = StreamFrame.parse(message).orElseThrow();
            StreamEnd end = ends.get(frame.session());
            if (end != null) {
                toDirector.execute(() -> end.accept(frame));
            }
            return true;
        }
    }

    private StreamEnd open(boolean tty, String... command) throws Exception {
        UUID id = UUID.randomUUID();
        var end =
                new StreamEnd(
                        id,
                        bytes -> {
                            toAgent.execute(() -> sessions.accept(bytes));
                            return true;
                        });
        ends.put(id, end);
        Object answer =
                sessions.all()
                        .getFirst()
                        .body()
                        .run(
                                new Arguments(
                                        List.of(
                                                id.toString(),
                                                "box",
                                                List.of(command),
                                                Json.of(
                                                        "tty", tty, "stdin", true, "subject", "s",
                                                        "columns", 91, "rows", 37, "term",
                                                        "vt100"))),
                                new AgentCall("", false));
        assertThat(answer).isEqualTo("open");
        return end;
    }

    private static void say(StreamEnd end, String text) throws Exception {
        end.send(new Frame(Frames.INPUT, text.getBytes(StandardCharsets.UTF_8)));
    }

    /** What is said until this text is, or until the exit. */
    private static String hear(StreamEnd end, String until) throws Exception {
        var heard = new StringBuilder();
        while (heard.indexOf(until) < 0) {
            Frame frame = Objects.requireNonNull(end.take(SOON), heard::toString);
            end.taken(frame);
            if (frame.kind() == Frames.EXIT) {
                return heard.append("exit ").append(frame.intValue()).toString();
            }
            heard.append(new String(frame.payload(), StandardCharsets.UTF_8));
        }
        return heard.toString();
    }

    private boolean runs(String words) {
        return !sh("cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' ' | grep '"
                        + words
                        + "' || true")
                .isBlank();
    }

    /** It runs, and the agent has its number, which it learns a moment after the start. */
    private void awaitNoted(String words) throws InterruptedException {
        Path notes = folder.resolve("vcap/data/sys/run/berth/sessions");
        long give = System.nanoTime() + SOON.toNanos();
        while (!runs(words) || !Files.isDirectory(notes) || sh("ls " + notes).isBlank()) {
            assertThat(System.nanoTime()).as("%s runs and is noted", words).isLessThan(give);
            Thread.sleep(20);
        }
    }

    private void awaitGone(String words) throws InterruptedException {
        long give = System.nanoTime() + SOON.toNanos();
        while (runs(words)) {
            assertThat(System.nanoTime()).as("%s ends", words).isLessThan(give);
            Thread.sleep(50);
        }
    }

    @Test
    void aTerminalHasASizeFollowsItAndTakesKeys() throws Exception {
        StreamEnd end = open(true, "sh");
        say(end, "stty size; echo si''ze $TERM\n");
        assertThat(hear(end, "size vt100")).as("before anything is typed").contains("37 91");
        end.send(Frame.window(120, 40));
        say(end, "until [ \"$(stty size)\" = '40 120' ]; do sleep 0.05; done; echo new''size\n");
        assertThat(hear(end, "newsize")).contains("newsize");
        say(end, "sleep 4710\n");
        // A shell that has only just forked keeps the key for itself.
        awaitNoted("slee[p] 4710");
        say(end, "\u0003");
        say(end, "echo st''atus $?\n");
        assertThat(hear(end, "status 130")).as("ctrl-c is the program's").contains("status 130");
        say(end, "exit 7\n");
        assertThat(hear(end, "no such text")).endsWith("exit 7");
    }

    @Test
    void streamsStayApartAndNothingOfTheEndIsLost() throws Exception {
        StreamEnd end =
                open(false, "sh", "-c", "cat; echo oh >&2; head -c 300000 /dev/zero; exit 3");
        say(end, "in\u00e4");
        end.send(new Frame(Frames.INPUT_END));
        var output = new ByteArrayOutputStream();
        var errors = new ByteArrayOutputStream();
        int code = -1;
        while (code < 0) {
            Frame frame = Objects.requireNonNull(end.take(SOON));
            end.taken(frame);
            switch (frame.kind()) {
                case Frames.OUTPUT -> output.writeBytes(frame.payload());
                case Frames.ERRORS -> errors.writeBytes(frame.payload());
                default -> code = frame.intValue();
            }
        }
        assertThat(code).isEqualTo(3);
        assertThat(errors.toString(StandardCharsets.UTF_8)).isEqualTo("oh\n");
        assertThat(output.size())
                .isEqualTo("in\u00e4".getBytes(StandardCharsets.UTF_8).length + 300_000);
    }

    /** Every byte goes through, with no more under way than the window. */
    @Test
    void muchBinaryInputArrivesWhole() throws Exception {
        StreamEnd end = open(false, "sha256sum");
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        var random = new SplittableRandom(11);
        for (int i = 0; i < 1024; i++) {
            byte[] block = new byte[StreamEnd.LONGEST];
            random.nextBytes(block);
            digest.update(block);
            end.send(new Frame(Frames.INPUT, block));
        }
        end.send(new Frame(Frames.INPUT_END));
        assertThat(hear(end, "no such text"))
                .startsWith(HexFormat.of().formatHex(digest.digest()))
                .endsWith("exit 0");
    }

    @Test
    void whoGoesLeavesNothingRunning() throws Exception {
        StreamEnd end = open(true, "sh", "-c", "trap '' HUP; sleep 4711 & sleep 4711");
        awaitNoted("slee[p] 4711");
        end.close("the caller went away");
        awaitGone("slee[p] 4711");
    }

    @Test
    void anAgentsNextLifeEndsWhatItLeft() throws Exception {
        open(false, "sleep", "4712");
        awaitNoted("slee[p] 4712");
        sessions().endLeftOver();
        awaitGone("slee[p] 4712");
    }

    @Test
    void thereIsALimitAndABadCommandTellsWhy() throws Exception {
        var open = new ArrayList<StreamEnd>();
        for (int i = 0; i < ContainerSessions.MOST; i++) {
            open.add(open(false, "cat"));
        }
        assertThatThrownBy(() -> open(false, "cat")).hasMessageContaining("8 sessions are open");
        open.getFirst().send(new Frame(Frames.INPUT_END));
        assertThat(hear(open.getFirst(), "no such text")).isEqualTo("exit 0");
        StreamEnd bad = open(false, "/no/such/program");
        assertThat(hear(bad, "no such text")).contains("no such file").matches("(?s).*exit 12[67]");
    }
}
