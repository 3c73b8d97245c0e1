package dev.berth.engine;

import dev.berth.engine.EngineHttp.Call;
import dev.berth.engine.EngineHttp.Streaming;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLEncoder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * {@link Engine} over the unix socket of a Docker Engine. The API version is the lower of what this
 * class was written against and what the engine offers, asked for once.
 */
public final class DockerEngine implements Engine {
    private static final ApiVersion OLDEST = new ApiVersion(1, 41);
    private static final ApiVersion NEWEST = new ApiVersion(1, 47);

    /** For calls the engine answers from memory; long enough for a machine short of breath. */
    private static final Duration QUICK = Duration.ofSeconds(30);

    /** For calls that start or end processes and mounts. */
    private static final Duration WORK = Duration.ofMinutes(2);

    /** For calls that carry images; their silence is bounded by {@link #SILENCE}. */
    private static final Duration TRANSFER = Duration.ofHours(2);

    private static final Duration BUILD = Duration.ofMinutes(30);

    private static final Duration SILENCE = Duration.ofMinutes(5);
    private static final int MOST_OUTPUT = 1024 * 1024;

    /** In the place of an exit code that the engine leaves out; no command has it. */
    private static final int NO_CODE = -1;

    private final EngineHttp http;
    private volatile @Nullable ApiVersion version;

    /** Does not connect; {@code socket} need not exist yet. */
    public DockerEngine(Path socket) {
        this.http = new EngineHttp(socket);
    }

    private record ApiVersion(int major, int minor) implements Comparable<ApiVersion> {
        static ApiVersion parse(String text) {
            String[] parts = text.split("\\.", -1);
            try {
                return new ApiVersion(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
                throw new EngineException(
                        0, "the engine names an API version that is none: '" + text + "'", e);
            }
        }

        @Override
        public int compareTo(ApiVersion other) {
            return major != other.major ? major - other.major : minor - other.minor;
        }

        @Override
        public String toString() {
            return major + "." + minor;
        }
    }

    // --- engine

    @Override
    public boolean ping(Duration limit) {
        try (Streaming answer = http.open(Call.of("GET", "/_ping", limit), null)) {
            answer.whole();
            return answer.status() == 200;
        } catch (EngineException e) {
            return false;
        }
    }

    private String negotiated() {
        ApiVersion known = version;
        if (known == null) {
            try (Streaming answer = http.open(Call.of("GET", "/_ping", QUICK), null).orRefusal()) {
                String offered = answer.header("api-version");
                answer.whole();
                known = agree(offered == null ? "unknown" : offered);
            }
            version = known;
        }
        return "/v" + known;
    }

    private static ApiVersion agree(String offered) {
        ApiVersion theirs = ApiVersion.parse(offered);
        if (theirs.compareTo(OLDEST) < 0) {
            throw new EngineException(
                    400,
                    "the Docker Engine offers API "
                            + theirs
                            + ", Berth needs "
                            + OLDEST
                            + " (Docker 20.10) or newer");
        }
        return theirs.compareTo(NEWEST) < 0 ? theirs : NEWEST;
    }

    @Override
    public Map<String, Object> version() {
        return get("/version", QUICK);
    }

    @Override
    public String apiVersion() {
        return negotiated().substring("/v".length());
    }

    @Override
    public Map<String, Object> info() {
        return get("/info", QUICK);
    }

    // --- containers

    @Override
    public String createContainer(
            String name, @Nullable String platform, Map<String, Object> body) {
        String of = platform == null ? "" : "&platform=" + q(platform);
        return Fields.of(post("/containers/create?name=" + q(name) + of, body, WORK), "container")
                .string("Id");
    }

    @Override
    public void startContainer(String id) {
        post("/containers/" + p(id) + "/start", null, WORK);
    }

    @Override
    public void stopContainer(String id, Duration grace) {
        long seconds = Math.max(0, (grace.toMillis() + 999) / 1000);
        post("/containers/" + p(id) + "/stop?t=" + seconds, null, WORK.plusSeconds(seconds));
    }

    @Override
    public void killContainer(String id, String signal) {
        try {
            post("/containers/" + p(id) + "/kill?signal=" + q(signal), null, WORK);
        } catch (EngineException e) {
            if (!e.isConflict()) {
                throw e;
            }
        }
    }

    @Override
    public void removeContainer(String id, boolean force, boolean anonymousVolumes) {
        try {
            delete("/containers/" + p(id) + "?force=" + force + "&v=" + anonymousVolumes, WORK);
        } catch (EngineException e) {
            // Another call may be removing it at this moment: then its end is waited for.
            if (!e.isConflict() || !String.valueOf(e.getMessage()).contains("in progress")) {
                throw e;
            }
            awaitGone(id);
        }
    }

    private void awaitGone(String id) {
        long deadline = System.nanoTime() + WORK.toNanos();
        try {
            while (inspectContainer(id).isPresent()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new EngineException(0, "container " + id + " is still being removed");
                }
                Thread.sleep(50);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException(0, "interrupted while " + id + " is being removed", e);
        }
    }

    @Override
    public void renameContainer(String id, String name) {
        post("/containers/" + p(id) + "/rename?name=" + q(name), null, QUICK);
    }

    @Override
    public void updateContainer(String id, Map<String, Object> body) {
        post("/containers/" + p(id) + "/update", body, QUICK);
    }

    @Override
    public Optional<Map<String, Object>> inspectContainer(String nameOrId) {
        return find("/containers/" + p(nameOrId) + "/json");
    }

    @Override
    public List<Map<String, Object>> listContainers(
            Map<String, @Nullable String> labels, Duration limit) {
        return objects(
                parsed(
                        callNoBody(
                                "GET", "/containers/json?all=true&" + labelFilter(labels), limit)));
    }

    @Override
    public String logs(String id, int tail) {
        var out = new BoundedOutput(MOST_OUTPUT);
        streamLogs(id, tail, false, out);
        return out.text();
    }

    @Override
    public void streamLogs(String id, int tail, boolean follow, OutputStream out) {
        boolean terminal = hasTerminal(id);
        String target = logs(id) + "&tail=" + tail + "&follow=" + follow;
        Call call = call("GET", target, follow ? Duration.ZERO : WORK);
        try (Streaming stream = http.open(call, null).orRefusal()) {
            copyLog(stream, terminal, out);
        }
    }

    private boolean hasTerminal(String id) {
        Map<String, Object> container =
                inspectContainer(id)
                        .orElseThrow(() -> new EngineException(404, "No such container: " + id));
        return Fields.of(container, "container").object("Config").flag("Tty", false);
    }

    private static String logs(String id) {
        return "/containers/" + p(id) + "/logs?stdout=true&stderr=true";
    }

    @Override
    public void readLogs(String id, @Nullable Instant since, int tail, Predicate<LogEntry> sink) {
        boolean terminal = hasTerminal(id);
        String part =
                since == null
                        ? "&tail=" + tail
                        : String.format("&since=%d.%09d", since.getEpochSecond(), since.getNano());
        Call call = call("GET", logs(id) + "&timestamps=true" + part, QUICK);
        try (Streaming stream = http.open(call, null).orRefusal()) {
            LogEntry.read(stream.body(), terminal, sink);
        } catch (IOException e) {
            throw new EngineException(0, "the log of " + id + ": " + e.getMessage(), e);
        }
    }

    private static void copyLog(Streaming stream, boolean terminal, OutputStream out) {
        try {
            if (terminal) {
                stream.body().transferTo(out);
            } else {
                LogFrames.copy(stream.body(), out, out);
            }
        } catch (ClosedByInterruptException e) {
            // The reader wants no more; its interrupt status says so to whoever asks next.
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw stream.broken(e);
        }
    }

    @Override
    public ExecResult exec(String id, Map<String, Object> body, Duration limit) {
        String exec =
                Fields.of(post("/containers/" + p(id) + "/exec", body, QUICK), "exec").string("Id");
        var stdout = new BoundedOutput(MOST_OUTPUT);
        var stderr = new BoundedOutput(MOST_OUTPUT);
        Call call = call("POST", "/exec/" + exec + "/start", limit);
        byte[] start = json(Json.of("Detach", false, "Tty", false));
        try (Streaming stream = http.open(call, start).orRefusal()) {
            collect(stream, stdout, stderr);
        }
        long code =
                Fields.of(get("/exec/" + exec + "/json", QUICK), "exec").integer("ExitCode", -1);
        return new ExecResult((int) code, stdout.text(), stderr.text());
    }

    @Override
    public ExecStream execStream(String id, Map<String, Object> body) {
        String exec =
                Fields.of(post("/containers/" + p(id) + "/exec", body, QUICK), "exec").string("Id");
        boolean tty = Boolean.TRUE.equals(body.get("Tty"));
        // Answered at once, then the connection belongs to the command in both directions.
        Call call = call("POST", "/exec/" + exec + "/start", Duration.ZERO);
        Streaming stream = http.open(call, json(Json.of("Detach", false, "Tty", tty))).orRefusal();
        return new HijackedExec(exec, tty, stream);
    }

    private final class HijackedExec implements ExecStream {
        private final String exec;
        private final boolean tty;
        private final Streaming stream;

        HijackedExec(String exec, boolean tty, Streaming stream) {
            this.exec = exec;
            this.tty = tty;
            this.stream = stream;
        }

        @Override
        public void copyOutput(OutputStream stdout, OutputStream stderr) {
            try {
                if (tty) {
                    stream.body().transferTo(stdout);
                } else {
                    LogFrames.copy(stream.body(), stdout, stderr);
                }
            } catch (IOException e) {
                throw stream.broken(e);
            }
        }

        @Override
        public void write(byte[] bytes) throws IOException {
            stream.write(bytes);
        }

        @Override
        public void endInput() throws IOException {
            stream.endOutput();
        }

        @Override
        public void resize(int columns, int rows) {
            post("/exec/" + exec + "/resize?h=" + rows + "&w=" + columns, null, QUICK);
        }

        @Override
        public ExecState state() {
            Fields f = Fields.of(get("/exec/" + exec + "/json", QUICK), "exec");
            boolean running = f.flag("Running", false);
            long code = f.integer("ExitCode", NO_CODE);
            return new ExecState(
                    running,
                    running || code == NO_CODE ? OptionalInt.empty() : OptionalInt.of((int) code),
                    f.integer("Pid", 0));
        }

        @Override
        public void close() {
            stream.close();
        }
    }

    private static void collect(Streaming stream, OutputStream stdout, OutputStream stderr) {
        try {
            LogFrames.copy(stream.body(), stdout, stderr);
        } catch (IOException e) {
            throw stream.broken(e);
        }
    }

    @Override
    public Map<String, Object> stats(String id) {
        return get("/containers/" + p(id) + "/stats?stream=false&one-shot=true", QUICK);
    }

    @Override
    public AutoCloseable events(
            Map<String, List<String>> filters,
            Consumer<Map<String, Object>> event,
            Consumer<Throwable> ended) {
        String target = "/events?filters=" + q(Json.write(filters));
        var stream =
                new EventStream(
                        http.open(call("GET", target, Duration.ZERO), null).orRefusal(),
                        event,
                        ended);
        stream.start();
        return stream;
    }

    // --- images

    @Override
    public Optional<Map<String, Object>> inspectImage(String reference) {
        return find("/images/" + p(reference) + "/json");
    }

    @Override
    public void pullImage(
            String reference,
            @Nullable String platform,
            @Nullable RegistryAuth auth,
            Consumer<Map<String, Object>> progress) {
        ImageReference image = ImageReference.parse(reference);
        String target =
                "/images/create?fromImage="
                        + q(image.name())
                        + "&tag="
                        + q(image.version())
                        + (platform == null ? "" : "&platform=" + q(platform));
        Call call = transfer(target).header("X-Registry-Auth", authHeader(auth));
        progress(http.open(call, null).orRefusal(), progress);
    }

    @Override
    public void pushImage(
            String reference, @Nullable RegistryAuth auth, Consumer<Map<String, Object>> progress) {
        ImageReference image = ImageReference.parse(reference);
        String target = "/images/" + p(image.name()) + "/push?tag=" + q(image.version());
        Call call = transfer(target).header("X-Registry-Auth", authHeader(auth));
        progress(http.open(call, null).orRefusal(), progress);
    }

    @Override
    public void tagImage(String source, String repository, String tag) {
        post("/images/" + p(source) + "/tag?repo=" + q(repository) + "&tag=" + q(tag), null, QUICK);
    }

    @Override
    public String importImage(
            InputStream tar, String repository, String tag, List<String> changes) {
        var target = new StringBuilder("/images/create?fromSrc=-");
        target.append("&repo=").append(q(repository)).append("&tag=").append(q(tag));
        changes.forEach(change -> target.append("&changes=").append(q(change)));
        Call call = transfer(target.toString());
        var last = new String[] {""};
        progress(
                http.upload(call, tar).orRefusal(),
                line -> last[0] = Fields.of(line, "progress").string("status", last[0]));
        if (!last[0].startsWith("sha256:")) {
            throw new EngineException(0, "the engine did not name the imported image: " + last[0]);
        }
        return last[0];
    }

    @Override
    public String buildImage(
            InputStream contextTar, Build build, Consumer<Map<String, Object>> progress) {
        var target = new StringBuilder("/build?rm=true&forcerm=true&t=").append(q(build.tag()));
        target.append("&dockerfile=").append(q(build.dockerfile()));
        target.append("&labels=").append(q(Json.write(build.labels())));
        if (!build.args().isEmpty()) {
            target.append("&buildargs=").append(q(Json.write(build.args())));
        }
        if (build.target() != null) {
            target.append("&target=").append(q(build.target()));
        }
        if (build.platform() != null) {
            target.append("&platform=").append(q(build.platform()));
        }
        // A compiler may say nothing for long: only the whole is bounded.
        Call call = call("POST", target.toString(), BUILD).idle(BUILD);
        var id = new String[] {""};
        progress(
                http.upload(call, contextTar).orRefusal(),
                line -> {
                    id[0] = Fields.of(line, "progress").object("aux").string("ID", id[0]);
                    progress.accept(line);
                });
        if (id[0].isEmpty()) {
            throw new EngineException(0, "the engine did not name the image it built");
        }
        return id[0];
    }

    @Override
    public void removeImage(String reference, boolean force) {
        delete("/images/" + p(reference) + "?force=" + force, WORK);
    }

    @Override
    public List<Map<String, Object>> listImages() {
        return objects(parsed(callNoBody("GET", "/images/json", QUICK)));
    }

    /** Reads a progress stream to its end; an error line in it fails the call. */
    private static void progress(Streaming answer, Consumer<Map<String, Object>> progress) {
        try (answer) {
            var lines = new JsonLines(answer.body());
            var spoken = new LastWords();
            for (var line = lines.next(); line != null; line = lines.next()) {
                spoken.hear(line);
                Fields fields = Fields.of(line, "progress");
                if (fields.has("error") || fields.has("errorDetail")) {
                    throw new EngineException(500, spoken.error(fields));
                }
                progress.accept(line);
            }
        } catch (IOException e) {
            throw answer.broken(e);
        }
    }

    // --- networks and volumes

    @Override
    public String createNetwork(Map<String, Object> body) {
        return Fields.of(post("/networks/create", body, WORK), "network").string("Id");
    }

    @Override
    public Optional<Map<String, Object>> inspectNetwork(String nameOrId) {
        return find("/networks/" + p(nameOrId));
    }

    @Override
    public List<Map<String, Object>> listNetworks(Map<String, @Nullable String> labels) {
        return objects(parsed(callNoBody("GET", "/networks?" + labelFilter(labels), QUICK)));
    }

    @Override
    public void removeNetwork(String nameOrId) {
        delete("/networks/" + p(nameOrId), WORK);
    }

    @Override
    public void connectNetwork(String network, Map<String, Object> body) {
        post("/networks/" + p(network) + "/connect", body, WORK);
    }

    @Override
    public void disconnectNetwork(String network, String container) {
        post(
                "/networks/" + p(network) + "/disconnect",
                Json.of("Container", container, "Force", false),
                WORK);
    }

    @Override
    public Map<String, Object> createVolume(Map<String, Object> body) {
        return Json.asObject(post("/volumes/create", body, WORK));
    }

    @Override
    public List<Map<String, Object>> listVolumes(Map<String, @Nullable String> labels) {
        Fields answer = Fields.of(get("/volumes?" + labelFilter(labels), QUICK), "volumes");
        return objects(answer.list("Volumes"));
    }

    @Override
    public void removeVolume(String name, boolean force) {
        delete("/volumes/" + p(name) + "?force=" + force, WORK);
    }

    @Override
    public void close() {
        http.close();
    }

    // --- calls

    private Call call(String method, String target, Duration limit) {
        return Call.of(method, negotiated() + target, limit);
    }

    private Call transfer(String target) {
        return call("POST", target, TRANSFER).idle(SILENCE);
    }

    private Map<String, Object> get(String target, Duration limit) {
        return Json.asObject(parsed(callNoBody("GET", target, limit)));
    }

    private @Nullable Object post(
            String target, @Nullable Map<String, Object> body, Duration limit) {
        Call call = call("POST", target, limit);
        try (Streaming answer = http.open(call, body == null ? null : json(body)).orRefusal()) {
            return parsed(answer.whole());
        }
    }

    /** Gone already is success. */
    private void delete(String target, Duration limit) {
        try {
            callNoBody("DELETE", target, limit);
        } catch (EngineException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    private Optional<Map<String, Object>> find(String target) {
        try {
            return Optional.of(get(target, QUICK));
        } catch (EngineException e) {
            if (e.isNotFound()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private byte[] callNoBody(String method, String target, Duration limit) {
        try (Streaming answer = http.open(call(method, target, limit), null).orRefusal()) {
            return answer.whole();
        }
    }

    private static @Nullable Object parsed(byte[] body) {
        try {
            return body.length == 0 ? null : Json.parse(body);
        } catch (IllegalArgumentException e) {
            throw new EngineException(0, "the engine's answer: " + e.getMessage(), e);
        }
    }

    private static List<Map<String, Object>> objects(@Nullable Object list) {
        return list == null ? List.of() : Json.asList(list).stream().map(Json::asObject).toList();
    }

    private static byte[] json(Map<String, Object> tree) {
        return Json.write(tree).getBytes(StandardCharsets.UTF_8);
    }

    private static String labelFilter(Map<String, @Nullable String> labels) {
        var wanted = new ArrayList<String>();
        labels.forEach((name, value) -> wanted.add(value == null ? name : name + "=" + value));
        return wanted.isEmpty() ? "" : "filters=" + q(Json.write(Json.of("label", wanted)));
    }

    private static String authHeader(@Nullable RegistryAuth auth) {
        var tree = new LinkedHashMap<String, Object>();
        if (auth != null) {
            tree.put("username", auth.username());
            tree.put("password", auth.password());
            tree.put("serveraddress", auth.server());
        }
        return Base64.getUrlEncoder().encodeToString(json(tree));
    }

    /** A query value. */
    private static String q(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** A path segment; slashes and colons of image names stay, as the engine's routes want them. */
    private static String p(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("%2F", "/")
                .replace("%3A", ":")
                .replace("%40", "@");
    }
}
