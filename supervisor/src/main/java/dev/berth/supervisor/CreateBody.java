package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Healthcheck;
import dev.berth.model.ContainerProcess;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage;
import dev.berth.model.ContainerStorage.MountedFile;
import dev.berth.model.ContainerStorage.Volume;
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
    private final SupervisorConfig config;

    CreateBody(SupervisorConfig config) {
        this.config = config;
    }

    /**
     * What a body needs beside the spec.
     *
     * @param imageEntrypoint what the image runs, needed only when the spec clears the image's
     *     command and keeps its entrypoint: the engine has no other way to say that
     * @param fileEnvironment {@code NAME=VALUE} out of the spec's files
     * @param securityOptions the spec's, with files replaced by what they hold
     */
    record Surroundings(
            EngineFacts facts,
            @Nullable List<String> imageEntrypoint,
            Map<String, String> fileEnvironment,
            List<String> securityOptions) {}

    /**
     * @param tree the body
     * @param later attachments to networks that this engine does not take at create
     * @param warnings what is left out, each with its reason
     */
    record Made(
            Map<String, Object> tree,
            Map<String, Map<String, Object>> later,
            List<String> warnings) {}

    Made of(ContainerSpec spec, String digest, String intent, Surroundings around) {
        var warnings = new ArrayList<String>();
        var body = new LinkedHashMap<String, Object>();
        body.put("Image", Images.nameOf(spec));
        process(body, spec, around);
        body.put("Labels", labels(spec, digest, intent));
        body.put("ExposedPorts", exposedPorts(spec));
        putIf(body, "StopSignal", spec.order().stopSignal());
        body.put("StopTimeout", wholeSeconds(spec.order().stopGracePeriod()));
        Healthcheck check = spec.order().healthcheck();
        if (check != null) {
            body.put("Healthcheck", health(check, around.facts, warnings));
        }
        var host = new HostConfig(spec, around, warnings).tree();
        host.put("Mounts", mounts(spec));
        body.put("HostConfig", host);
        var networks = new NetworkBody(spec, config.network(), around.facts, warnings);
        networks.into(body, host);
        return new Made(body, networks.later(), List.copyOf(warnings));
    }

    private static void process(Map<String, Object> body, ContainerSpec spec, Surroundings around) {
        ContainerProcess process = spec.process();
        List<String> entrypoint = process.entrypoint();
        List<String> command = process.command();
        if (entrypoint != null) {
            // [""] is how the engine is told to clear the entrypoint and the image's command.
            body.put("Entrypoint", entrypoint.isEmpty() ? List.of("") : entrypoint);
        } else if (command != null && command.isEmpty() && around.imageEntrypoint != null) {
            body.put("Entrypoint", around.imageEntrypoint);
        }
        putIf(body, "Cmd", command);
        var merged = new LinkedHashMap<>(around.fileEnvironment);
        merged.putAll(process.environment());
        var environment = new ArrayList<String>();
        merged.forEach((key, value) -> environment.add(key + "=" + value));
        body.put("Env", environment);
        putIf(body, "User", process.user());
        putIf(body, "WorkingDir", process.workingDir());
        putIf(body, "Hostname", process.hostname());
        putIf(body, "Domainname", process.domainname());
        if (process.tty()) {
            body.put("Tty", true);
        }
        if (process.stdinOpen()) {
            body.put("OpenStdin", true);
        }
    }

    private Map<String, Object> labels(ContainerSpec spec, String digest, String intent) {
        var labels = new LinkedHashMap<String, Object>(spec.process().labels());
        labels.put(Labels.INSTANCE, config.instance());
        labels.put(Labels.CONTAINER, spec.name());
        labels.put(Labels.SPEC, digest);
        labels.put(Labels.FIXED, spec.fixedDigest());
        labels.put(Labels.INTENT, intent);
        return labels;
    }

    private static Map<String, Object> exposedPorts(ContainerSpec spec) {
        var ports = new LinkedHashMap<String, Object>();
        spec.network()
                .ports()
                .forEach(p -> ports.put(p.containerPort() + "/" + p.protocol(), Map.of()));
        spec.network().exposed().forEach(port -> ports.put(port, Map.of()));
        return ports;
    }

    private static Map<String, Object> health(
            Healthcheck check, EngineFacts facts, List<String> warnings) {
        Map<String, Object> health =
                Json.of(
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
        if (!check.startInterval().isZero() && facts.api() < 44) {
            warnings.add("its engine does not know 'start_interval' yet (API 1.44)");
        } else if (!check.startInterval().isZero()) {
            health.put("StartInterval", check.startInterval().toNanos());
        }
        return health;
    }

    // --- mounts

    private List<Map<String, Object>> mounts(ContainerSpec spec) {
        var mounts = new ArrayList<Map<String, Object>>();
        spec.storage().volumes().forEach(v -> mounts.add(mount(v)));
        for (List<MountedFile> files :
                List.of(spec.storage().secrets(), spec.storage().configs())) {
            for (MountedFile file : files) {
                mounts.add(
                        Json.of(
                                "Type",
                                "bind",
                                "Source",
                                file(spec, file).toString(),
                                "Target",
                                file.target(),
                                "ReadOnly",
                                true));
            }
        }
        return mounts;
    }

    /** Mounts, not binds: a missing source is then refused instead of made on the root disk. */
    private Map<String, Object> mount(Volume volume) {
        Volume.Options options = volume.options();
        if (volume.kind() == Volume.Kind.TMPFS) {
            var memory = new LinkedHashMap<String, Object>();
            putIf(memory, "SizeBytes", options.sizeBytes() == 0 ? null : options.sizeBytes());
            putIf(memory, "Mode", options.mode() == 0 ? null : options.mode());
            Map<String, Object> mount =
                    Json.of(
                            "Type",
                            "tmpfs",
                            "Target",
                            volume.target(),
                            "ReadOnly",
                            volume.readOnly());
            putIf(mount, "TmpfsOptions", memory.isEmpty() ? null : memory);
            return mount;
        }
        Map<String, Object> mount =
                Json.of(
                        "Type",
                        "bind",
                        "Source",
                        source(volume).toString(),
                        "Target",
                        volume.target(),
                        "ReadOnly",
                        volume.readOnly());
        var bind = new LinkedHashMap<String, Object>();
        putIf(bind, "Propagation", volume.propagation().isEmpty() ? null : volume.propagation());
        putIf(bind, "NonRecursive", options.flat() ? true : null);
        putIf(mount, "BindOptions", bind.isEmpty() ? null : bind);
        return mount;
    }

    /**
     * The directory of the VM that a volume stands for; a relative source that climbs out of its
     * disk is refused.
     */
    Path source(Volume volume) {
        return switch (volume.kind()) {
            case STORE -> below(config.store(), volume.source());
            case DATA -> below(config.data(), volume.source());
            case HOST ->
                    volume.namedDisk().isEmpty()
                            ? Path.of(volume.source())
                            : below(
                                    config.disks(),
                                    volume.source()
                                            .substring(ContainerStorage.NAMED_DISKS.length()));
            case TMPFS -> throw new IllegalArgumentException("memory has no directory");
        };
    }

    /** Where the VM holds the content of a secret or config, in memory. */
    Path file(ContainerSpec spec, MountedFile file) {
        String flat = file.target().substring(1).replace('/', '~');
        return below(files(spec.name(), spec.fixedDigest()), flat);
    }

    /**
     * By what cannot change in a living container, since for a while there may be two of a name.
     */
    Path files(String container, String fixedDigest) {
        String folder = fixedDigest.substring(0, Math.min(16, fixedDigest.length()));
        return below(config.run(), "files/" + container + "/" + folder);
    }

    private static Path below(Path root, String relative) {
        Path path = root.resolve(relative).normalize();
        if (!path.startsWith(root)) {
            throw new IllegalArgumentException(
                    "volume source '" + relative + "' leads out of " + root);
        }
        return path;
    }

    private static long wholeSeconds(Duration time) {
        return (time.toMillis() + 999) / 1000;
    }

    static void putIf(Map<String, Object> tree, String key, @Nullable Object value) {
        if (value != null) {
            tree.put(key, value);
        }
    }

    /** What says nothing is left out: to some engines an empty list is not the same as none. */
    static void putFilled(Map<String, Object> tree, String key, Object value) {
        if (!value.equals(List.of()) && !value.equals(Map.of())) {
            tree.put(key, value);
        }
    }
}
