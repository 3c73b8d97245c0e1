package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerSpec.Dependency;
import dev.berth.model.ContainerSpec.Dependency.Condition;
import dev.berth.model.ContainerSpec.Healthcheck;
import dev.berth.model.ContainerSpec.Link;
import dev.berth.model.ContainerSpec.PortBinding;
import dev.berth.model.ContainerSpec.Restart;
import dev.berth.model.ContainerSpec.Volume;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Builds container specs for tests. */
final class Specs {
    private final String name;
    private @Nullable String image = "img:1";
    private @Nullable String digest;
    private @Nullable String dockerfile;
    private @Nullable List<String> command;
    private @Nullable List<String> entrypoint;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<PortBinding> ports = new ArrayList<>();
    private final List<Volume> volumes = new ArrayList<>();
    private final List<Dependency> dependencies = new ArrayList<>();
    private final List<Link> links = new ArrayList<>();
    private @Nullable Healthcheck check;
    private Restart restart = new Restart(Restart.Policy.ALWAYS, 0);
    private @Nullable String user;
    private Duration grace = Duration.ofSeconds(10);

    private Specs(String name) {
        this.name = name;
    }

    static Specs named(String name) {
        return new Specs(name);
    }

    Specs image(String reference) {
        image = reference;
        return this;
    }

    Specs digest(String sha) {
        digest = sha;
        return this;
    }

    Specs dockerfile(String text) {
        dockerfile = text;
        image = null;
        return this;
    }

    Specs command(String... words) {
        command = List.of(words);
        return this;
    }

    Specs entrypoint(String... words) {
        entrypoint = List.of(words);
        return this;
    }

    Specs env(String key, String value) {
        environment.put(key, value);
        return this;
    }

    Specs port(int host, int container) {
        ports.add(new PortBinding("", host, container, "tcp"));
        return this;
    }

    Specs volume(Volume.Kind kind, String source, String target) {
        volumes.add(new Volume(kind, source, target, false));
        return this;
    }

    Specs store() {
        return volume(Volume.Kind.STORE, ".", "/data");
    }

    Specs after(String... others) {
        for (String other : others) {
            needs(other, Condition.STARTED, true, true);
        }
        return this;
    }

    Specs needs(String other, Condition condition, boolean restarts, boolean required) {
        dependencies.add(new Dependency(other, condition, restarts, required));
        return this;
    }

    Specs link(String other, String alias) {
        links.add(new Link(other, alias));
        return this;
    }

    Specs checked() {
        check =
                new Healthcheck(
                        List.of("CMD", "true"),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(2),
                        3,
                        Duration.ZERO);
        return this;
    }

    Specs restart(Restart.Policy policy) {
        restart = new Restart(policy, 0);
        return this;
    }

    Specs retries(int maximum) {
        restart = new Restart(Restart.Policy.ON_FAILURE, maximum);
        return this;
    }

    Specs user(String who) {
        user = who;
        return this;
    }

    Specs grace(Duration time) {
        grace = time;
        return this;
    }

    ContainerSpec make() {
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
                dependencies,
                links,
                null,
                user,
                null,
                null,
                false,
                Map.of(),
                check,
                restart,
                null,
                grace);
    }
}
