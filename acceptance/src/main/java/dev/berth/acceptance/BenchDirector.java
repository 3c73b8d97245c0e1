package dev.berth.acceptance;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** The director as its API shows it; what it refuses is a {@link BenchException}. Thread-safe. */
public final class BenchDirector {
    private static final Set<String> ENDED = Set.of("done", "error", "cancelled", "timeout");
    private static final Pattern STEP = Pattern.compile("^(\\S+Z) .*step='([^']+)'");
    private static final Pattern EDGE = Pattern.compile("^(\\S+Z) (starting task|task \\d+ is) ");

    private final EnvironmentFile file;
    private final HttpClient http;

    BenchDirector(EnvironmentFile file, Path ca) {
        this.file = file;
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .sslContext(trusting(ca))
                        .connectTimeout(Duration.ofSeconds(2))
                        .build();
    }

    /**
     * A task that is done.
     *
     * @param seconds from before the request to the moment its end was seen
     */
    public record Finished(long id, double seconds) {}

    public Finished deploy(String manifest) {
        long begun = System.nanoTime();
        return finished(send("POST", "/deployments", manifest), begun);
    }

    /**
     * @param query what stands behind {@code ?}
     */
    Finished deploy(String manifest, String query) {
        long begun = System.nanoTime();
        return finished(send("POST", "/deployments?" + query, manifest), begun);
    }

    /** Any other request that begins a task. */
    Finished act(String method, String path, @Nullable String json) {
        long begun = System.nanoTime();
        return finished(send(method, path, json, "application/json"), begun);
    }

    /** The cloud config of all deployments to come. */
    String cloudConfig() {
        return list("/cloud_configs?limit=1&name=").getFirst().string("properties");
    }

    void cloudConfig(String yaml) {
        HttpResponse<String> ignored = send("POST", "/cloud_configs", yaml);
    }

    public void delete(String deployment) {
        finished(send("DELETE", "/deployments/" + deployment, null), System.nanoTime());
    }

    /**
     * Stops and starts one container of the deployment's only instance; its failures are forgiven.
     */
    void restartContainer(String deployment, String container) {
        finished(
                send(
                        "PUT",
                        instance(deployment) + "/containers/" + container + "?state=restart",
                        ""),
                System.nanoTime());
    }

    /** What the agent of the deployment's only instance answers just now. */
    Fields why(String deployment) {
        return Fields.of(json(instance(deployment) + "/why"), "why");
    }

    private static String instance(String deployment) {
        return "/deployments/" + deployment + "/instances/" + deployment + "/0";
    }

    /**
     * Begins a deploy and returns the number of its task.
     *
     * @param query what stands behind {@code ?}; may be empty
     */
    public long begin(String manifest, String query) {
        String path = query.isEmpty() ? "/deployments" : "/deployments?" + query;
        return task(send("POST", path, manifest));
    }

    /** Whether the task has ended; one that did not end well is a failure. */
    public boolean isDone(long id) {
        Fields task = Fields.of(Json.parse(send("GET", "/tasks/" + id, null).body()), "task");
        String state = task.string("state");
        if (ENDED.contains(state) && !state.equals("done")) {
            throw new BenchException("task " + id + ": " + task.string("result", state));
        }
        return state.equals("done");
    }

    /** Whether the task has ended, well or not. */
    public boolean hasEnded(long id) {
        Fields task = Fields.of(Json.parse(send("GET", "/tasks/" + id, null).body()), "task");
        return ENDED.contains(task.string("state"));
    }

    /** What the task has written: {@code event}, {@code result} or {@code debug}. */
    public String output(long id, String type) {
        return send("GET", "/tasks/" + id + "/output?type=" + type, null).body();
    }

    private static long task(HttpResponse<String> accepted) {
        return accepted.headers()
                .firstValue("Location")
                .map(l -> Long.parseLong(l.substring(l.lastIndexOf('/') + 1)))
                .orElseThrow(() -> new BenchException("no task: " + accepted.body()));
    }

    private Finished finished(HttpResponse<String> accepted, long begun) {
        long id = task(accepted);
        while (!isDone(id)) {
            BenchTools.pause(10);
        }
        return new Finished(id, BenchTools.secondsSince(begun));
    }

    /** What each step of the task took, by the times in its debug log; equal names are added. */
    Map<String, Double> steps(long task) {
        var result = new LinkedHashMap<String, Double>();
        String step = null;
        Instant since = Instant.EPOCH;
        for (String line :
                send("GET", "/tasks/" + task + "/output?type=debug", null)
                        .body()
                        .lines()
                        .toList()) {
            Matcher next = STEP.matcher(line);
            Matcher edge = EDGE.matcher(line);
            boolean begins = next.find();
            if (!begins && !edge.find()) {
                continue;
            }
            Instant at = Instant.parse(begins ? next.group(1) : edge.group(1));
            if (step != null) {
                result.merge(step, Duration.between(since, at).toMillis() / 1e3, Double::sum);
            }
            step = begins ? next.group(2) : "prepare the plan";
            since = at;
        }
        return result;
    }

    /** When the task's work began. */
    Instant began(long task) {
        return Instant.parse(
                send("GET", "/tasks/" + task + "/output?type=debug", null)
                        .body()
                        .lines()
                        .findFirst()
                        .orElseThrow()
                        .split(" ", 2)[0]);
    }

    public List<Fields> list(String path) {
        return Json.asList(json(path)).stream().map(o -> Fields.of(o, path)).toList();
    }

    /** The VM of a deployment's only instance. */
    String vm(String deployment) {
        return list("/deployments/" + deployment + "/instances").getFirst().string("cid");
    }

    String address(String deployment) {
        return list("/deployments/" + deployment + "/instances")
                .getFirst()
                .strings("ips")
                .getFirst();
    }

    public boolean answers() {
        try {
            return send("GET", "/info", null).statusCode() == 200;
        } catch (BenchException e) {
            return false;
        }
    }

    private Object json(String path) {
        Object tree = Json.parse(send("GET", path, null).body());
        if (tree == null) {
            throw new BenchException("nothing at " + path);
        }
        return tree;
    }

    private HttpResponse<String> send(String method, String path, @Nullable String body) {
        return send(method, path, body, "text/yaml");
    }

    private HttpResponse<String> send(
            String method, String path, @Nullable String body, String type) {
        String login = file.user() + ":" + file.password().reveal();
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(file.url() + path))
                        .timeout(Duration.ofSeconds(30))
                        .header(
                                "Authorization",
                                "Basic "
                                        + Base64.getEncoder()
                                                .encodeToString(
                                                        login.getBytes(StandardCharsets.UTF_8)))
                        .method(
                                method,
                                body == null
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", type);
        }
        try {
            HttpResponse<String> answer =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() >= 400) {
                throw new BenchException(method + " " + path + ": " + answer.body());
            }
            return answer;
        } catch (IOException e) {
            throw new BenchException("the director does not answer: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw BenchTools.interrupted(e);
        }
    }

    private static SSLContext trusting(Path ca) {
        try (InputStream in = Files.newInputStream(ca)) {
            KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
            anchors.load(null, null);
            anchors.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(anchors);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new BenchException("the CA at " + ca + " cannot be used: " + e.getMessage(), e);
        }
    }
}
