package dev.berth.acceptance;

import dev.berth.engine.Engine;
import dev.berth.engine.Engine.RegistryAuth;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The baseline: a VM container of the same stemcell with the same rights and the same inner engine,
 * made by Engine API calls alone; no director, no agent, no settings. Whoever works so knows what
 * to do next without asking, and looks after nothing.
 */
final class BareVm implements AutoCloseable {
    private static final String NAME = "berth-bench-bare";

    /** The stemcell's own way to boot, up to the line where it would begin to keep an agent. */
    private static final String BOOT =
            """
            sed -e '/^while :; do/,$d' -e 's/^prepare_cgroups$/prepare_cgroups; %s/' /var/vcap/bosh/bin/berth-init > /boot.sh
            echo 'while :; do sleep 3600 & wait; done' >> /boot.sh
            exec /usr/bin/tini -- sh /boot.sh
            """;

    private final Engine outer;
    private final BenchVm vm;
    private final String registry;
    private final RegistryAuth auth;

    private BareVm(Engine outer, BenchVm vm, EnvironmentFile file) {
        this.outer = outer;
        this.vm = vm;
        this.registry = EnvironmentFile.REGISTRY_NAME + ":" + file.registryPort();
        this.auth =
                new RegistryAuth(file.registryUser(), file.registryPassword().reveal(), registry);
    }

    /**
     * Made and its engine answering.
     *
     * @param like the inspected VM whose image, rights and network it gets
     * @param disk device to mount at /var/vcap/store; empty: none
     */
    static BareVm start(BenchEnvironment environment, Fields like, String disk) {
        Engine outer = environment.engine();
        outer.removeContainer(NAME, true, true);
        String id = outer.createContainer(NAME, body(environment, like, disk));
        outer.startContainer(id);
        var vm = new BenchVm(outer, id);
        BenchTools.await("the bare engine", 30, 5, () -> vm.inner().ping(Duration.ofSeconds(1)));
        return new BareVm(outer, vm, environment.file());
    }

    private static Map<String, Object> body(
            BenchEnvironment environment, Fields like, String disk) {
        EnvironmentFile file = environment.file();
        Fields host = like.object("HostConfig");
        String mount = disk.isEmpty() ? ":" : "mount \\/dev\\/bench \\/var\\/vcap\\/store";
        Map<String, Object> config =
                Json.of(
                        "NetworkMode",
                        file.networkName(),
                        "CapAdd",
                        host.strings("CapAdd"),
                        "SecurityOpt",
                        host.strings("SecurityOpt"),
                        "MaskedPaths",
                        List.of(),
                        "ReadonlyPaths",
                        List.of(),
                        "DeviceCgroupRules",
                        host.strings("DeviceCgroupRules"),
                        "CgroupnsMode",
                        "private",
                        "Memory",
                        host.integer("Memory", 0),
                        "ExtraHosts",
                        List.of(EnvironmentFile.REGISTRY_NAME + ":" + file.gateway()),
                        "Mounts",
                        List.of(
                                Json.of("Type", "volume", "Target", "/var/vcap/data"),
                                Json.of(
                                        "Type",
                                        "bind",
                                        "ReadOnly",
                                        true,
                                        "Source",
                                        environment.ca().toString(),
                                        "Target",
                                        "/etc/docker/certs.d/"
                                                + EnvironmentFile.REGISTRY_NAME
                                                + ":"
                                                + file.registryPort()
                                                + "/ca.crt")));
        if (!disk.isEmpty()) {
            config.put(
                    "Devices",
                    List.of(
                            Json.of(
                                    "PathOnHost",
                                    disk,
                                    "PathInContainer",
                                    "/dev/bench",
                                    "CgroupPermissions",
                                    "rwm")));
        }
        return Json.of(
                "Image",
                like.string("Image"),
                "Cmd",
                List.of("/bin/sh", "-c", BOOT.formatted(mount)),
                "HostConfig",
                config,
                "NetworkingConfig",
                Json.of(
                        "EndpointsConfig",
                        Json.of(
                                file.networkName(),
                                Json.of(
                                        "IPAMConfig",
                                        Json.of("IPv4Address", environment.spareAddress())))));
    }

    BenchVm vm() {
        return vm;
    }

    /**
     * Pulls what manifests call {@code registry.berth/NAME:TAG}; returns what it is called here.
     */
    String pull(String image) {
        String name = registry + image.substring(image.indexOf('/'));
        vm.inner().pullImage(name, auth, progress -> {});
        return name;
    }

    /** Creates and starts a container. */
    String run(String name, Map<String, Object> body) {
        String id = vm.inner().createContainer(name, body);
        vm.inner().startContainer(id);
        return id;
    }

    /** Several at once, as many as are asked for; all run when it returns. */
    void runTogether(Map<String, Map<String, Object>> bodies) {
        var works = new ArrayList<Runnable>();
        bodies.forEach((name, body) -> works.add(() -> run(name, body)));
        BenchTools.together(works);
    }

    @Override
    public void close() {
        vm.close();
        outer.removeContainer(NAME, true, true);
    }
}
