package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.bus.AgentStream;
import dev.berth.model.AgentId;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.wire.StreamEnd;
import dev.berth.wire.StreamFrame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A session over the real HTTPS side of a director, with an agent that a test plays. */
class ContainerSessionContractTest {
    private static final Instant CREATED = Instant.parse("2024-05-01T10:00:00Z");
    private static final InstanceId ID = new InstanceId("6e0c7b52-0000-4000-8000-000000000001");
    private static final String PATH = "/deployments/shop/instances/db/0/containers/pg/session";
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir Path home;
    private ApiFixture director;

    /** Whoever sends has gone on when it arrives. */
    private final ExecutorService bus = Executors.newSingleThreadExecutor();

    private final AtomicReference<@Nullable StreamEnd> agent = new AtomicReference<>();
    private final AtomicReference<@Nullable StreamEnd> directors = new AtomicReference<>();

    @BeforeEach
    void start() throws Exception {
        director = new ApiFixture(home);
        director.store.update(s -> {
            s.saveDeployment(
                    new Rows.Deployment(
                            "shop", "x", List.of(), List.of(), List.of(), Map.of(), CREATED));
            s.saveInstance(
                    new Rows.Instance(
                            ID, "shop", "db", 0, "z1", "started", true, false, true, Json.of(),
                            CREATED));
            s.saveVm(
                    new Rows.Vm(
                            new AgentId("a-1"),
                            new VmCid("vm-1"),
                            ID,
                            "",
                            Json.of(),
                            true,
                            true,
                            CREATED));
        });
        director.agents.streams =
                id -> {
                    UUID session = UUID.randomUUID();
                    agent.set(new StreamEnd(session, bytes -> deliver(directors.get(), bytes)));
                    directors.set(new StreamEnd(session, bytes -> deliver(agent.get(), bytes)));
                    return new AgentStream(
                            Objects.requireNonNull(directors.get()),
                            "director.p." + id + ".s",
                            () -> {});
                };
        director.agents.answers.put("open_session", arguments -> "open");
    }

    private boolean deliver(@Nullable StreamEnd to, byte[] bytes) {
        StreamEnd end = Objects.requireNonNull(to);
        bus.execute(() -> StreamFrame.parse(bytes).ifPresent(end::accept));
        return true;
    }

    @AfterEach
    void stop() {
        director.close();
        bus.shutdownNow();
    }

    /** A caller that speaks HTTP by hand: its body goes on while the answer comes. */
    private final class Caller implements AutoCloseable {
        private final SSLSocket socket;
        private final OutputStream out;
        private final InputStream in;
        private byte[] chunk = new byte[0];
        private int at;

        Caller(String user) throws IOException {
            socket = (SSLSocket) director.socket();
            socket.setSoTimeout((int) SOON.toMillis());
            out = socket.getOutputStream();
            in = socket.getInputStream();
            String credentials =
                    Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
            out.write(
                    ("POST "
                                    + PATH
                                    + " HTTP/1.1\r\nHost: d\r\nAuthorization: Basic "
                                    + credentials
                                    + "\r\nContent-Type: application/x-berth-session"
                                    + "\r\nTransfer-Encoding: chunked\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
        }

        void say(Frame frame) throws IOException {
            var bytes = new ByteArrayOutputStream();
            bytes.writeBytes(
                    (Integer.toHexString(frame.bytes().length) + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            bytes.writeBytes(frame.bytes());
            bytes.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
            out.write(bytes.toByteArray());
            out.flush();
        }

        void open(Map<String, Object> what) throws IOException {
            say(new Frame(Frames.OPEN, Json.write(what).getBytes(StandardCharsets.UTF_8)));
        }

        String line() throws IOException {
            var line = new StringBuilder();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) {
                    throw new IOException("the director hung up");
                }
                line.append((char) b);
            }
            return line.toString().strip();
        }

        int status() throws IOException {
            int status = Integer.parseInt(line().split(" ")[1]);
            while (!line().isEmpty()) {
                // headers
            }
            return status;
        }

        private int read() throws IOException {
            if (at == chunk.length) {
                String size = line();
                int length = Integer.parseInt(size.isEmpty() ? line() : size, 16);
                if (length == 0) {
                    return -1;
                }
                chunk = in.readNBytes(length);
                at = 0;
            }
            return chunk[at++] & 0xff;
        }

        /** The next that is more than a sign of life. */
        @Nullable Frame hear() throws IOException {
            Frame frame =
                    Frames.read(
                            new InputStream() {
                                @Override
                                public int read() throws IOException {
                                    return Caller.this.read();
                                }
                            });
            return frame != null && frame.kind() == Frames.ALIVE ? hear() : frame;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private Caller admin() throws IOException {
        return new Caller("admin:" + ApiFixture.PASSWORD);
    }

    private StreamEnd agent() {
        return Objects.requireNonNull(agent.get());
    }

    private static Frame frame(byte kind, String text) {
        return new Frame(kind, text.getBytes(StandardCharsets.UTF_8));
    }

    private Frame agentHears() throws Exception {
        Frame frame = Objects.requireNonNull(agent().take(SOON));
        agent().taken(frame);
        return frame;
    }

    @Test
    void bothSidesSpeakAtOnceAndTheExitCodeComesLast() throws Exception {
        try (Caller caller = admin()) {
            caller.open(
                    Json.of(
                            "command",
                            List.of("psql", "--password=hush-hush"),
                            "tty",
                            true,
                            "stdin",
                            true,
                            "term",
                            "xterm",
                            "columns",
                            80,
                            "rows",
                            24));
            assertThat(caller.status()).isEqualTo(200);
            assertThat(caller.hear()).isEqualTo(new Frame(Frames.STARTED));
            caller.say(frame(Frames.INPUT, "select 1\0\u00ff"));
            assertThat(agentHears()).isEqualTo(frame(Frames.INPUT, "select 1\0\u00ff"));
            agent().send(frame(Frames.OUTPUT, "one"));
            assertThat(caller.hear()).isEqualTo(frame(Frames.OUTPUT, "one"));
            caller.say(Frame.window(91, 37));
            Frame window = agentHears();
            assertThat(window.columns()).isEqualTo(91);
            assertThat(window.rows()).isEqualTo(37);
            caller.say(new Frame(Frames.INPUT_END));
            assertThat(agentHears()).isEqualTo(new Frame(Frames.INPUT_END));
            agent().send(frame(Frames.ERRORS, "oh"));
            agent().send(Frame.ofInt(Frames.EXIT, 3));
            assertThat(caller.hear()).isEqualTo(frame(Frames.ERRORS, "oh"));
            assertThat(caller.hear()).isEqualTo(Frame.ofInt(Frames.EXIT, 3));
            caller.out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(caller.hear()).isNull();
        }
        assertThat(director.agents.asked.toString())
                .contains("open_session", "pg", "columns=80", "director.p.a-1.s");
        String events = director.cli.as("admin:" + ApiFixture.PASSWORD).get("/events").text();
        assertThat(events).contains("\"action\":\"session\"", "psql").doesNotContain("hush-hush");
    }

    /** A large block goes on in pieces that the bus carries. */
    @Test
    void largeInputIsCutIntoPieces() throws Exception {
        try (Caller caller = admin()) {
            caller.open(Json.of("command", List.of("cat"), "stdin", true));
            assertThat(caller.status()).isEqualTo(200);
            byte[] large = new byte[200_000];
            new java.util.SplittableRandom(7).nextBytes(large);
            caller.say(new Frame(Frames.INPUT, large));
            var got = new ByteArrayOutputStream();
            while (got.size() < large.length) {
                Frame piece = agentHears();
                assertThat(piece.payload().length).isLessThanOrEqualTo(StreamEnd.LONGEST);
                got.writeBytes(piece.payload());
            }
            assertThat(got.toByteArray()).isEqualTo(large);
        }
    }

    @Test
    void aCallerThatGoesEndsTheSession() throws Exception {
        try (Caller caller = admin()) {
            caller.open(Json.of("command", List.of("sh"), "stdin", true));
            assertThat(caller.status()).isEqualTo(200);
        }
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> agent().take(SOON))
                .hasMessageContaining("caller");
    }

    @Test
    void anAgentThatGoesEndsTheSessionInWords() throws Exception {
        try (Caller caller = admin()) {
            caller.open(Json.of("command", List.of("sh")));
            assertThat(caller.status()).isEqualTo(200);
            assertThat(caller.hear()).isEqualTo(new Frame(Frames.STARTED));
            agent().send(frame(Frames.OUTPUT, "last words"));
            agent().close("the agent of the VM stops");
            assertThat(caller.hear()).isEqualTo(frame(Frames.OUTPUT, "last words"));
            assertThat(caller.hear()).isEqualTo(frame(Frames.FAILURE, "the agent of the VM stops"));
        }
    }

    @Test
    void whatCannotBeginIsRefusedWithoutWaitingForTheRestOfTheBody() throws Exception {
        try (Caller caller = new Caller("reader:r")) {
            caller.open(Json.of("command", List.of("sh")));
            assertThat(caller.status()).isEqualTo(401);
        }
        try (Caller caller = admin()) {
            caller.open(Json.of("command", List.of()));
            assertThat(caller.status()).isEqualTo(400);
        }
        try (Caller caller = admin()) {
            caller.say(frame(Frames.INPUT, "too early"));
            assertThat(caller.status()).isEqualTo(400);
        }
        director.agents.answers.put(
                "open_session",
                arguments -> {
                    throw new dev.berth.bus.AgentException(
                            dev.berth.bus.AgentException.Kind.FAILED,
                            "8 sessions are open in this VM already");
                });
        try (Caller caller = admin()) {
            caller.open(Json.of("command", List.of("sh")));
            assertThat(caller.status()).isEqualTo(400);
        }
    }
}
