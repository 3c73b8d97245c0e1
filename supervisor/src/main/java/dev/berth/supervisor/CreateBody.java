package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerSpec.Healthcheck;
import dev.berth.model.ContainerSpec.Volume;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** From a spec to the body of the engine's {@code POST /containers/create}. Pure. */
final class CreateBody {
    /** Without rotation a chatty container fills the ephemeral disk. */
    private static final Map<String, Object> LOGS =
            Json.of("Type", "json-file", "Config", Json.of("max-size", "10m", "max-file", "3"));

    private final SupervisorConfig config;

    CreateBody(SupervisorConfig config) {
        this.config = config;
    }

    /**
     * @param imageEntrypoint what the image runs, needed only when the spec clears the image's
     *     command and keeps its entrypoint: the engine has no other way to say that
     */
    Map<String, Object> of(
            ContainerSpec spec,
            String digest,
            String intent,
            @Nullable List<String> imageEntrypoint) {
        var body = new LinkedHashMap<String, Object>();
        body.put("Image", Images.nameOf(spec));
        process(body, spec, imageEntrypoint);
        body.put("Labels", labels(spec, digest, intent));
        body.put("ExposedPorts", exposedPorts(spec));
        putIf(body, "StopSignal", spec.stopSignal());
        body.put("StopTimeout", wholeSeconds(spec.stopGracePeriod()));
        Healthcheck check = spec.healthcheck();
        if (check != null) {
            body.put("Healthcheck", health(check));
        }
        body.put("HostConfig", hostConfig(spec));
        body.put("NetworkingConfig", networking(spec));
        return body;
    }

    private static void process(
            Map<String, Object> body, ContainerSpec spec, @Nullable List<String> imageEntrypoint) {
        List<String> entrypoint = spec.entrypoint();
        List<String> command = spec.command();
        if (entrypoint != null) {
            // [""] is how the engine is told to clear the entrypoint and the image's command.
            body.put("Entrypoint", entrypoint.isEmpty() ? List.of("") : entrypoint);
        } else if (command != null && command.isEmpty() && imageEntrypoint != null) {
            body.put("Entrypoint", imageEntrypoint);
        }
        putIf(body, "Cmd", command);
        var environment = new ArrayList<String>();
        spec.environment().forEach((key, value) -> environment.add(key + "=" + value));
        body.put("Env", environment);
        putIf(body, "User", spec.user());
        putIf(body, "WorkingDir", spec.workingDir());
        putIf(body, "Hostname", spec.hostname());
    }

    private Map<String, Object> labels(ContainerSpec spec, String digest, String intent) {
        var labels = new LinkedHashMap<String, Object>(spec.labels());
        labels.put(Labels.INSTANCE, config.instance());
        labels.put(Labels.CONTAINER, spec.name());
        labels.put(Labels.SPEC, digest);
        labels.put(Labels.INTENT, intent);
        return labels;
    }

    private static Map<String, Object> exposedPorts(ContainerSpec spec) {
        var ports = new LinkedHashMap<String, Object>();
        spec.ports().forEach(p -> ports.put(p.containerPort() + "/" + p.protocol(), Map.of()));
        return ports;
    }

    private static Map<String, Object> health(Healthcheck check) {
        return Json.of(
                "Test",
                check.test(),
                "Interval",
                check.interval().toNanos(),
                "Timeout",
                check.timeout().toNanos(),
                "Retries",
                check.retries(),
                "StartPeriod",
                check.startPeriod().toNanos());
    }

    private Map<String, Object> hostConfig(ContainerSpec spec) {
        var host = new LinkedHashMap<String, Object>();
        host.put("NetworkMode", config.network());
        host.put("PortBindings", portBindings(spec));
        host.put("Mounts", spec.volumes().stream().map(this::mount).toList());
        putIf(host, "Memory", spec.memoryBytes());
        host.put("Privileged", spec.privileged());
        // The supervisor alone restarts: two restarters undo each other's order and back-off.
        host.put("RestartPolicy", Json.of("Name", "no", "MaximumRetryCount", 0));
        host.put("LogConfig", LOGS);
        return host;
    }

    private static Map<String, Object> portBindings(ContainerSpec spec) {
        var bindings = new LinkedHashMap<String, Object>();
        for (var p : spec.ports()) {
            String key = p.containerPort() + "/" + p.protocol();
            var list = new ArrayList<Object>();
            if (bindings.get(key) instanceof List<?> earlier) {
                list.addAll(earlier);
            }
            String hostPort = p.hostPort() == 0 ? "" : Integer.toString(p.hostPort());
            list.add(Json.of("HostIp", p.hostIp(), "HostPort", hostPort));
            bindings.put(key, list);
        }
        return bindings;
    }

    /** Mounts, not binds: a missing source is then refused instead of made on the root disk. */
    private Map<String, Object> mount(Volume volume) {
        return Json.of(
                "Type",
                "bind",
                "Source",
                source(volume).toString(),
                "Target",
                volume.target(),
                "ReadOnly",
                volume.readOnly());
    }

    /**
     * The directory of the VM that a volume stands for; a relative source that climbs out of its
     * disk is refused.
     */
    Path source(Volume volume) {
        return switch (volume.kind()) {
            case STORE -> below(config.store(), volume.source());
            case DATA -> below(config.data(), volume.source());
            case HOST -> Path.of(volume.source());
        };
    }

    private static Path below(Path root, String relative) {
        Path path = root.resolve(relative).normalize();
        if (!path.startsWith(root)) {
            throw new IllegalArgumentException(
                    "volume source '" + relative + "' leads out of " + root);
        }
        return path;
    }

    private Map<String, Object> networking(ContainerSpec spec) {
        var endpoint = new LinkedHashMap<String, Object>();
        endpoint.put("Aliases", List.of(spec.name()));
        if (!spec.links().isEmpty()) {
            endpoint.put(
                    "Links",
                    spec.links().stream().map(l -> l.container() + ":" + l.alias()).toList());
        }
        return Json.of("EndpointsConfig", Json.of(config.network(), endpoint));
    }

    private static long wholeSeconds(Duration time) {
        return (time.toMillis() + 999) / 1000;
    }

    private static void putIf(Map<String, Object> tree, String key, @Nullable Object value) {
        if (value != null) {
            tree.put(key, value);
        }
    }
}
