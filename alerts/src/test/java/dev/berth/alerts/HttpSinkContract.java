package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Sinks that post JSON, with a real server. */
abstract class HttpSinkContract extends SinkContract {
    /** What a request was. */
    record Request(String path, String authorization, String idempotencyKey, String body) {
        Fields json() {
            return Fields.of(Json.parse(body), "body");
        }
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();
    volatile int status = 202;
    private @Nullable HttpServer server;
    private int port;

    @Override
    void serve() throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext(
                "/",
                exchange -> {
                    String body =
                            new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8);
                    if (status < 400) {
                        requests.add(
                                new Request(
                                        String.valueOf(exchange.getRequestURI()),
                                        String.valueOf(
                                                exchange.getRequestHeaders()
                                                        .getFirst("Authorization")),
                                        String.valueOf(
                                                exchange.getRequestHeaders()
                                                        .getFirst("Idempotency-Key")),
                                        body));
                    }
                    // Some repeat what they were given: also secrets.
                    byte[] answer =
                            (status + " for " + exchange.getRequestURI() + " " + body)
                                    .getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(status, answer.length);
                    exchange.getResponseBody().write(answer);
                    exchange.close();
                });
        http.start();
        server = http;
        port = http.getAddress().getPort();
    }

    @Override
    void away() {
        if (server != null) {
            server.stop(0);
            server = null;
        }
    }

    final URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    @Override
    List<String> arrived() {
        return requests.stream().map(Request::toString).toList();
    }

    @Test
    void whoeverRefusesAKeyIsAwayAndWhoeverRefusesOneNoticeIsNot() throws Exception {
        serve();
        Sink sink = sink();
        status = 401;
        assertAway(sink, "HTTP 401", "the key or token is refused");
        status = 503;
        assertAway(sink, "HTTP 503");
        status = 400;
        assertThatThrownBy(() -> sink.deliver(List.of(Notices.test())))
                .isInstanceOfSatisfying(
                        SinkException.class,
                        e -> assertThat(e.kind()).isEqualTo(SinkException.Kind.REFUSED))
                .hasMessageContaining("HTTP 400");
    }

    @Test
    void noSecretIsInWhatIsSaid() throws Exception {
        serve();
        Sink sink = sink();
        status = 500;
        assertThatThrownBy(() -> sink.deliver(List.of(Notices.test())))
                .hasMessageContaining("HTTP 500")
                .hasMessageNotContaining("planted");
        status = 200;
        assertThat(sink.deliver(List.of(Notices.test()))).contains("200").doesNotContain("planted");
    }
}
