package dev.berth.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one container should be: the union of what the three notations of a manifest can say, in
 * engine-neutral terms. Values of {@link #environment} may be secrets: never print a spec, print
 * its {@link #digest()}.
 *
 * @param name unique in its instance; {@code [a-zA-Z0-9][a-zA-Z0-9_.-]+}
 * @param image reference as the manifest gives it; null only with {@code dockerfile}
 * @param imageDigest {@code sha256:...} the deploy pinned the reference to; null until pinned
 * @param dockerfile text of an inline Dockerfile, built where the container runs; null when pulled
 * @param command null: the image's own; empty: cleared
 * @param entrypoint null: the image's own; setting it clears the image's command, as in Docker
 * @param memoryBytes hard limit; null: none
 */
public record ContainerSpec(
        String name,
        @Nullable String image,
        @Nullable String imageDigest,
        @Nullable String dockerfile,
        @Nullable List<String> command,
        @Nullable List<String> entrypoint,
        Map<String, String> environment,
        List<PortBinding> ports,
        List<Volume> volumes,
        List<Dependency> dependsOn,
        List<Link> links,
        @Nullable Long memoryBytes,
        @Nullable String user,
        @Nullable String workingDir,
        @Nullable String hostname,
        boolean privileged,
        Map<String, String> labels,
        @Nullable Healthcheck healthcheck,
        Restart restart,
        @Nullable String stopSignal,
        Duration stopGracePeriod) {

    /**
     * A published port.
     *
     * @param hostIp address on the VM; empty: all
     * @param hostPort 0: the engine chooses
     * @param protocol {@code tcp}, {@code udp} or {@code sctp}
     */
    public record PortBinding(String hostIp, int hostPort, int containerPort, String protocol) {}

    /**
     * A mount.
     *
     * @param source for STORE a directory below the persistent disk, for DATA one below the
     *     ephemeral disk (both relative, made when missing), for HOST an absolute path of the VM
     *     that must exist
     */
    public record Volume(Kind kind, String source, String target, boolean readOnly) {
        /**
         * Where the bytes live: on the persistent disk, on the ephemeral disk, or at a path of the
         * VM.
         */
        public enum Kind {
            STORE,
            DATA,
            HOST
        }
    }

    /**
     * An edge to another container of the instance.
     *
     * @param restart whether the loss of {@code container} restarts this one (default true)
     */
    public record Dependency(
            String container, Condition condition, boolean restart, boolean required) {
        /** What must hold of the other container before this one starts. */
        public enum Condition {
            STARTED,
            HEALTHY,
            COMPLETED
        }
    }

    /** A name by which this container reaches another; implies a dependency. */
    public record Link(String container, String alias) {}

    /** As the Engine's: {@code test} begins with NONE, CMD or CMD-SHELL; zero durations inherit. */
    public record Healthcheck(
            List<String> test,
            Duration interval,
            Duration timeout,
            int retries,
            Duration startPeriod) {}

    /** When the supervisor starts it again; {@code maximumRetries} 0: no limit. */
    public record Restart(Policy policy, int maximumRetries) {
        /** Compose's policies; one-shots are NO or ON_FAILURE containers others wait for. */
        public enum Policy {
            NO,
            ALWAYS,
            ON_FAILURE,
            UNLESS_STOPPED
        }
    }

    public boolean usesPersistentDisk() {
        return volumes.stream().anyMatch(v -> v.kind() == Volume.Kind.STORE);
    }

    /** Names of the containers this one must wait for, links included. */
    public List<String> needs() {
        var names = new ArrayList<String>();
        dependsOn.forEach(d -> names.add(d.container()));
        links.stream().map(Link::container).filter(n -> !names.contains(n)).forEach(names::add);
        return names;
    }

    public ContainerSpec pinnedTo(String digest) {
        return new ContainerSpec(
                name,
                image,
                digest,
                dockerfile,
                command,
                entrypoint,
                environment,
                ports,
                volumes,
                dependsOn,
                links,
                memoryBytes,
                user,
                workingDir,
                hostname,
                privileged,
                labels,
                healthcheck,
                restart,
                stopSignal,
                stopGracePeriod);
    }

    ContainerSpec restartedBy(Restart policy) {
        return new ContainerSpec(
                name,
                image,
                imageDigest,
                dockerfile,
                command,
                entrypoint,
                environment,
                ports,
                volumes,
                dependsOn,
                links,
                memoryBytes,
                user,
                workingDir,
                hostname,
                privileged,
                labels,
                healthcheck,
                policy,
                stopSignal,
                stopGracePeriod);
    }

    /**
     * SHA-256 over everything the spec says: equal digests mean there is nothing to change (rule
     * R5).
     */
    public String digest() {
        return Digests.sha256(Json.canonical(toTree()));
    }

    /** The form that travels in the apply spec; {@link #fromTree} reads it back. */
    public Map<String, Object> toTree() {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("name", name);
        put(tree, "image", image);
        put(tree, "image_digest", imageDigest);
        put(tree, "dockerfile", dockerfile);
        put(tree, "command", command);
        put(tree, "entrypoint", entrypoint);
        tree.put("environment", environment);
        tree.put(
                "ports",
                ports.stream()
                        .map(p ->
                                Json.of(
                                        "host_ip",
                                        p.hostIp,
                                        "host_port",
                                        p.hostPort,
                                        "container_port",
                                        p.containerPort,
                                        "protocol",
                                        p.protocol))
                        .toList());
        tree.put(
                "volumes",
                volumes.stream()
                        .map(v ->
                                Json.of(
                                        "kind",
                                        v.kind.name(),
                                        "source",
                                        v.source,
                                        "target",
                                        v.target,
                                        "read_only",
                                        v.readOnly))
                        .toList());
        tree.put(
                "depends_on",
                dependsOn.stream()
                        .map(d ->
                                Json.of(
                                        "container",
                                        d.container,
                                        "condition",
                                        d.condition.name(),
                                        "restart",
                                        d.restart,
                                        "required",
                                        d.required))
                        .toList());
        tree.put(
                "links",
                links.stream()
                        .map(l -> Json.of("container", l.container, "alias", l.alias))
                        .toList());
        put(tree, "memory_bytes", memoryBytes);
        put(tree, "user", user);
        put(tree, "working_dir", workingDir);
        put(tree, "hostname", hostname);
        tree.put("privileged", privileged);
        tree.put("labels", labels);
        if (healthcheck != null) {
            tree.put(
                    "healthcheck",
                    Json.of(
                            "test",
                            healthcheck.test,
                            "interval_ms",
                            healthcheck.interval.toMillis(),
                            "timeout_ms",
                            healthcheck.timeout.toMillis(),
                            "retries",
                            healthcheck.retries,
                            "start_period_ms",
                            healthcheck.startPeriod.toMillis()));
        }
        tree.put(
                "restart",
                Json.of(
                        "policy",
                        restart.policy.name(),
                        "maximum_retries",
                        restart.maximumRetries));
        put(tree, "stop_signal", stopSignal);
        tree.put("stop_grace_period_ms", stopGracePeriod.toMillis());
        return tree;
    }

    public static ContainerSpec fromTree(Object tree) {
        Fields f = Fields.of(tree, "container");
        Fields health = f.object("healthcheck");
        return new ContainerSpec(
                f.string("name"),
                f.optionalString("image"),
                f.optionalString("image_digest"),
                f.optionalString("dockerfile"),
                f.has("command") ? f.strings("command") : null,
                f.has("entrypoint") ? f.strings("entrypoint") : null,
                f.stringMap("environment"),
                f.objects("ports").stream()
                        .map(p ->
                                new PortBinding(
                                        p.string("host_ip", ""),
                                        (int) p.integer("host_port", 0),
                                        (int) p.integer("container_port"),
                                        p.string("protocol", "tcp")))
                        .toList(),
                f.objects("volumes").stream()
                        .map(v ->
                                new Volume(
                                        Volume.Kind.valueOf(v.string("kind")),
                                        v.string("source"),
                                        v.string("target"),
                                        v.flag("read_only", false)))
                        .toList(),
                f.objects("depends_on").stream()
                        .map(d ->
                                new Dependency(
                                        d.string("container"),
                                        Dependency.Condition.valueOf(
                                                d.string("condition", "STARTED")),
                                        d.flag("restart", true),
                                        d.flag("required", true)))
                        .toList(),
                f.objects("links").stream()
                        .map(l -> new Link(l.string("container"), l.string("alias")))
                        .toList(),
                f.optionalInteger("memory_bytes"),
                f.optionalString("user"),
                f.optionalString("working_dir"),
                f.optionalString("hostname"),
                f.flag("privileged", false),
                f.stringMap("labels"),
                f.has("healthcheck")
                        ? new Healthcheck(
                                health.strings("test"),
                                Duration.ofMillis(health.integer("interval_ms", 0)),
                                Duration.ofMillis(health.integer("timeout_ms", 0)),
                                (int) health.integer("retries", 0),
                                Duration.ofMillis(health.integer("start_period_ms", 0)))
                        : null,
                new Restart(
                        Restart.Policy.valueOf(f.object("restart").string("policy", "ALWAYS")),
                        (int) f.object("restart").integer("maximum_retries", 0)),
                f.optionalString("stop_signal"),
                Duration.ofMillis(f.integer("stop_grace_period_ms", 10_000)));
    }

    /** Name and digest only: values of the environment may be secrets (rule R8). */
    @Override
    public String toString() {
        return "ContainerSpec[" + name + " " + digest().substring(0, 12) + "]";
    }

    private static void put(Map<String, Object> tree, String key, @Nullable Object value) {
        if (value != null) {
            tree.put(key, value);
        }
    }
}
