package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;

/** The director's API as a script would use it: what it answers, as trees. */
final class DirectorClient implements AutoCloseable {
    /** Far above what any task of these tests takes, also on a machine that is busy. */
    static final Duration TASK_LIMIT = Duration.ofMinutes(5);

    private static final Set<String> RUNNING = Set.of("queued", "processing", "cancelling");

    private final EnvironmentFile file;
    private final HttpClient http;

    DirectorClient(EnvironmentFile file, Path ca) {
        this.file = file;
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(10))
                        .sslContext(trusting(ca))
                        .build();
    }

    /** A task as it ended. */
    record Ended(long id, String state, String result) {
        Ended done() {
            assertThat(state).as("state of task %s (%s)", id, result).isEqualTo("done");
            return this;
        }
    }

    HttpResponse<String> get(String path) {
        return send("GET", path, BodyPublishers.noBody());
    }

    List<Fields> list(String path) {
        return Json.asList(Json.parse(answer(path))).stream()
                .map(tree -> Fields.of(tree, path))
                .toList();
    }

    Fields object(String path) {
        return Fields.of(Json.parse(answer(path)), path);
    }

    private String answer(String path) {
        HttpResponse<String> answer = get(path);
        assertThat(answer.statusCode()).as("%s: %s", path, answer.body()).isEqualTo(200);
        return answer.body();
    }

    /** Number of the task that the request became. */
    long begin(String method, String path, String yaml) {
        HttpResponse<String> answer = send(method, path, BodyPublishers.ofString(yaml));
        String location = answer.headers().firstValue("Location").orElse("");
        assertThat(location).as("task of %s: %s", path, answer.body()).matches(".*/tasks/\\d+");
        return Long.parseLong(location.substring(location.lastIndexOf('/') + 1));
    }

    long deploy(String manifest) {
        return begin("POST", "/deployments", manifest);
    }

    HttpResponse<String> send(String method, String path, BodyPublisher body) {
        String credentials = file.user() + ":" + file.password().reveal();
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(file.url() + path))
                        .method(method, body)
                        .timeout(Duration.ofMinutes(1))
                        .header("Content-Type", "text/yaml")
                        .header(
                                "Authorization",
                                "Basic "
                                        + Base64.getEncoder()
                                                .encodeToString(
                                                        credentials.getBytes(
                                                                StandardCharsets.UTF_8)))
                        .build();
        try {
            return http.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    Ended await(long task) {
        return Awaitility.await()
                .atMost(TASK_LIMIT)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> look(task), ended -> !RUNNING.contains(ended.state()));
    }

    Ended look(long task) {
        Fields now = object("/tasks/" + task);
        return new Ended(task, now.string("state"), now.string("result", ""));
    }

    /** All tasks that change deployments, newest first: listings are not among them. */
    List<Fields> tasks() {
        return list("/tasks?limit=100&verbose=1");
    }

    /** Also those that the director gave itself. */
    List<Fields> everyTask() {
        return list("/tasks?limit=2000&verbose=2");
    }

    String output(long task, String type) {
        return get("/tasks/" + task + "/output?type=" + type).body();
    }

    /** Event lines of a task. */
    List<Fields> events(long task) {
        return lines(output(task, "event"));
    }

    /** The stages a task went through, each once. */
    List<String> stages(long task) {
        return events(task).stream()
                .filter(event -> event.has("stage"))
                .map(event -> event.string("stage"))
                .distinct()
                .toList();
    }

    List<Fields> instances(String deployment) {
        long task = begin("GET", "/deployments/" + deployment + "/instances?format=full", "");
        await(task).done();
        return lines(output(task, "result"));
    }

    List<Fields> containers(String deployment) {
        return list("/deployments/" + deployment + "/containers");
    }

    private static List<Fields> lines(String text) {
        return text.lines()
                .filter(line -> !line.isBlank())
                .map(line -> Fields.of(Json.parse(line), "line"))
                .toList();
    }

    private static SSLContext trusting(Path ca) {
        try {
            KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
            anchors.load(null, null);
            var certificates =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(ca)));
            int n = 0;
            for (var certificate : certificates) {
                anchors.setCertificateEntry("ca" + n++, certificate);
            }
            var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(anchors);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError("the environment's CA cannot be read", e);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
