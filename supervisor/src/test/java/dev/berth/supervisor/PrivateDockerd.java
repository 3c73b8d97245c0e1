package dev.berth.supervisor;

import dev.berth.engine.DockerEngine;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A Docker daemon of the test's own, with live-restore, and a tiny image made from this machine.
 */
final class PrivateDockerd implements AutoCloseable {
    static final String IMAGE = "berth-tiny:1";
    final Path home;
    final DockerEngine engine;
    final DockerdProcess process;

    private final int net = ThreadLocalRandom.current().nextInt(16, 250);
    private java.util.function.BooleanSupplier mayStart = () -> true;

    PrivateDockerd() throws IOException {
        home = Files.createTempDirectory("berth-sup");
        engine = new DockerEngine(home.resolve("docker.sock"));
        process = new DockerdProcess(home.resolve("docker.pid"), List.of(script().toString()));
    }

    private PrivateDockerd(Path home, List<String> command) {
        this.home = home;
        engine = new DockerEngine(home.resolve("docker.sock"));
        process =
                new DockerdProcess(
                        home.resolve("docker.pid"), command, () -> mayStart.getAsBoolean());
    }

    /** Started by the script that starts it in a VM, with the files that an agent writes there. */
    static PrivateDockerd byTheVmsScript() throws IOException {
        Path home = Files.createTempDirectory("berth-sup");
        Path script =
                Path.of("../stemcell/src/main/resources/dev/berth/stemcell/berth-dockerd")
                        .toAbsolutePath();
        var dockerd =
                new PrivateDockerd(
                        home,
                        List.of(
                                "env",
                                "BERTH_DOCKERD_HOME=" + home.resolve("dockerd"),
                                "BERTH_DOCKERD_RUN=" + home,
                                "BERTH_DOCKERD_LOG=" + home.resolve("log"),
                                "BERTH_DOCKERD_DEFAULT=" + home.resolve("default.json"),
                                "sh",
                                script.toString()));
        Files.writeString(
                home.resolve("default.json"),
                Json.write(DaemonFiles.of(DaemonSettings.NONE, 0, dockerd.place()).json()));
        return dockerd;
    }

    void startsOnlyIf(java.util.function.BooleanSupplier condition) {
        mayStart = condition;
    }

    /** Where everything of the daemon that the VM's script starts is. */
    DaemonPlace place() {
        return new DaemonPlace(
                home.resolve("dockerd"),
                Json.of(
                        "hosts",
                        List.of("unix://" + home + "/docker.sock"),
                        "pidfile",
                        home + "/docker.pid",
                        "exec-root",
                        home + "/docker",
                        "bridge",
                        "none",
                        "userland-proxy",
                        false,
                        "default-address-pools",
                        List.of(Json.of("base", "10." + net + ".0.0/16", "size", 24L))),
                home.resolve("data"),
                home.resolve("certs.d"),
                home.resolve("store"),
                home.resolve("log"),
                Path.of("/proc/sys"));
    }

    /** Detached as in a VM: the daemon must outlive whoever started it. */
    private Path script() throws IOException {
        Path script = home.resolve("start");
        Files.writeString(
                script,
                """
                #!/bin/sh
                cd %1$s
                setsid dockerd -H unix://%1$s/docker.sock --data-root %1$s/data \\
                  --exec-root %1$s/exec -p %1$s/docker.pid --live-restore --bridge none \\
                  --userland-proxy=false --default-address-pool base=10.%2$d.0.0/16,size=24 \\
                  >>%1$s/log 2>&1 </dev/null &
                """
                        .formatted(home, net));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
        return script;
    }

    void start() throws InterruptedException {
        process.start();
        SupervisorTest.await(() -> engine.ping(Duration.ofSeconds(1)));
    }

    void importImage() throws IOException {
        importImage(engine);
    }

    static void importImage(DockerEngine engine) throws IOException {
        Process tar =
                new ProcessBuilder(
                                "sh",
                                "-c",
                                "tar -ch -C / $(ldd /bin/sh /bin/sleep /bin/cat /bin/kill | grep -o '/[^ ]*"
                                        + " (' | tr -d '( ' | sed s,^/,,| sort -u) bin/sh bin/sleep"
                                        + " bin/cat bin/kill")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try (InputStream root = tar.getInputStream()) {
            engine.importImage(root, "berth-tiny", "1", List.of("ENV PATH=/bin"));
        }
    }

    long pid() {
        return process.find().orElseThrow().pid();
    }

    @Override
    public void close() throws IOException, InterruptedException {
        if (process.find().isPresent() && engine.ping(Duration.ofSeconds(2))) {
            for (Map<String, Object> row :
                    engine.listContainers(Map.of(), Duration.ofSeconds(10))) {
                engine.removeContainer(String.valueOf(row.get("Id")), true, true);
            }
            engine.removeNetwork("berth");
        }
        process.find().ifPresent(d -> process.signal(d.pid(), DaemonProcess.Signal.TERM));
        SupervisorTest.await(() -> process.find().isEmpty());
        engine.close();
        // containerd of a daemon that was killed stays behind for the next; here there is none.
        for (String root : List.of("exec", "docker")) {
            Path containerd = home.resolve(root).resolve("containerd/containerd.pid");
            if (Files.exists(containerd)) {
                long pid = Long.parseLong(Files.readString(containerd).strip());
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
            }
        }
        new ProcessBuilder(
                        "sh",
                        "-c",
                        "grep -o ' " + home + "[^ ]*' /proc/mounts | tac | xargs -r umount -l")
                .start()
                .waitFor();
        try (Stream<Path> files = Files.walk(home)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
