package dev.berth.engine;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.InputStreamResponseListener;
import org.eclipse.jetty.client.OutputStreamRequestContent;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.io.Transport;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.jspecify.annotations.Nullable;

/**
 * HTTP over the engine's unix socket, sized for a process that must stay small: one selector, a
 * handful of threads that end when idle, pooled buffers with a ceiling. Callers block on their own
 * (virtual) threads and read and write bodies there, so no pool thread waits for anybody's stream.
 */
final class EngineHttp implements AutoCloseable {
    /** More than any answer that is not a stream; a longer one is refused, not buffered. */
    private static final int LONGEST_ANSWER = 32 * 1024 * 1024;

    private static final int POOLED_BYTES = 2 * 1024 * 1024;

    private final Path socket;
    private final HttpClient client;
    private final Transport transport;

    EngineHttp(Path socket) {
        this.socket = socket;
        this.transport = new Transport.TCPUnix(socket);
        this.client = client();
        try {
            client.start();
        } catch (Exception e) {
            throw new IllegalStateException("cannot start the HTTP client", e);
        }
    }

    private static HttpClient client() {
        var threads = new QueuedThreadPool(12, 1, 10_000);
        threads.setName("engine-http");
        threads.setDaemon(true);
        threads.setReservedThreads(0);
        var connector = new ClientConnector();
        connector.setSelectors(1);
        connector.setExecutor(threads);
        connector.setScheduler(new ScheduledExecutorScheduler("engine-http-timer", true, 1));
        connector.setByteBufferPool(
                new ArrayByteBufferPool(-1, 4096, 65536, 64, POOLED_BYTES, POOLED_BYTES));
        var client = new HttpClient(new HttpClientTransportOverHTTP(connector));
        client.setMaxConnectionsPerDestination(256);
        client.setConnectTimeout(5_000);
        client.setFollowRedirects(false);
        client.setRequestBufferSize(8192);
        client.setResponseBufferSize(32768);
        client.setUserAgentField(null);
        return client;
    }

    Path socket() {
        return socket;
    }

    /**
     * One call.
     *
     * @param limit for the whole call, body included
     * @param idle the longest silence; zero: as long as the limit
     */
    record Call(
            String method,
            String target,
            Map<String, String> headers,
            Duration limit,
            Duration idle) {
        static Call of(String method, String target, Duration limit) {
            return new Call(method, target, Map.of(), limit, Duration.ZERO);
        }

        Call header(String name, String value) {
            var more = new LinkedHashMap<>(headers);
            more.put(name, value);
            return new Call(method, target, more, limit, idle);
        }

        Call idle(Duration longest) {
            return new Call(method, target, headers, limit, longest);
        }

        String text() {
            int query = target.indexOf('?');
            return method + " " + (query < 0 ? target : target.substring(0, query));
        }
    }

    /** An answer whose body is still coming. */
    final class Streaming implements AutoCloseable {
        private final Call call;
        private final Request request;
        private final Response response;
        private final InputStream body;

        Streaming(Call call, Request request, Response response, InputStream body) {
            this.call = call;
            this.request = request;
            this.response = response;
            this.body = body;
        }

        int status() {
            return response.getStatus();
        }

        @Nullable String header(String name) {
            return response.getHeaders().get(name);
        }

        /** Reads fail with IOException when the limit passes or the engine goes away. */
        InputStream body() {
            return body;
        }

        byte[] whole() {
            try {
                byte[] bytes = body.readNBytes(LONGEST_ANSWER + 1);
                if (bytes.length > LONGEST_ANSWER) {
                    throw new EngineException(0, call.text() + ": the answer is too long");
                }
                return bytes;
            } catch (IOException e) {
                throw broken(call, e);
            }
        }

        /** Throws what the engine said when the status is a refusal. */
        Streaming orRefusal() {
            if (status() < 400) {
                return this;
            }
            try (this) {
                throw new EngineException(status(), words(whole(), status()));
            }
        }

        /** Hangs up: an unread body is not drained. */
        @Override
        public void close() {
            request.abort(new IOException("no longer read"));
            try {
                body.close();
            } catch (IOException e) {
                // Closing is how the stream is given up; nobody waits for it any more.
            }
        }
    }

    /** Sends a call without a body, or with a small one, and waits for the head of the answer. */
    Streaming open(Call call, byte @Nullable [] json) {
        Request request = request(call);
        if (json != null) {
            request.body(new BytesRequestContent("application/json", json));
        }
        var listener = new InputStreamResponseListener();
        request.send(listener);
        return await(call, request, listener);
    }

    /**
     * Sends a call whose body is copied from {@code source} on this thread, at the pace of the
     * engine.
     */
    Streaming upload(Call call, InputStream source) {
        Request request = request(call);
        var content = new OutputStreamRequestContent("application/x-tar");
        request.body(content);
        var listener = new InputStreamResponseListener();
        request.send(listener);
        try (OutputStream out = content.getOutputStream()) {
            copy(source, out);
        } catch (UploadSourceException e) {
            request.abort(e);
            throw new EngineException(
                    0, call.text() + ": cannot read what is to be sent: " + e.getMessage(), e);
        } catch (IOException e) {
            // The engine hung up early; if it said why, its answer is the better error.
            return await(
                    Call.of(call.method(), call.target(), Duration.ofSeconds(5)),
                    request,
                    listener);
        }
        return await(call, request, listener);
    }

    private static void copy(InputStream source, OutputStream out) throws IOException {
        byte[] buffer = new byte[65536];
        while (true) {
            int count;
            try {
                count = source.read(buffer);
            } catch (IOException e) {
                throw new UploadSourceException(e);
            }
            if (count < 0) {
                return;
            }
            out.write(buffer, 0, count);
        }
    }

    /** Tells a broken source from a broken connection. */
    private static final class UploadSourceException extends IOException {
        private static final long serialVersionUID = 1;

        UploadSourceException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private Request request(Call call) {
        Request request =
                client.newRequest("http://engine" + call.target())
                        .method(call.method())
                        .transport(transport)
                        .timeout(call.limit().toMillis(), TimeUnit.MILLISECONDS);
        if (call.idle().isPositive()) {
            request.idleTimeout(call.idle().toMillis(), TimeUnit.MILLISECONDS);
        }
        request.headers(headers -> call.headers().forEach(headers::put));
        return request;
    }

    private Streaming await(Call call, Request request, InputStreamResponseListener listener) {
        try {
            long millis = call.limit().isPositive() ? call.limit().toMillis() : 30_000;
            Response response = listener.get(millis, TimeUnit.MILLISECONDS);
            return new Streaming(call, request, response, listener.getInputStream());
        } catch (InterruptedException e) {
            request.abort(e);
            Thread.currentThread().interrupt();
            throw new EngineException(0, call.text() + ": interrupted", e);
        } catch (TimeoutException e) {
            request.abort(e);
            throw late(call, e);
        } catch (ExecutionException e) {
            throw broken(call, e.getCause() == null ? e : e.getCause());
        }
    }

    EngineException broken(Call call, Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof TimeoutException) {
                return late(call, cause);
            }
        }
        return new EngineException(
                0,
                "no answer from the Docker Engine at "
                        + socket
                        + " to "
                        + call.text()
                        + ": "
                        + (cause.getMessage() == null ? cause.toString() : cause.getMessage()),
                cause);
    }

    private EngineException late(Call call, Throwable cause) {
        return new EngineException(
                0,
                "the Docker Engine at "
                        + socket
                        + " did not finish "
                        + call.text()
                        + " within "
                        + call.limit().toSeconds()
                        + " s",
                cause);
    }

    /** The engine's own words in a refusal: {@code {"message": ...}}, or the text as it is. */
    private static String words(byte[] body, int status) {
        try {
            String message = Fields.of(Json.parse(body), "answer").optionalString("message");
            if (message != null) {
                return message;
            }
        } catch (IllegalArgumentException e) {
            // Not the engine's JSON: a proxy, or a very old error; its text is all there is.
        }
        String text = new String(body, StandardCharsets.UTF_8).strip();
        return text.isEmpty() ? "HTTP status " + status : text;
    }

    @Override
    public void close() {
        try {
            client.stop();
        } catch (Exception e) {
            throw new IllegalStateException("cannot stop the HTTP client", e);
        }
    }
}
