package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A Docker Engine in memory: containers with their states, images, networks and events. Every call
 * takes no time. It keeps count of what was done to whom, and fails on request.
 */
final class FakeEngine implements Engine {
    /** One container; {@code process} tells whether something runs. */
    static final class Box {
        final String id;
        String name;
        final Map<String, Object> body;
        final Map<String, Object> updated = new LinkedHashMap<>();
        String state = "created";
        int exitCode;
        boolean oom;
        String health = "";
        Instant startedAt = Instant.EPOCH;

        Box(String id, String name, Map<String, Object> body) {
            this.id = id;
            this.name = name;
            this.body = body;
        }

        boolean runs() {
            return state.equals("running");
        }

        /** As given at create and by updates since. */
        Map<String, Object> limits() {
            var host = new LinkedHashMap<>(Fields.of(body, "body").object("HostConfig").tree());
            if (host.get("Memory") instanceof Long memory) {
                host.putIfAbsent("MemorySwap", 2 * memory);
            }
            host.putAll(updated);
            return host;
        }

        Map<String, Object> labels() {
            return Fields.of(body, "body").object("Labels").tree();
        }
    }

    /** Something that was done, in order. */
    record Deed(String what, String container, Instant at) {}

    final Map<String, Box> boxes = new LinkedHashMap<>();
    final Set<String> images = new HashSet<>();
    final Set<String> registry = new HashSet<>();
    final Set<String> networks = new HashSet<>();
    final List<Deed> deeds = new ArrayList<>();
    final List<String> execs = new ArrayList<>();
    final Map<String, EngineException> refusals = new LinkedHashMap<>();
    private final List<Consumer<Map<String, Object>>> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<Throwable>> enders = new CopyOnWriteArrayList<>();
    private final Supplier<Instant> now;
    private boolean down;
    private int serial;

    FakeEngine(Supplier<Instant> now) {
        this.now = now;
    }

    // --- what tests do to it

    /** Without a daemon no call answers; processes live on. */
    synchronized void daemon(boolean up) {
        down = !up;
        if (!up) {
            listeners.clear();
            List.copyOf(enders)
                    .forEach(ender -> ender.accept(new EngineException(0, "daemon died")));
            enders.clear();
        } else {
            boxes.values().stream()
                    .filter(b -> !b.health.isEmpty())
                    .forEach(b -> b.health = "starting");
        }
    }

    /** Nobody listens any more. */
    synchronized void hangUp() {
        listeners.clear();
        enders.clear();
    }

    /** The process of a container ends. */
    synchronized void die(String name, int code) {
        Box box = box(name);
        if (box != null && box.runs()) {
            ended(box, code);
        }
    }

    synchronized void health(String name, String health) {
        Box box = box(name);
        if (box != null && box.runs() && !box.health.isEmpty() && !box.health.equals(health)) {
            box.health = health;
            emit(box, "health_status: " + health, Map.of());
        }
    }

    synchronized boolean runs(String name) {
        Box box = box(name);
        return box != null && box.runs();
    }

    synchronized @Nullable Box box(String name) {
        return boxes.values().stream().filter(b -> b.name.equals(name)).findFirst().orElse(null);
    }

    synchronized List<Deed> deeds(String what, String name) {
        return deeds.stream()
                .filter(d -> d.what().equals(what) && d.container().equals(name))
                .toList();
    }

    /** The machine goes down and comes up again. */
    synchronized void reboot() {
        for (Box box : boxes.values()) {
            if (box.runs()) {
                box.state = "exited";
                box.exitCode = 255;
            }
        }
    }

    private void ended(Box box, int code) {
        box.state = "exited";
        box.exitCode = code;
        emit(box, "die", Json.of("exitCode", Integer.toString(code)));
    }

    private void did(String what, Box box) {
        Object label = box.labels().get(Labels.CONTAINER);
        deeds.add(new Deed(what, label == null ? box.name : label.toString(), now.get()));
    }

    private void emit(Box box, String action, Map<String, Object> attributes) {
        Instant at = now.get();
        long nanos = at.getEpochSecond() * 1_000_000_000 + at.getNano();
        Map<String, Object> event =
                Json.of(
                        "Type",
                        "container",
                        "Action",
                        action,
                        "Actor",
                        Json.of("ID", box.id, "Attributes", attributes),
                        "timeNano",
                        nanos);
        if (!down) {
            listeners.forEach(listener -> listener.accept(event));
        }
    }

    private Box need(String id) {
        Box box = boxes.get(id);
        if (box == null) {
            throw new EngineException(404, "No such container: " + id);
        }
        return box;
    }

    private void answer(String call) {
        if (down) {
            throw new EngineException(0, "connection refused");
        }
        EngineException refusal = refusals.get(call);
        if (refusal != null) {
            throw refusal;
        }
    }

    // --- the port

    @Override
    public synchronized boolean ping(Duration limit) {
        return !down;
    }

    @Override
    public Map<String, Object> version() {
        return Map.of();
    }

    @Override
    public Map<String, Object> info() {
        return Map.of();
    }

    @Override
    public synchronized String createContainer(
            String name, @Nullable String platform, Map<String, Object> body) {
        answer("create " + name);
        if (box(name) != null) {
            throw new EngineException(409, "Conflict. The container name is already in use");
        }
        if (!images.contains(Fields.of(body, "body").string("Image"))) {
            throw new EngineException(404, "No such image: " + body.get("Image"));
        }
        var box = new Box("id" + ++serial, name, body);
        boxes.put(box.id, box);
        did("create", box);
        return box.id;
    }

    @Override
    public synchronized void startContainer(String id) {
        answer("start");
        Box box = need(id);
        answer("start " + box.name);
        if (!box.runs()) {
            box.state = "running";
            box.startedAt = now.get();
            box.health = Fields.of(box.body, "body").has("Healthcheck") ? "starting" : "";
            did("start", box);
            emit(box, "start", Map.of());
        }
    }

    @Override
    public synchronized void stopContainer(String id, Duration grace) {
        answer("stop");
        Box box = need(id);
        if (box.runs()) {
            did("stop", box);
            ended(box, 143);
        }
    }

    @Override
    public synchronized void killContainer(String id, String signal) {
        stopContainer(id, Duration.ZERO);
    }

    @Override
    public synchronized void removeContainer(String id, boolean force, boolean anonymousVolumes) {
        answer("remove");
        Box box = boxes.get(id);
        if (box == null) {
            return;
        }
        if (box.runs() && !force) {
            throw new EngineException(409, "cannot remove a running container");
        }
        did("remove", box);
        boxes.remove(id);
        emit(box, "destroy", Map.of());
    }

    @Override
    public synchronized void renameContainer(String id, String name) {
        answer("rename");
        Box box = need(id);
        if (box(name) != null) {
            throw new EngineException(409, "Conflict. The container name is already in use");
        }
        box.name = name;
    }

    @Override
    public synchronized void updateContainer(String id, Map<String, Object> body) {
        answer("update");
        Box box = need(id);
        box.updated.putAll(body);
        did("update", box);
    }

    @Override
    public synchronized Optional<Map<String, Object>> inspectContainer(String nameOrId) {
        answer("inspect");
        Box box = boxes.getOrDefault(nameOrId, box(nameOrId));
        return box == null
                ? Optional.empty()
                : Optional.of(
                        Json.of(
                                "Id",
                                box.id,
                                "Name",
                                "/" + box.name,
                                "HostConfig",
                                box.limits(),
                                "Config",
                                Json.of(
                                        "Labels",
                                        box.labels(),
                                        "Healthcheck",
                                        box.body.get("Healthcheck")),
                                "State",
                                Json.of(
                                        "Running",
                                        box.runs(),
                                        "StartedAt",
                                        box.startedAt.toString(),
                                        "OOMKilled",
                                        box.oom)));
    }

    /** As published ports are listed, from how they are asked for. */
    private static List<Object> ports(Box box) {
        var ports = new ArrayList<Object>();
        Fields bindings = Fields.of(box.body, "body").object("HostConfig").object("PortBindings");
        for (String key : bindings.tree().keySet()) {
            String[] parts = key.split("/", 2);
            for (Fields binding : bindings.objects(key)) {
                ports.add(
                        Json.of(
                                "PrivatePort",
                                Long.parseLong(parts[0]),
                                "PublicPort",
                                Long.parseLong(binding.string("HostPort")),
                                "Type",
                                parts[1]));
            }
        }
        return ports;
    }

    @Override
    public synchronized List<Map<String, Object>> listContainers(
            Map<String, @Nullable String> labels, Duration limit) {
        answer("list");
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Box box : boxes.values()) {
            boolean matches =
                    labels.entrySet().stream()
                            .allMatch(e ->
                                    String.valueOf(e.getValue())
                                            .equals(box.labels().get(e.getKey())));
            if (matches) {
                rows.add(
                        Json.of(
                                "Id",
                                box.id,
                                "Names",
                                List.of("/" + box.name),
                                "Labels",
                                box.labels(),
                                "State",
                                box.state,
                                "Status",
                                status(box),
                                "Ports",
                                box.runs() ? ports(box) : List.of()));
            }
        }
        return rows;
    }

    private static String status(Box box) {
        return switch (box.state) {
            case "running" ->
                    "Up 3 seconds"
                            + (box.health.isEmpty()
                                    ? ""
                                    : box.health.equals("starting")
                                            ? " (health: starting)"
                                            : " (" + box.health + ")");
            case "exited" -> "Exited (" + box.exitCode + ") 2 seconds ago";
            default -> "Created";
        };
    }

    @Override
    public String logs(String id, int tail) {
        return "last words of " + id + "\n";
    }

    @Override
    public void readLogs(
            String id,
            java.time.@org.jspecify.annotations.Nullable Instant since,
            int tail,
            java.util.function.Predicate<dev.berth.engine.LogEntry> sink) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized AutoCloseable events(
            Map<String, List<String>> filters,
            Consumer<Map<String, Object>> event,
            Consumer<Throwable> ended) {
        answer("events");
        listeners.add(event);
        enders.add(ended);
        return () -> {
            listeners.remove(event);
            enders.remove(ended);
        };
    }

    @Override
    public synchronized Optional<Map<String, Object>> inspectImage(String reference) {
        answer("image");
        return images.contains(reference)
                ? Optional.of(Json.of("Id", "sha256:1", "RepoDigests", List.of(reference)))
                : Optional.empty();
    }

    @Override
    public synchronized void pullImage(
            String reference,
            @Nullable String platform,
            @Nullable RegistryAuth auth,
            Consumer<Map<String, Object>> progress) {
        answer("pull");
        if (!registry.contains(reference)) {
            throw new EngineException(404, "manifest for " + reference + " not found");
        }
        images.add(reference);
    }

    @Override
    public synchronized String buildImage(
            InputStream contextTar, Build build, Consumer<Map<String, Object>> progress) {
        answer("build");
        images.add(build.tag());
        return build.tag();
    }

    @Override
    public synchronized Optional<Map<String, Object>> inspectNetwork(String nameOrId) {
        answer("network");
        return networks.contains(nameOrId) ? Optional.of(Map.of()) : Optional.empty();
    }

    @Override
    public synchronized String createNetwork(Map<String, Object> body) {
        answer("network");
        networks.add(String.valueOf(body.get("Name")));
        return "net";
    }

    @Override
    public void close() {}

    // --- not used by the supervisor

    private static UnsupportedOperationException unused() {
        return new UnsupportedOperationException("the supervisor does not call this");
    }

    @Override
    public void streamLogs(String id, int tail, boolean follow, OutputStream out) {
        throw unused();
    }

    @Override
    public synchronized ExecResult exec(String id, Map<String, Object> body, Duration limit) {
        answer("exec");
        Object command = body.get("Cmd");
        execs.add(id + " " + command);
        return new ExecResult(List.of("false").equals(command) ? 1 : 0, "", "");
    }

    @Override
    public String apiVersion() {
        return "1.47";
    }

    @Override
    public Map<String, Object> stats(String id) {
        throw unused();
    }

    @Override
    public void pushImage(
            String reference, @Nullable RegistryAuth auth, Consumer<Map<String, Object>> progress) {
        throw unused();
    }

    @Override
    public void tagImage(String source, String repository, String tag) {
        throw unused();
    }

    @Override
    public String importImage(
            InputStream tar, String repository, String tag, List<String> changes) {
        throw unused();
    }

    @Override
    public synchronized void removeImage(String reference, boolean force) {
        answer("remove image");
        images.remove(reference);
    }

    @Override
    public List<Map<String, Object>> listImages() {
        throw unused();
    }

    @Override
    public List<Map<String, Object>> listNetworks(Map<String, @Nullable String> labels) {
        throw unused();
    }

    @Override
    public void removeNetwork(String nameOrId) {
        throw unused();
    }

    @Override
    public void connectNetwork(String network, Map<String, Object> body) {
        throw unused();
    }

    @Override
    public void disconnectNetwork(String network, String container) {
        throw unused();
    }

    @Override
    public Map<String, Object> createVolume(Map<String, Object> body) {
        throw unused();
    }

    @Override
    public List<Map<String, Object>> listVolumes(Map<String, @Nullable String> labels) {
        throw unused();
    }

    @Override
    public void removeVolume(String name, boolean force) {
        throw unused();
    }
}
