package dev.berth.agent;

import dev.berth.model.Json;
import dev.berth.wire.AgentRequest;
import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A director and a health monitor, as far as the bus can tell. */
final class DirectorSide implements AutoCloseable {
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final Map<String, BlockingQueue<String>> replies = new ConcurrentHashMap<>();
    private final Connection connection;
    private final String agent;
    int protocol = AgentRequest.PROTOCOL;

    DirectorSide(String url, String agent, @Nullable SSLContext tls) throws Exception {
        this.agent = agent;
        var options =
                new Options.Builder()
                        .server(url)
                        .maxReconnects(-1)
                        .reconnectWait(Duration.ofMillis(20));
        if (tls != null) {
            options.sslContext(tls);
        }
        connection = Nats.connect(options.build());
        connection
                .createDispatcher(message -> {
                    String[] tokens = message.getSubject().split("\\.");
                    replies.computeIfAbsent(tokens[3], x -> new LinkedBlockingQueue<>())
                            .add(text(message.getData()));
                })
                .subscribe("director.p1.>");
        connection
                .createDispatcher(message ->
                        events.add(
                                message.getSubject().split("\\.")[2]
                                        + " "
                                        + text(message.getData())))
                .subscribe("hm.agent.*.*");
        connection.flush(Duration.ofSeconds(5));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }

    /** The raw reply, as it went over the wire. */
    String raw(String method, Object... arguments) throws Exception {
        String reply = rawWithin(Duration.ofSeconds(10), method, arguments);
        if (reply == null) {
            throw new AssertionError("no reply to " + method);
        }
        return reply;
    }

    @Nullable String rawWithin(Duration limit, String method, Object... arguments)
            throws Exception {
        String id = UUID.randomUUID().toString();
        var queue = replies.computeIfAbsent(id, x -> new LinkedBlockingQueue<>());
        var request =
                new AgentRequest(
                        protocol, method, List.of(arguments), "director.p1." + agent + "." + id);
        publish(Json.write(request.toTree()));
        return queue.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    void publish(String message) {
        connection.publish(
                "agent." + agent, message.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /** The raw last answer of a background call. */
    String call(String method, Object... arguments) throws Exception {
        return poll(taskId(raw(method, arguments)));
    }

    String poll(String id) throws Exception {
        while (true) {
            String answer = raw("get_task", id);
            if (!answer.contains("\"state\":\"running\"")) {
                return answer;
            }
            Thread.onSpinWait();
        }
    }

    static String taskId(String reply) {
        if (!reply.contains("agent_task_id")) {
            throw new AssertionError("not a running call: " + reply);
        }
        Map<String, Object> value = Json.asObject(Json.object(reply).get("value"));
        if (!"running".equals(value.get("state")) || value.size() != 2) {
            throw new AssertionError("not a running call: " + reply);
        }
        return String.valueOf(value.get("agent_task_id"));
    }

    /** The next event of a topic. */
    Map<String, Object> next(String topic) throws Exception {
        while (true) {
            String event = events.poll(10, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no " + topic);
            }
            if (event.startsWith(topic + " ")) {
                return Json.object(event.substring(topic.length() + 1));
            }
        }
    }

    @Override
    public void close() throws Exception {
        connection.close();
    }
}
