package dev.berth.acceptance.fleet;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentReply;
import dev.berth.wire.AgentRequest;
import dev.berth.wire.AgentState;
import dev.berth.wire.Heartbeat;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * One made-up agent: on the bus by TLS with its own certificate as a real one, beating as often and
 * saying as much, coming back with the same pauses. What it is asked for it says to have done. It
 * speaks the bus's protocol itself: ten thousand of the client library's connections would need
 * tens of thousands of timers and buffers. Thread-safe.
 */
final class FleetAgent {
    private static final int CONNECT_MILLIS = 2_000; // as the real agent, and so is the next
    private static final int LONGEST_CONNECT_MILLIS = 20_000;
    private static final int FIRST_PAUSE_MILLIS = 250;
    private static final int LONGEST_PAUSE_MILLIS = 3_000;
    private static final int LINE = 64 * 1024;

    /** The bus, and what all agents say alike. */
    record World(int port, Duration period, Clock clock, Runnable refused) {}

    private final AgentId id;
    private final SSLContext tls;
    private final World world;
    private final ReentrantLock writing = new ReentrantLock();
    private volatile @Nullable Socket socket;
    private @Nullable OutputStream out;
    private volatile boolean connected;
    private volatile boolean ended;
    private volatile boolean mute;
    private volatile String state = "running";
    private volatile String hash;
    private volatile String deployment = "fleet";

    FleetAgent(AgentId id, SSLContext tls, World world, String hash) {
        this.id = id;
        this.tls = tls;
        this.world = world;
        this.hash = hash;
    }

    void start() {
        Thread.ofVirtual().name("agent").start(this::live);
        Thread.ofVirtual().name("heart").start(this::beatOnAndOn);
    }

    boolean isConnected() {
        return connected;
    }

    /** The VM is gone: its kernel closes the connection. */
    void end() {
        ended = true;
        close();
    }

    /** It hangs: what it is connected with stays, and nobody hears of it. */
    void mute(boolean on) {
        mute = on;
    }

    /** Says at once that it is in that state; returns when that began to be sent. */
    Instant turn(String to) {
        state = to;
        Instant at = world.clock.instant();
        beat();
        return at;
    }

    // --- the connection

    private void live() {
        int refusals = 0;
        while (!ended) {
            try (Socket plain = new Socket()) {
                socket = plain;
                InputStream in = connect(plain, refusals);
                refusals = 0;
                beat();
                read(in);
            } catch (IOException e) {
                if (!connected) {
                    world.refused.run();
                }
            }
            boolean was = connected;
            connected = false;
            if (!was && !pause(FIRST_PAUSE_MILLIS << Math.min(refusals++, 8))) {
                return;
            }
        }
    }

    private static boolean pause(int millis) {
        try {
            // Up to a quarter apart, as the real ones.
            int limited = Math.min(millis, LONGEST_PAUSE_MILLIS);
            Thread.sleep(limited - ThreadLocalRandom.current().nextInt(limited / 4 + 1));
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private InputStream connect(Socket plain, int refusals) throws IOException {
        int limit = Math.min(LONGEST_CONNECT_MILLIS, CONNECT_MILLIS << Math.min(refusals, 4));
        plain.setTcpNoDelay(true);
        plain.connect(new InetSocketAddress("127.0.0.1", world.port), limit);
        plain.setSoTimeout(limit);
        if (!line(plain.getInputStream()).startsWith("INFO ")) {
            throw new IOException("no bus");
        }
        Socket secure = tls.getSocketFactory().createSocket(plain, "127.0.0.1", world.port, true);
        InputStream in = secure.getInputStream();
        OutputStream to = secure.getOutputStream();
        String hello =
                "CONNECT {\"lang\":\"java\",\"version\":\"2\",\"protocol\":1,\"verbose\":false,"
                        + "\"pedantic\":false,\"tls_required\":true,\"name\":\"agent "
                        + id
                        + "\"}\r\nSUB agent."
                        + id
                        + " 1\r\nPING\r\n";
        to.write(hello.getBytes(StandardCharsets.US_ASCII));
        to.flush();
        for (String said = line(in); !said.equals("PONG"); said = line(in)) {
            if (said.startsWith("-ERR")) {
                throw new IOException(said);
            }
        }
        plain.setSoTimeout(0);
        writing.lock();
        try {
            out = to;
        } finally {
            writing.unlock();
        }
        connected = true;
        return in;
    }

    private void read(InputStream in) throws IOException {
        while (true) {
            String said = line(in);
            if (said.equals("PING")) {
                send("PONG\r\n".getBytes(StandardCharsets.US_ASCII));
            } else if (said.startsWith("MSG ")) {
                int length = Integer.parseInt(said.substring(said.lastIndexOf(' ') + 1));
                byte[] message = in.readNBytes(length);
                in.skipNBytes(2);
                asked(message);
            } else if (said.startsWith("-ERR")) {
                throw new IOException(said);
            }
        }
    }

    private static String line(InputStream in) throws IOException {
        var text = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0 || text.length() > LINE) {
                throw new IOException("the bus is gone");
            }
            if (c != '\r') {
                text.append((char) c);
            }
        }
        return text.toString();
    }

    private void publish(String subject, byte[] payload) {
        byte[] head =
                ("PUB " + subject + " " + payload.length + "\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
        var all = new byte[head.length + payload.length + 2];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(payload, 0, all, head.length, payload.length);
        all[all.length - 2] = '\r';
        all[all.length - 1] = '\n';
        send(all);
    }

    private void send(byte[] bytes) {
        writing.lock();
        try {
            if (out != null && connected) {
                out.write(bytes);
                out.flush();
            }
        } catch (IOException e) {
            close(); // the reader finds it out
        } finally {
            writing.unlock();
        }
    }

    private void close() {
        Socket now = socket;
        if (now != null) {
            try {
                now.close();
            } catch (IOException e) {
                // It was closed already.
            }
        }
    }

    // --- what it says

    private void beatOnAndOn() {
        try {
            Thread.sleep(ThreadLocalRandom.current().nextLong(world.period.toMillis()));
            while (!ended) {
                if (connected && !mute) {
                    beat();
                    send("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                }
                Thread.sleep(world.period);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void beat() {
        if (!mute) {
            publish(
                    "hm.agent.heartbeat." + id,
                    Json.write(heartbeat()).getBytes(StandardCharsets.UTF_8));
        }
    }

    private Map<String, Object> heartbeat() {
        var tree =
                Heartbeat.write(
                        deployment,
                        "node",
                        0,
                        state,
                        vitals(),
                        id.value(),
                        3,
                        containers().stream()
                                .map(c -> Json.of("name", c.get("name"), "state", state))
                                .toList(),
                        containers(),
                        List.of());
        tree.put("configuration_hash", hash);
        return tree;
    }

    private static Map<String, Object> vitals() {
        Map<String, Object> disk = Json.of("inode_percent", "3", "percent", "41");
        return Json.of(
                "cpu",
                Json.of("sys", "0.4", "user", "1.7", "wait", "0.1"),
                "disk",
                Json.of("system", disk, "ephemeral", disk, "persistent", disk),
                "load",
                List.of("0.11", "0.09", "0.05"),
                "mem",
                Json.of("kb", "412345", "percent", "40"),
                "swap",
                Json.of("kb", "0", "percent", "0"),
                "uptime",
                Json.of("secs", 86400));
    }

    private List<Map<String, Object>> containers() {
        return List.of(container("store"), container("writer"), container("metrics"));
    }

    private static Map<String, Object> container(String name) {
        String digest = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9";
        return new AgentState.ContainerState(
                        name,
                        "registry.berth:5000/made/" + name + ":1",
                        "sha256:" + digest,
                        "up",
                        "healthy",
                        digest,
                        digest,
                        1_700_000_000_000L,
                        0,
                        null,
                        false,
                        "",
                        "",
                        0)
                .toTree();
    }

    // --- what it is asked

    private void asked(byte[] message) {
        if (mute) {
            return;
        }
        AgentRequest request = AgentRequest.fromTree(Json.object(message));
        var reply = new AgentReply.Value(answer(request));
        publish(request.replyTo(), Json.write(reply.toTree()).getBytes(StandardCharsets.UTF_8));
    }

    private Object answer(AgentRequest request) {
        return switch (request.method()) {
            case "ping" -> "pong";
            case "get_state" -> stateTree();
            case "apply" -> apply(Json.asObject(request.arguments().getFirst()));
            case "start" -> {
                turn("running");
                yield "started";
            }
            case "drain" -> 0L;
            case "run_script", "list_disk" -> Map.of();
            default -> "done";
        };
    }

    private Object apply(Map<String, Object> spec) {
        Fields said = Fields.of(spec, "spec");
        deployment = said.string("deployment", deployment);
        hash = said.string("configuration_hash", "");
        return "applied";
    }

    private Map<String, Object> stateTree() {
        Map<String, Object> tree = heartbeat();
        tree.put("agent_id", id.value());
        tree.put("id", id.value());
        tree.put("job", Json.of("name", "node"));
        return tree;
    }

    /** For the log of this process: times of two processes of one machine are compared. */
    static long micros(Instant at) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, at);
    }
}
