package dev.berth.bus;

import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.model.AgentId;
import dev.berth.model.Json;
import dev.berth.wire.AgentReply;
import dev.berth.wire.AgentRequest;
import dev.berth.wire.AgentSettings;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An agent as the bus sees it: answers what it was taught, runs tasks that tests end, publishes
 * events. Unknown methods get the stock agent's answer.
 */
final class TestAgent implements AutoCloseable {
    final AgentId id;

    /** Requests as they came, in order. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    /** What the server complained about. */
    final List<String> errors = new CopyOnWriteArrayList<>();

    private final Map<String, Function<List<Object>, AgentReply>> methods =
            new ConcurrentHashMap<>();
    private final Map<String, Optional<AgentReply>> tasks = new ConcurrentHashMap<>();
    private final AtomicInteger repliesToLose = new AtomicInteger();
    private final Connection connection;
    final Cable cable;

    private TestAgent(AgentId id, AgentSettings.Certificate certificate, int port)
            throws Exception {
        this.id = id;
        answer("ping", arguments -> new AgentReply.Value("pong"));
        answer("get_task", arguments -> task(String.valueOf(arguments.getFirst())));
        this.cable = new Cable(port);
        try {
            this.connection = Nats.connect(options(certificate, cable.port()));
        } catch (java.io.IOException e) {
            cable.close();
            throw e;
        }
        connection.createDispatcher(this::request).subscribe("agent." + id);
        connection.flush(Duration.ofSeconds(5));
    }

    static TestAgent connect(AgentId id, AgentSettings.Certificate certificate, int port)
            throws Exception {
        return new TestAgent(id, certificate, port);
    }

    private Options options(AgentSettings.Certificate certificate, int port) {
        Pair own = new Pair(certificate.certificate(), certificate.privateKey());
        return new Options.Builder()
                .server("nats://127.0.0.1:" + port)
                .sslContext(Pki.tls(certificate.ca(), own))
                .maxReconnects(-1)
                .reconnectWait(Duration.ofMillis(50))
                .reconnectJitterTls(Duration.ofMillis(10))
                .errorListener(
                        new ErrorListener() {
                            @Override
                            public void errorOccurred(Connection connection, String error) {
                                errors.add(error);
                            }
                        })
                .build();
    }

    /** Teaches a method. */
    void answer(String method, Function<List<Object>, AgentReply> answer) {
        methods.put(method, answer);
    }

    /** Teaches a method that becomes a task, which runs until {@link #finish}. */
    void startTask(String method, String task) {
        answer(
                method,
                arguments -> {
                    tasks.putIfAbsent(task, Optional.empty());
                    return new AgentReply.Running(task);
                });
    }

    void finish(String task, AgentReply reply) {
        tasks.put(task, Optional.of(reply));
    }

    private AgentReply task(String task) {
        Optional<AgentReply> state = tasks.get(task);
        if (state == null) {
            return new AgentReply.Failure(
                    "Action Failed get_task: Task with id " + task + " could not be found");
        }
        return state.orElseGet(() -> new AgentReply.Running(task));
    }

    private void request(Message message) {
        String text = new String(message.getData(), StandardCharsets.UTF_8);
        requests.add(text);
        AgentRequest request = AgentRequest.fromTree(Json.object(text));
        var method = methods.get(request.method());
        AgentReply reply =
                method == null
                        ? new AgentReply.Failure("unknown message " + request.method())
                        : method.apply(request.arguments());
        if (repliesToLose.getAndUpdate(n -> Math.max(0, n - 1)) == 0) {
            publish(request.replyTo(), Json.write(reply.toTree()));
        }
    }

    /** The next so many replies never arrive. */
    void loseReplies(int count) {
        repliesToLose.set(count);
    }

    void publish(String subject, String text) {
        connection.publish(subject, text.getBytes(StandardCharsets.UTF_8));
    }

    void tellMonitor(String topic, @Nullable Object tree) {
        publish("hm.agent." + topic + "." + id, Json.write(tree));
    }

    /** Subscribes; what arrives goes to the list. */
    List<String> listen(String subject) {
        var heard = new CopyOnWriteArrayList<String>();
        connection.createDispatcher(message -> heard.add(message.getSubject())).subscribe(subject);
        return heard;
    }

    void flush() throws Exception {
        connection.flush(Duration.ofSeconds(5));
    }

    boolean isConnected() {
        return connection.getStatus() == Connection.Status.CONNECTED;
    }

    long countOf(String method) {
        return requests.stream().filter(r -> r.contains("\"" + method + "\"")).count();
    }

    /**
     * Cuts the socket at once, as a VM that goes away does; the client's own end is left behind.
     */
    @Override
    public void close() throws Exception {
        cable.close();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        connection.close();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }
}
