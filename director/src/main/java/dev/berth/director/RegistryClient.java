package dev.berth.director;

import dev.berth.model.Secret;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** The environment's registry over HTTPS on this host. Thread-safe. */
final class RegistryClient implements RegistryLook {
    private static final String ACCEPT =
            "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, "
                    + "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

    private final String base;
    private final String authorization;
    private final HttpClient http;

    RegistryClient(int registryPort, SSLContext trust, String user, Secret password) {
        this.base = "https://127.0.0.1:" + registryPort + "/v2/";
        this.authorization =
                "Basic "
                        + Base64.getEncoder()
                                .encodeToString(
                                        (user + ":" + password.reveal())
                                                .getBytes(StandardCharsets.UTF_8));
        this.http =
                HttpClient.newBuilder()
                        .sslContext(trust)
                        .connectTimeout(Duration.ofSeconds(5))
                        .version(HttpClient.Version.HTTP_1_1)
                        .build();
    }

    @Override
    public String digest(String name, String tag) throws IOException, InterruptedException {
        HttpResponse<String> answer = manifest("GET", name, tag);
        Optional<String> digest = answer.headers().firstValue("Docker-Content-Digest");
        if (answer.statusCode() != 200 || digest.isEmpty()) {
            throw new IOException("answered " + answer.statusCode() + " " + answer.body().strip());
        }
        return digest.get();
    }

    /** Whether the manifest of that digest is there. */
    boolean has(String name, String digest) throws IOException, InterruptedException {
        int status = manifest("HEAD", name, digest).statusCode();
        if (status != 200 && status != 404) {
            throw new IOException("answered " + status);
        }
        return status == 200;
    }

    private HttpResponse<String> manifest(String method, String name, String version)
            throws IOException, InterruptedException {
        try {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(base + name + "/manifests/" + version))
                            .timeout(Duration.ofSeconds(20))
                            .header("Accept", ACCEPT)
                            .header("Authorization", authorization)
                            .method(method, HttpRequest.BodyPublishers.noBody())
                            .build();
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException("cannot be asked: " + e.getMessage(), e);
        }
    }
}
