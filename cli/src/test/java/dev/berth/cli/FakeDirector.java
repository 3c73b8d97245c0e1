package dev.berth.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.berth.bus.Pki;
import dev.berth.model.Clock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A director that answers what a test told it to, over HTTPS on loopback, and notes what it was
 * asked.
 */
final class FakeDirector implements AutoCloseable {
    static final String PASSWORD = "planted-password";

    /** Method and path with query, in the order of arrival. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    /** Bodies by method and path with query. */
    final Map<String, String> bodies = new ConcurrentHashMap<>();

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final Map<String, String> outputs = new ConcurrentHashMap<>();
    private final HttpsServer server;
    private final Path home;

    private record Answer(int status, String body, @Nullable String location) {}

    /** What a run of the command left behind. */
    record Ran(int code, String out, String err) {}

    /** Made once: keys cost more than all tests together. */
    private record Identity(String ca, SSLContext tls) {
        static final Identity OURS = make();

        private static Identity make() {
            try {
                Path folder = Files.createTempDirectory("berth-pki");
                Pki pki = Pki.open(folder, Clock.SYSTEM);
                var identity =
                        new Identity(
                                pki.caCertificate(),
                                Pki.tls(
                                        pki.caCertificate(),
                                        pki.server("director", List.of("127.0.0.1"))));
                try (Stream<Path> files = Files.walk(folder)) {
                    files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
                }
                return identity;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    FakeDirector(Path folder) throws IOException {
        home = folder.resolve("home");
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(Identity.OURS.tls()));
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
    }

    String address() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    FakeDirector on(String request, String body) {
        answers.put(request, new Answer(200, body, null));
        return this;
    }

    FakeDirector on(String request, int status, String body) {
        answers.put(request, new Answer(status, body, null));
        return this;
    }

    /** The request becomes a task. */
    FakeDirector begins(String request, int task) {
        answers.put(request, new Answer(302, "", "/tasks/" + task));
        return this;
    }

    FakeDirector task(int id, String state, String result) {
        return on(
                "GET /tasks/" + id,
                "{\"id\":" + id + ",\"state\":\"" + state + "\",\"result\":\"" + result + "\"}");
    }

    FakeDirector output(int task, String type, String... lines) {
        outputs.put("/tasks/" + task + "/output?type=" + type, String.join("\n", lines) + "\n");
        return this;
    }

    /** Runs the command against this director, with an empty standard input. */
    Ran run(String... words) {
        return run("", Map.of(), words);
    }

    Ran run(String input, Map<String, String> more, String... words) {
        var env = new HashMap<String, String>();
        env.put("BERTH_HOME", home.toString());
        env.put("BERTH_TERMINAL", "no");
        env.put("BOSH_ENVIRONMENT", address());
        env.put("BOSH_CLIENT", "admin");
        env.put("BOSH_CLIENT_SECRET", PASSWORD);
        env.put("BOSH_CA_CERT", Identity.OURS.ca());
        env.putAll(more);
        return run(input, env, List.of(words));
    }

    static Ran run(String input, Map<String, String> env, List<String> words) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code =
                Main.run(
                        env,
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        words.toArray(String[]::new));
        return new Ran(
                code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().toString();
            String request = exchange.getRequestMethod() + " " + path;
            asked.add(request);
            bodies.put(
                    request,
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            if (!known(exchange.getRequestHeaders().getFirst("Authorization"))) {
                send(exchange, new Answer(401, "Not authorized: '/tasks'", null));
                return;
            }
            String output = outputs.get(path);
            if (output != null) {
                send(exchange, part(output, exchange.getRequestHeaders().getFirst("Range")));
                return;
            }
            Answer nothing =
                    new Answer(404, "{\"code\":1,\"description\":\"no " + request + "\"}", null);
            send(exchange, answers.getOrDefault(request, nothing));
        }
    }

    private static Answer part(String output, @Nullable String range) {
        if (range == null) {
            return new Answer(200, output, null);
        }
        int from = Integer.parseInt(range.replaceAll("\\D", ""));
        return from >= output.length()
                ? new Answer(416, "", null)
                : new Answer(206, output.substring(from), null);
    }

    private static boolean known(@Nullable String header) {
        String user =
                Base64.getEncoder()
                        .encodeToString(("admin:" + PASSWORD).getBytes(StandardCharsets.UTF_8));
        return ("Basic " + user).equals(header);
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        if (answer.location() != null) {
            exchange.getResponseHeaders().add("Location", answer.location());
        }
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    /** Requests that change something. */
    List<String> changes() {
        var changes = new ArrayList<String>();
        asked.stream().filter(r -> !r.startsWith("GET ")).forEach(changes::add);
        return changes;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
