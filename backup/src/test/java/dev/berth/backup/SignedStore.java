package dev.berth.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * As much of an object store as backups use, strict about signatures (version 4): objects appear
 * with the end of their upload.
 */
final class SignedStore implements AutoCloseable {
    private final String access;
    private final String secret;
    private final HttpServer server;
    private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
    private final Map<String, TreeMap<Integer, byte[]>> uploads = new ConcurrentHashMap<>();
    private final Map<String, String> keys = new ConcurrentHashMap<>();

    SignedStore(String access, String secret) {
        this.access = access;
        this.secret = secret;
        try {
            server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    Set<String> objects() {
        return objects.keySet();
    }

    Set<String> uploads() {
        return uploads.keySet();
    }

    private static Map<String, String> query(HttpExchange call) {
        var query = new TreeMap<String, String>();
        String raw = call.getRequestURI().getRawQuery();
        for (String pair : raw == null ? new String[0] : raw.split("&")) {
            int equals = pair.indexOf('=');
            query.put(
                    equals < 0 ? pair : pair.substring(0, equals),
                    equals < 0 ? "" : pair.substring(equals + 1));
        }
        return query;
    }

    private void handle(HttpExchange call) throws IOException {
        byte[] body = call.getRequestBody().readAllBytes();
        Map<String, String> query = query(call);
        try (call) {
            if (!isSigned(call, query, body)) {
                answer(
                        call,
                        403,
                        "<Error><Code>SignatureDoesNotMatch</Code></Error>".getBytes(UTF_8));
                return;
            }
            String key = call.getRequestURI().getPath();
            switch (call.getRequestMethod()) {
                case "POST" -> post(call, key, query);
                case "PUT" -> {
                    parts(query).put(Integer.parseInt(query.get("partNumber")), body);
                    call.getResponseHeaders().set("ETag", "\"" + body.length + "\"");
                    answer(call, 200, new byte[0]);
                }
                case "DELETE" -> {
                    if (query.containsKey("uploadId")) {
                        uploads.remove(upload(query));
                    } else {
                        objects.remove(key);
                    }
                    answer(call, 204, new byte[0]);
                }
                default -> get(call, key, query);
            }
        }
    }

    private static String upload(Map<String, String> query) {
        return URLDecoder.decode(query.getOrDefault("uploadId", ""), UTF_8);
    }

    private TreeMap<Integer, byte[]> parts(Map<String, String> query) {
        return uploads.getOrDefault(upload(query), new TreeMap<>());
    }

    private void post(HttpExchange call, String key, Map<String, String> query) throws IOException {
        if (query.containsKey("uploads")) {
            String id = "upload-" + uploads.size() + "-" + key.hashCode();
            uploads.put(id, new TreeMap<>());
            keys.put(id, key);
            answer(
                    call,
                    200,
                    ("<InitiateMultipartUploadResult><UploadId>"
                                    + id
                                    + "</UploadId></InitiateMultipartUploadResult>")
                            .getBytes(UTF_8));
            return;
        }
        var whole = new ByteArrayOutputStream();
        for (byte[] part : parts(query).values()) {
            whole.write(part);
        }
        objects.put(key, whole.toByteArray());
        uploads.remove(upload(query));
        answer(
                call,
                200,
                "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
                        .getBytes(UTF_8));
    }

    private void get(HttpExchange call, String key, Map<String, String> query) throws IOException {
        if (query.containsKey("uploads")) {
            String bucket = key.replaceAll("/$", "") + "/";
            String list =
                    uploads.keySet().stream()
                            .map(id ->
                                    "<Upload><Key>"
                                            + keys.getOrDefault(id, "").substring(bucket.length())
                                            + "</Key><UploadId>"
                                            + id
                                            + "</UploadId></Upload>")
                            .collect(Collectors.joining());
            answer(
                    call,
                    200,
                    ("<ListMultipartUploadsResult>" + list + "</ListMultipartUploadsResult>")
                            .getBytes(UTF_8));
            return;
        }
        byte[] object = objects.get(key);
        answer(
                call,
                object == null ? 404 : 200,
                object == null ? "<Error><Code>NoSuchKey</Code></Error>".getBytes(UTF_8) : object);
    }

    private static void answer(HttpExchange call, int status, byte[] body) throws IOException {
        call.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            call.getResponseBody().write(body);
        }
    }

    // --- the signature, as it is published

    private boolean isSigned(HttpExchange call, Map<String, String> query, byte[] body) {
        String given = call.getRequestHeaders().getFirst("Authorization");
        if (given == null || !given.startsWith("AWS4-HMAC-SHA256 ")) {
            return false;
        }
        Map<String, String> part =
                Arrays.stream(given.substring("AWS4-HMAC-SHA256 ".length()).split(",\\s*"))
                        .map(p -> p.split("=", 2))
                        .collect(Collectors.toMap(p -> p[0], p -> p[1]));
        List<String> scope = List.of(part.getOrDefault("Credential", "").split("/"));
        String hash = call.getRequestHeaders().getFirst("x-amz-content-sha256");
        boolean bodyIsMeant =
                "UNSIGNED-PAYLOAD".equals(hash)
                        || dev.berth.model.Digests.sha256(body).equals(hash);
        if (scope.size() != 5 || !scope.getFirst().equals(access) || !bodyIsMeant) {
            return false;
        }
        String signed = part.getOrDefault("SignedHeaders", "");
        String headers =
                Arrays.stream(signed.split(";"))
                        .map(h -> h + ":" + call.getRequestHeaders().getFirst(h) + "\n")
                        .collect(Collectors.joining());
        String queries =
                query.entrySet().stream()
                        .map(q -> q.getKey() + "=" + q.getValue())
                        .collect(Collectors.joining("&"));
        String canonical =
                String.join(
                        "\n",
                        call.getRequestMethod(),
                        call.getRequestURI().getRawPath(),
                        queries,
                        headers,
                        signed,
                        String.valueOf(hash));
        String text =
                "AWS4-HMAC-SHA256\n"
                        + call.getRequestHeaders().getFirst("x-amz-date")
                        + "\n"
                        + String.join("/", scope.subList(1, 5))
                        + "\n"
                        + dev.berth.model.Digests.sha256(canonical);
        byte[] key = ("AWS4" + secret).getBytes(UTF_8);
        for (String step : scope.subList(1, 5)) {
            key = mac(key, step);
        }
        return HexFormat.of().formatHex(mac(key, text)).equals(part.get("Signature"));
    }

    private static byte[] mac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
