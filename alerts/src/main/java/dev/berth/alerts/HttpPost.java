package dev.berth.alerts;

import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Posts JSON and says what came of it. Thread-safe. */
final class HttpPost implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final int LONGEST_ANSWER = 16 * 1024;

    /** It understood, and will not take this one however often it comes. */
    private static final Set<Integer> REFUSED = Set.of(400, 410, 413, 415, 422);

    private final HttpClient client;
    private final Masking masking;

    HttpPost(@Nullable Secret ca, Masking masking) {
        this.masking = masking;
        this.client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(CONNECT)
                        .sslContext(Trust.of(ca))
                        .build();
    }

    String send(URI uri, Map<String, Secret> headers, @Nullable Object tree)
            throws SinkException, InterruptedException {
        var request =
                HttpRequest.newBuilder(uri)
                        .timeout(ANSWER)
                        .header("User-Agent", "berth")
                        .POST(HttpRequest.BodyPublishers.ofString(Json.write(tree)));
        headers.forEach((name, value) -> request.header(name, value.reveal()));
        if (headers.keySet().stream().noneMatch("content-type"::equalsIgnoreCase)) {
            request.header("Content-Type", "application/json");
        }
        HttpResponse<InputStream> answer;
        String said;
        try {
            answer = client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = answer.body()) {
                said = new String(body.readNBytes(LONGEST_ANSWER), StandardCharsets.UTF_8);
            }
        } catch (IOException e) {
            throw new SinkException(SinkException.Kind.AWAY, uri.getHost() + ": " + masking.of(e));
        }
        String text = masking.apply("HTTP " + answer.statusCode() + " " + said);
        if (answer.statusCode() / 100 == 2) {
            return text;
        }
        throw new SinkException(
                REFUSED.contains(answer.statusCode())
                        ? SinkException.Kind.REFUSED
                        : SinkException.Kind.AWAY,
                uri.getHost() + ": " + text + remedy(answer.statusCode()));
    }

    private static String remedy(int status) {
        return switch (status) {
            case 401, 403 -> " (the key or token is refused: set the variable anew)";
            case 404 -> " (nothing is at that path: look at the URL)";
            case 301, 302, 307, 308 -> " (it is elsewhere: set the URL it names)";
            default -> "";
        };
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
