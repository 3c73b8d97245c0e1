package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * Speaks HTTP byte for byte as the stock CLI does: a new connection per request, its headers, its
 * repeat after 401, its redirects as GET without other headers, its polling with ranges.
 */
final class StockCli {
    private static final Set<Integer> ACCEPTED = Set.of(200, 201, 204, 206);
    private static final Set<String> FINAL = Set.of("done", "error", "cancelled", "timeout");

    private final SSLContext tls;
    private final int port;
    private final @Nullable String credentials;

    StockCli(SSLContext tls, int port, @Nullable String credentials) {
        this.tls = tls;
        this.port = port;
        this.credentials = credentials;
    }

    /** What a TLS 1.2 handshake agrees on with the only suites the CLI offers there. */
    String suiteUnderTls12() throws IOException {
        try (var socket = (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            socket.setEnabledCipherSuites(
                    new String[] {
                        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
                    });
            socket.startHandshake();
            return socket.getSession().getCipherSuite();
        }
    }

    StockCli as(@Nullable String credentials) {
        return new StockCli(tls, port, credentials);
    }

    record Answer(int status, Map<String, String> headers, byte[] body) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        Object json() {
            return java.util.Objects.requireNonNull(Json.parse(text()));
        }

        Fields object() {
            return Fields.of(json(), "answer");
        }

        List<Object> array() {
            return Json.asList(json());
        }

        String header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        }

        boolean accepted() {
            return ACCEPTED.contains(status);
        }
    }

    /** A tracked task, as a command sees it when it is over. */
    record Tracked(
            long id, String state, Fields task, List<Map<String, Object>> events, String result) {}

    Answer get(String path) throws IOException {
        return send("GET", path, null, null, Map.of());
    }

    Answer delete(String path) throws IOException {
        return send("DELETE", path, null, null, Map.of());
    }

    Answer yaml(String method, String path, String body) throws IOException {
        return send(method, path, "text/yaml", body.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    Answer json(String method, String path, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return send(method, path, "application/json", bytes, Map.of());
    }

    Answer upload(String path, byte[] body) throws IOException {
        return send("POST", path, "application/x-compressed", body, Map.of());
    }

    /** With the repeat after 401 (an upload's repeat is empty) and without following redirects. */
    Answer send(
            String method,
            String path,
            @Nullable String type,
            byte @Nullable [] body,
            Map<String, String> more)
            throws IOException {
        Answer answer = once(method, path, type, body, more);
        if (answer.status() != 401) {
            return answer;
        }
        byte[] again = "application/x-compressed".equals(type) ? new byte[0] : body;
        return once(method, path, type, again, more);
    }

    Answer once(
            String method,
            String path,
            @Nullable String type,
            byte @Nullable [] body,
            Map<String, String> more)
            throws IOException {
        var head = new StringBuilder(method + " " + path + " HTTP/1.1\r\n");
        head.append("Host: 127.0.0.1:").append(port).append("\r\n");
        head.append("User-Agent: Go-http-client/1.1\r\nConnection: close\r\n");
        if (credentials != null) {
            String pair =
                    Base64.getEncoder()
                            .encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
            head.append("Authorization: Basic ").append(pair).append("\r\n");
        }
        if (body != null || method.equals("POST") || method.equals("PUT")) {
            head.append("Content-Length: ").append(body == null ? 0 : body.length).append("\r\n");
        }
        if (type != null) {
            head.append("Content-Type: ").append(type).append("\r\n");
        }
        if (!more.containsKey("Range")) {
            head.append("Accept-Encoding: gzip\r\n");
        }
        more.forEach((k, v) -> head.append(k).append(": ").append(v).append("\r\n"));
        head.append("\r\n");
        try (var socket = (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setSoTimeout(20_000);
            OutputStream out = socket.getOutputStream();
            out.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
            if (body != null) {
                out.write(body);
            }
            out.flush();
            return read(new BufferedInputStream(socket.getInputStream()), method);
        }
    }

    private static Answer read(InputStream in, String method) throws IOException {
        String statusLine = line(in);
        if (!statusLine.startsWith("HTTP/1.1 ")) {
            throw new IOException("no HTTP/1.1 answer: " + statusLine);
        }
        int status = Integer.parseInt(statusLine.substring(9, 12));
        var headers = new LinkedHashMap<String, String>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        byte[] body = in.readAllBytes();
        String length = headers.get("content-length");
        if (length != null && !method.equals("HEAD") && body.length != Integer.parseInt(length)) {
            throw new IOException("unexpected EOF: " + body.length + " of " + length + " bytes");
        }
        if ("gzip".equals(headers.get("content-encoding"))) {
            body = new GZIPInputStream(new java.io.ByteArrayInputStream(body)).readAllBytes();
        }
        return new Answer(status, headers, body);
    }

    private static String line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("EOF before the end of the headers");
            }
            if (c != '\r') {
                line.write(c);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Follows the redirect of a mutating request and polls the task until it is over. */
    Tracked track(Answer redirect) throws IOException, InterruptedException {
        if (redirect.status() != 302) {
            throw new AssertionError("no task: " + redirect.status() + " " + redirect.text());
        }
        String location = redirect.header("location");
        if (!location.startsWith("/tasks/")) {
            throw new AssertionError("not a relative location: " + location);
        }
        long id = accepted(get(location)).object().integer("id");
        return track(id);
    }

    Tracked track(long id) throws IOException, InterruptedException {
        var seen = new ByteArrayOutputStream();
        while (true) {
            Fields task = accepted(get("/tasks/" + id)).object();
            poll(id, seen);
            if (FINAL.contains(task.string("state"))) {
                var events =
                        seen.toString(StandardCharsets.UTF_8).lines().map(Json::object).toList();
                Answer result = accepted(get("/tasks/" + id + "/output?type=result"));
                return new Tracked(id, task.string("state"), task, events, result.text());
            }
            Thread.sleep(10);
        }
    }

    private void poll(long id, ByteArrayOutputStream seen) throws IOException {
        Answer answer =
                send(
                        "GET",
                        "/tasks/" + id + "/output?type=event",
                        null,
                        null,
                        Map.of("Range", "bytes=" + seen.size() + "-"));
        if (answer.status() == 206) {
            String wanted = "bytes " + seen.size() + "-";
            if (!answer.header("content-range").startsWith(wanted)) {
                throw new AssertionError("wrong range: " + answer.headers());
            }
            seen.write(answer.body());
        } else if (answer.status() != 416 && answer.status() != 204) {
            throw new AssertionError("polling: " + answer.status() + " " + answer.text());
        }
    }

    private static Answer accepted(Answer answer) {
        if (!answer.accepted()) {
            throw new AssertionError(answer.status() + " " + answer.text());
        }
        return answer;
    }
}
