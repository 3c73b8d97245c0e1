package dev.berth.engine;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/1.1 over the engine's unix socket: as much of it as the Engine API uses, and one connection
 * a call. A connection costs microseconds here, and none kept means none found dead after the
 * engine restarted. Callers block on their own (virtual) threads; the only thread of its own is a
 * timer that hangs up on calls past their limit. Thread-safe.
 */
final class EngineHttp implements AutoCloseable {
    /** More than any answer that is not a stream; a longer one is refused, not buffered. */
    private static final int LONGEST_ANSWER = 32 * 1024 * 1024;

    private static final int CHUNK = 256 * 1024;

    private final Path socket;
    private final ScheduledThreadPoolExecutor timer;

    EngineHttp(Path socket) {
        this.socket = socket;
        timer =
                new ScheduledThreadPoolExecutor(
                        1,
                        task -> Thread.ofPlatform().daemon().name("engine-timer").unstarted(task));
        timer.setRemoveOnCancelPolicy(true);
    }

    /**
     * One call.
     *
     * @param limit for the whole call, body included; zero: none but for the head of the answer
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
        private final EngineConnection connection;
        private final HttpAnswer answer;

        Streaming(Call call, EngineConnection connection, HttpAnswer answer) {
            this.call = call;
            this.connection = connection;
            this.answer = answer;
        }

        int status() {
            return answer.status();
        }

        @Nullable String header(String lowerCaseName) {
            return answer.headers().get(lowerCaseName);
        }

        /** Reads fail with IOException when the limit passes or the engine goes away. */
        InputStream body() {
            return answer.body();
        }

        /** To the engine, once the connection belongs to a command. */
        void write(byte[] bytes) throws IOException {
            connection.write(bytes);
        }

        /** Nothing more is written; reading goes on. */
        void endOutput() throws IOException {
            connection.endOutput();
        }

        byte[] whole() {
            try {
                byte[] bytes = body().readNBytes(LONGEST_ANSWER + 1);
                if (bytes.length > LONGEST_ANSWER) {
                    throw new EngineException(0, call.text() + ": the answer is too long");
                }
                return bytes;
            } catch (IOException e) {
                throw broken(e);
            }
        }

        EngineException broken(IOException cause) {
            return EngineHttp.this.broken(call, connection, cause);
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
            connection.close();
        }
    }

    /** Sends a call without a body, or with a small one, and waits for the head of the answer. */
    Streaming open(Call call, byte @Nullable [] json) {
        EngineConnection connection = connect(call);
        try {
            if (json == null) {
                connection.write(
                        head(call, call.method().equals("POST") ? "Content-Length: 0\r\n" : ""));
            } else {
                connection.write(
                        head(
                                call,
                                "Content-Type: application/json\r\nContent-Length: "
                                        + json.length
                                        + "\r\n"));
                connection.write(json);
            }
            return answer(call, connection);
        } catch (IOException e) {
            connection.close();
            throw broken(call, connection, e);
        }
    }

    /**
     * Sends a call whose body is copied from {@code source} on this thread, at the pace of the
     * engine.
     */
    Streaming upload(Call call, InputStream source) {
        EngineConnection connection = connect(call);
        try {
            connection.write(
                    head(
                            call,
                            "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n"));
            try {
                copy(source, connection);
            } catch (UploadSourceException e) {
                throw e;
            } catch (IOException e) {
                // The engine hung up early. What it said before is still to be read and tells more.
                return answer(call, connection, e);
            }
            return answer(call, connection);
        } catch (UploadSourceException e) {
            connection.close();
            throw new EngineException(
                    0, call.text() + ": cannot read what is to be sent: " + e.getMessage(), e);
        } catch (IOException e) {
            connection.close();
            throw broken(call, connection, e);
        }
    }

    private static void copy(InputStream source, EngineConnection connection) throws IOException {
        byte[] buffer = new byte[CHUNK];
        while (true) {
            int count;
            try {
                count = source.read(buffer);
            } catch (IOException e) {
                throw new UploadSourceException(e);
            }
            if (count < 0) {
                connection.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                return;
            }
            if (count > 0) {
                connection.writeChunk(buffer, count);
            }
        }
    }

    /** Tells a broken source from a broken connection. */
    private static final class UploadSourceException extends IOException {
        private static final long serialVersionUID = 1;

        UploadSourceException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private EngineConnection connect(Call call) {
        EngineConnection connection = null;
        try {
            connection =
                    new EngineConnection(
                            SocketChannel.open(java.net.StandardProtocolFamily.UNIX), timer, call);
            connection.connect(UnixDomainSocketAddress.of(socket));
            return connection;
        } catch (IOException | java.util.concurrent.RejectedExecutionException e) {
            if (connection != null) {
                connection.close();
            }
            throw broken(call, connection, e);
        }
    }

    private static byte[] head(Call call, String framing) {
        var head = new StringBuilder(256);
        head.append(call.method()).append(' ').append(call.target()).append(" HTTP/1.1\r\n");
        head.append("Host: docker\r\nConnection: close\r\n").append(framing);
        call.headers()
                .forEach((name, value) ->
                        head.append(name).append(": ").append(value).append("\r\n"));
        return head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
    }

    private Streaming answer(Call call, EngineConnection connection) throws IOException {
        HttpAnswer answer = HttpAnswer.read(connection.input());
        connection.headReceived();
        return new Streaming(call, connection, answer);
    }

    private Streaming answer(Call call, EngineConnection connection, IOException first)
            throws IOException {
        try {
            return answer(call, connection);
        } catch (IOException second) {
            first.addSuppressed(second);
            throw first;
        }
    }

    private EngineException broken(
            Call call, @Nullable EngineConnection connection, Exception cause) {
        if (connection != null && connection.late()) {
            return new EngineException(
                    0,
                    "the Docker Engine at "
                            + socket
                            + " did not finish "
                            + call.text()
                            + " within "
                            + connection.limitText(),
                    cause);
        }
        String why =
                cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new EngineException(
                0,
                "no answer from the Docker Engine at " + socket + " to " + call.text() + ": " + why,
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

    /** Calls under way go on until their end or limit no longer watched; new ones fail. */
    @Override
    public void close() {
        timer.shutdownNow();
    }
}
