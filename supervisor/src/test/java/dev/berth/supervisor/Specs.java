package dev.berth.supervisor;

import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerNetwork;
import dev.berth.model.ContainerNetwork.Link;
import dev.berth.model.ContainerNetwork.PortBinding;
import dev.berth.model.ContainerOrder;
import dev.berth.model.ContainerOrder.Dependency;
import dev.berth.model.ContainerOrder.Dependency.Condition;
import dev.berth.model.ContainerOrder.Healthcheck;
import dev.berth.model.ContainerOrder.Hook;
import dev.berth.model.ContainerOrder.Restart;
import dev.berth.model.ContainerProcess;
import dev.berth.model.ContainerResources;
import dev.berth.model.ContainerResources.Memory;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage;
import dev.berth.model.ContainerStorage.MountedFile;
import dev.berth.model.ContainerStorage.Volume;
import dev.berth.model.Secret;
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
    private @Nullable String mode;
    private List<Hook> postStart = List.of();
    private List<Hook> preStop = List.of();
    private final List<MountedFile> secrets = new ArrayList<>();
    private Memory memory = Memory.DEFAULT;
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

    /** With data on a disk that has a name. */
    Specs disk(String name) {
        return volume(Volume.Kind.HOST, "/var/vcap/disks/" + name, "/" + name);
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
        return checked("true");
    }

    Specs checked(String command) {
        check =
                new Healthcheck(
                        List.of("CMD-SHELL", command),
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

    Specs joinsNetworkOf(String other) {
        mode = "service:" + other;
        return this;
    }

    Specs hooks(@Nullable String afterStart, @Nullable String beforeStop) {
        postStart = hook(afterStart);
        preStop = hook(beforeStop);
        return this;
    }

    private static List<Hook> hook(@Nullable String command) {
        return command == null
                ? List.of()
                : List.of(new Hook(List.of(command), null, null, false, Map.of()));
    }

    Specs retry(Restart how) {
        restart = how;
        return this;
    }

    Specs secret(String target, String content) {
        secrets.add(new MountedFile("s", target, new Secret(content), 7, 8, 0440));
        return this;
    }

    Specs memory(long bytes) {
        memory = Memory.limitedTo(bytes);
        return this;
    }

    ContainerSpec make() {
        ContainerProcess none = ContainerProcess.DEFAULT;
        return ContainerSpec.of(
                        name,
                        new ContainerImage(
                                image,
                                digest,
                                dockerfile,
                                null,
                                ContainerImage.Pull.MISSING,
                                null,
                                null))
                .with(
                        new ContainerProcess(
                                command,
                                entrypoint,
                                environment,
                                List.of(),
                                user,
                                none.workingDir(),
                                none.hostname(),
                                none.domainname(),
                                none.init(),
                                false,
                                false,
                                Map.of(),
                                Map.of(),
                                none.runtime()))
                .with(
                        new ContainerOrder(
                                dependencies,
                                restart,
                                check,
                                Duration.ZERO,
                                null,
                                grace,
                                postStart,
                                preStop))
                .with(
                        new ContainerNetwork(
                                mode, List.of(), ports, List.of(), links, List.of(), List.of(),
                                List.of(), List.of(), List.of(), null))
                .with(
                        new ContainerStorage(
                                volumes, List.of(), Map.of(), secrets, List.of(), Map.of(), false))
                .with(ContainerResources.ofMemory(memory));
    }
}
