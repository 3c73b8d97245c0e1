package dev.berth.cli;

import dev.berth.model.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** The BOSH director API over HTTPS, as a client speaks it. */
final class Api {
    private static final Set<Integer> ACCEPTED = Set.of(200, 201, 204, 206);

    private volatile Target target;
    private volatile HttpClient http;

    Api(Target target) {
        this.target = target;
        this.http = client(target);
    }

    private static HttpClient client(Target target) {
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(10));
        if (target.caPem() != null) {
            builder.sslContext(trusting(target.caPem()));
        }
        return builder.build();
    }

    /** How to know the director: its CA, or those that this machine trusts. */
    SSLContext tls() {
        try {
            return target.caPem() == null ? SSLContext.getDefault() : trusting(target.caPem());
        } catch (GeneralSecurityException e) {
            throw new CliException("TLS cannot be used: " + e.getMessage(), e);
        }
    }

    /** No director at the other end just now; the request may or may not have arrived. */
    static final class Unreachable extends CliException {
        private static final long serialVersionUID = 1;

        Unreachable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    Target target() {
        return target;
    }

    /** An answer; {@code location} is the path of a redirect, null without one. */
    record Answer(int status, String body, @Nullable String location) {
        Object json() {
            Object tree = Json.parse(body);
            if (tree == null) {
                throw new CliException("the director answered nothing where an answer was due");
            }
            return tree;
        }
    }

    Answer get(String path) {
        return checked("GET", path, null, null);
    }

    List<Object> list(String path) {
        return Json.asList(get(path).json());
    }

    Map<String, Object> object(String path) {
        return Json.asObject(get(path).json());
    }

    Answer post(String path, String contentType, String body) {
        return checked("POST", path, contentType, BodyPublishers.ofString(body));
    }

    Answer put(String path, String contentType, String body) {
        return checked("PUT", path, contentType, BodyPublishers.ofString(body));
    }

    Answer delete(String path) {
        return checked("DELETE", path, null, null);
    }

    /** Streams a file as the stock CLI sends tarballs. */
    Answer upload(String path, Path file) {
        return postFile(path, "application/x-compressed", file);
    }

    Answer postFile(String path, String contentType, Path file) {
        return sendFile("POST", path, contentType, file);
    }

    Answer putFile(String path, Path file) {
        return sendFile("PUT", path, "application/octet-stream", file);
    }

    private Answer sendFile(String method, String path, String contentType, Path file) {
        try {
            return checked(method, path, contentType, BodyPublishers.ofFile(file));
        } catch (IOException e) {
            throw new CliException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** The number of the task an accepted request became. */
    static long taskOf(Answer answer) {
        String location = answer.location();
        if (location == null || !location.matches(".*/tasks/\\d+$")) {
            throw new CliException("the director began no task: " + answer.body());
        }
        return Long.parseLong(location.substring(location.lastIndexOf('/') + 1));
    }

    private Answer checked(
            String method,
            String path,
            @Nullable String contentType,
            @Nullable BodyPublisher body) {
        Answer answer = raw(method, path, contentType, body, Map.of());
        if (answer.location() == null && !ACCEPTED.contains(answer.status())) {
            throw refusal(answer);
        }
        return answer;
    }

    CliException refusal(Answer answer) {
        if (answer.status() == 401) {
            return new CliException(
                    "the director at "
                            + target.url()
                            + " does not know these credentials (user '"
                            + target.user()
                            + "'); set BOSH_CLIENT and BOSH_CLIENT_SECRET (berth print-env tells those of this machine's environment)");
        }
        try {
            Map<String, Object> error = Json.object(answer.body());
            Object code = error.get("code");
            String words = error.get("description") + " (code " + code + ")";
            return code instanceof Number number && number.longValue() == GoneException.CODE
                    ? new GoneException(words)
                    : new CliException(words);
        } catch (IllegalArgumentException e) {
            return new CliException(
                    "the director answered " + answer.status() + ": " + answer.body().strip());
        }
    }

    /** One exchange, whatever the status. */
    Answer raw(
            String method,
            String path,
            @Nullable String contentType,
            @Nullable BodyPublisher body,
            Map<String, String> headers) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(target.url() + path))
                        .method(method, body == null ? BodyPublishers.noBody() : body)
                        .header("Authorization", authorization());
        if (contentType != null) {
            request.header("Content-Type", contentType);
        }
        headers.forEach(request::header);
        try {
            HttpResponse<String> response =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            String location =
                    response.statusCode() / 100 == 3
                            ? response.headers().firstValue("Location").orElse(null)
                            : null;
            return new Answer(response.statusCode(), response.body(), location);
        } catch (ConnectException e) {
            throw new Unreachable(
                    "no director answers at " + target.url() + "; start it with: berth up", e);
        } catch (SSLException e) {
            Target anew = target.anew();
            if (anew != null) { // refused at the handshake: nothing was sent yet
                target = anew;
                http = client(anew);
                return raw(method, path, contentType, body, headers);
            }
            throw new CliException(
                    "the director at "
                            + target.url()
                            + " is not trusted ("
                            + e.getMessage()
                            + "); name its CA with --ca-cert or BOSH_CA_CERT",
                    e);
        } catch (IOException e) {
            throw new Unreachable("talking to " + target.url() + " failed: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }

    String authorization() {
        byte[] words = (target.user() + ":" + target.password()).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(words);
    }

    private static SSLContext trusting(String pem) {
        try {
            KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
            anchors.load(null, null);
            int n = 0;
            for (var certificate :
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(
                                    new ByteArrayInputStream(
                                            pem.getBytes(StandardCharsets.UTF_8)))) {
                anchors.setCertificateEntry("ca" + n++, certificate);
            }
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(anchors);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new CliException("the CA certificate cannot be used: " + e.getMessage(), e);
        }
    }
}
