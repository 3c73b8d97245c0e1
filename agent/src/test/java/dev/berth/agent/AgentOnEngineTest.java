package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.supervisor.DockerdProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole agent, wired as in a VM, on a Docker daemon and a loop device of its own; needs root.
 */
@Tag("engine")
class AgentOnEngineTest {
    private static final String ID = "agent-1";
    private static final long MIB = 1024 * 1024;

    @TempDir Path folder = Path.of("");
    private final Programs programs = new Programs.Real();
    private @org.jspecify.annotations.Nullable NatsServer server;
    private @org.jspecify.annotations.Nullable DirectorSide side;
    private Main.@org.jspecify.annotations.Nullable Running agent;
    private String loop = "";
    private String second = "";

    @BeforeEach
    void setUp() throws Exception {
        server = new NatsServer(folder, "");
        side = new DirectorSide(server.url(), ID, null);
        Path start = folder.resolve("vcap/bosh/bin/berth-dockerd");
        Files.createDirectories(start.resolveSibling(""));
        Files.writeString(
                start,
                """
                #!/bin/sh
                cd %s
                setsid dockerd -H unix://$PWD/docker.sock --data-root $PWD/docker --exec-root $PWD/exec \
                  -p $PWD/docker.pid --live-restore --bridge none --default-address-pool base=100.93.0.0/16,size=24 >> dockerd.log 2>&1 < /dev/null &
                """
                        .formatted(folder));
        assertThat(start.toFile().setExecutable(true)).isTrue();
        Files.writeString(
                folder.resolve("settings.json"),
                Json.write(
                        Json.of(
                                "agent_id",
                                ID,
                                "mbus",
                                server.url(),
                                "networks",
                                Json.of("default", Json.of("type", "manual")))));
        loop = plug("disk.img", 64 * MIB);
        start();
        awaitState(beat -> "up".equals(beat.get("daemon")));
        docker("import", image().toString(), "test/sh:1");
    }

    private void start() {
        Main.Options options =
                Main.Options.parse(
                        "-b",
                        folder.resolve("vcap").toString(),
                        "--settings",
                        folder.resolve("settings.json").toString(),
                        "--docker-socket",
                        folder.resolve("docker.sock").toString(),
                        "--docker-pid-file",
                        folder.resolve("docker.pid").toString());
        agent =
                Main.run(
                        options,
                        new DockerdProcess(
                                options.dockerPidFile(),
                                List.of(folder.resolve("vcap/bosh/bin/berth-dockerd").toString())));
    }

    @AfterEach
    void tearDown() throws Exception {
        if (agent != null) {
            agent.close();
        }
        programs.run(
                Duration.ofSeconds(60),
                "sh",
                "-c",
                """
                cd %s
                export DOCKER_HOST=unix://$PWD/docker.sock
                docker rm -f $(docker ps -aq)
                pid=$(cat docker.pid); rm -f vcap/bosh/bin/berth-dockerd; kill $pid
                while kill -0 $pid; do sleep 0.1; done
                umount vcap/store; umount docker/overlay2; umount exec/netns/*
                umount vcap/store_migration_target; losetup -d %s %s
                """
                        .formatted(folder, loop, second));
        director().close();
        if (server != null) {
            server.close();
        }
    }

    private DirectorSide director() {
        return java.util.Objects.requireNonNull(side);
    }

    private String plug(String image, long bytes) throws IOException {
        resize(image, bytes);
        return programs.run(
                        Duration.ofSeconds(10),
                        "losetup",
                        "-f",
                        "--show",
                        folder.resolve(image).toString())
                .orFail("losetup")
                .strip();
    }

    private void resize(String image, long bytes) throws IOException {
        try (var file = new RandomAccessFile(folder.resolve(image).toFile(), "rw")) {
            file.setLength(bytes);
        }
    }

    /** A root file system of a shell and a few tools of this machine. */
    private Path image() {
        Path tar = folder.resolve("image.tar");
        String ignored =
                programs.run(
                                Duration.ofSeconds(30),
                                "sh",
                                "-c",
                                "cd / && tar -chf "
                                        + tar
                                        + " bin/sh bin/sleep bin/cat bin/echo $(ldd /bin/sh /bin/sleep /bin/cat"
                                        + " | grep -o '/lib[^ ]*' | sort -u | cut -c2-)")
                        .orFail("tar");
        return tar;
    }

    private void docker(String... arguments) {
        var command =
                new java.util.ArrayList<>(
                        List.of("docker", "-H", "unix://" + folder.resolve("docker.sock")));
        command.addAll(List.of(arguments));
        String ignored = programs.run(command, Duration.ofSeconds(30)).orFail("docker");
    }

    private Map<String, Object> awaitState(Predicate<Map<String, Object>> wanted) throws Exception {
        while (true) {
            Map<String, Object> state = stateNow();
            if (wanted.test(state)) {
                return state;
            }
        }
    }

    /** Empty while the agent is not on the bus yet. */
    private Map<String, Object> stateNow() throws Exception {
        String reply = director().rawWithin(Duration.ofMillis(500), "get_state", "full");
        return reply == null ? Map.of() : Json.asObject(Json.object(reply).get("value"));
    }

    private static Fields db(Map<String, Object> state) {
        List<Fields> containers = Fields.of(state, "state").objects("containers");
        return containers.isEmpty() ? Fields.of(Map.of(), "none") : containers.getFirst();
    }

    private static boolean up(Map<String, Object> state) {
        return Fields.of(state, "state").objects("containers").stream()
                        .filter(c -> c.string("state", "").equals("up"))
                        .count()
                == 2;
    }

    @Test
    void aContainerWithItsDataFromDiskToGrowthToTheNextAgent() throws Exception {
        assertThat(director().call("add_persistent_disk", "disk-a", Json.of("path", loop)))
                .contains("{}");
        assertThat(director().call("apply", spec())).contains("applied");
        director().raw("start");
        Map<String, Object> blocked = awaitState(s -> db(s).string("state", "").equals("blocked"));
        assertThat(db(blocked).string("reason")).contains("no persistent disk is mounted");

        assertThat(director().call("mount_disk", "disk-a")).isEqualTo("{\"value\":{}}");
        Map<String, Object> state = awaitState(AgentOnEngineTest::up);
        assertThat(state)
                .containsEntry("job_state", "running")
                .containsEntry("disks", List.of("disk-a"));
        Fields process = Fields.of(state, "state").objects("processes").getFirst();
        assertThat(process.object("mem").integer("kb")).isPositive();
        assertThat(director().call("run_in_container", "db", List.of("cat", "/data/began")))
                .contains("began");
        assertThat(director().raw("container_logs", "db", 5)).contains("hello");
        assertThat(director().call("unmount_disk", "disk-a"))
                .contains("disk disk-a is in use by container 'db': stop it first");

        Map<String, Object> bundle =
                Json.asObject(
                        Json.object(director().raw("bundle_logs", Json.of("log_type", "job")))
                                .get("value"));
        assertThat(
                        programs.run(
                                        Duration.ofSeconds(10),
                                        "tar",
                                        "-xzOf",
                                        String.valueOf(bundle.get("logs_tar_path")),
                                        "./containers/db.log")
                                .output())
                .contains("hello");

        // The next agent finds everything and touches nothing.
        java.util.Objects.requireNonNull(agent).close();
        String container = db(state).string("container_id");
        long began = db(state).integer("started_at_ms");
        start();
        Map<String, Object> after = awaitState(AgentOnEngineTest::up);
        assertThat(db(after).string("container_id")).isEqualTo(container);
        assertThat(db(after).integer("started_at_ms")).isEqualTo(began);

        resize("disk.img", 256 * MIB);
        String ignored =
                programs.run(Duration.ofSeconds(5), "losetup", "-c", loop).orFail("losetup");
        String grown = director().call("grow_disk", "disk-a");
        assertThat(grown)
                .containsAnyOf("\"path\":\"online\"", "\"path\":\"offline\"")
                .contains("\"size_mb\":256");
        awaitState(AgentOnEngineTest::up);
        assertThat(Files.getFileStore(folder.resolve("vcap/store")).getTotalSpace())
                .isGreaterThan(200 * MIB);
        assertThat(director().call("run_in_container", "db", List.of("cat", "/data/began")))
                .contains("began");

        moveToAnotherDisk();
        assertThat(director().call("stop")).isEqualTo("{\"value\":\"stopped\"}");
        assertThat(director().call("unmount_disk", "disk-b")).contains("Unmounted partition");
    }

    /** Only the user of the disk stops, and it finds its data on the new one. */
    private void moveToAnotherDisk() throws Exception {
        Map<String, Object> before = awaitState(AgentOnEngineTest::up);
        second = plug("second.img", 300 * MIB);
        director().call("add_persistent_disk", "disk-b", second, Json.of("file_system", "xfs"));
        assertThat(director().call("copy_disk", "disk-a", "disk-b")).contains("\"passes\":1");
        assertThat(db(stateNow()).integer("started_at_ms"))
                .isEqualTo(db(before).integer("started_at_ms"));
        assertThat(director().call("migrate_disk", "disk-a", "disk-b"))
                .contains("\"verified_files\":2");
        Map<String, Object> after = awaitState(AgentOnEngineTest::up);
        assertThat(after).containsEntry("disks", List.of("disk-b"));
        assertThat(db(after).integer("started_at_ms"))
                .isGreaterThan(db(before).integer("started_at_ms"));
        assertThat(web(after).integer("started_at_ms"))
                .isEqualTo(web(before).integer("started_at_ms"));
        assertThat(director().call("run_in_container", "db", List.of("cat", "/data/began")))
                .contains("began");
        assertThat(director().raw("explain_containers", "db"))
                .contains("\"disk_report\"")
                .contains("\"file_system\":\"xfs\"");
        director().call("remove_persistent_disk", "disk-a");
    }

    private static Fields web(Map<String, Object> state) {
        return Fields.of(state, "state").objects("containers").getLast();
    }

    private static Map<String, Object> spec() {
        return Json.object(
                """
                {"deployment":"shop","name":"db","job":{"name":"db","templates":[]},"id":"i-1","index":0,
                 "networks":{"default":{}},"configuration_hash":"h","persistent_disk":64,
                 "containers":[{"name":"db","image":{"reference":"test/sh:1"},"order":{"stop_grace_period":"PT0.2S"},
                   "process":{"command":["/bin/sh","-c","echo hello; [ -f /data/began ] || echo began > /data/began; while :; do sleep 1; done"]},
                   "storage":{"volumes":[{"source":"db","target":"/data"}]}},
                  {"name":"web","image":{"reference":"test/sh:1"},"order":{"stop_grace_period":"PT0.2S"},
                   "process":{"command":["/bin/sh","-c","while :; do sleep 1; done"]}}]}\
                """);
    }
}
