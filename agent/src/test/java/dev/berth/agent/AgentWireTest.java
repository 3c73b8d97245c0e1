package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the agent says on a real bus: each reply in its exact shape. */
class AgentWireTest {
    private static final String ID = "agent-1";
    private static final Map<String, Object> SPEC =
            Json.object(
                    """
                    {"deployment":"shop","name":"db","job":{"name":"db","templates":[]},"id":"i-1","index":0,"az":"z1",
                     "networks":{"default":{"ip":"10.0.0.4","dns_record_name":"x"}},"packages":{},
                     "containers":[{"name":"db","image":{"reference":"registry.berth/db:1"},
                                    "process":{"environment":{"PASSWORD":"planted"}}},
                                   {"name":"web","image":{"reference":"registry.berth/web:1"}}],
                     "configuration_hash":"c0ffee","persistent_disk":100}\
                    """);

    @TempDir Path folder = Path.of("");
    private final FakeWorkload workload = new FakeWorkload();
    private @org.jspecify.annotations.Nullable NatsServer server;
    private @org.jspecify.annotations.Nullable DirectorSide side;
    private @org.jspecify.annotations.Nullable Agent agent;

    @BeforeEach
    void setUp() throws Exception {
        server = new NatsServer(folder, "");
        side = new DirectorSide(server().url(), ID, null);
        agent = agent();
        agent().start(() -> {});
        director().next("heartbeat");
    }

    @AfterEach
    void tearDown() throws Exception {
        agent().close();
        director().close();
        server().close();
    }

    private NatsServer server() {
        return java.util.Objects.requireNonNull(server);
    }

    private DirectorSide director() {
        return java.util.Objects.requireNonNull(side);
    }

    private Agent agent() {
        if (agent != null) {
            return agent;
        }
        var settings =
                new Settings(
                        AgentSettings.fromTree(
                                Json.of(
                                        "agent_id", ID,
                                        "vm", Json.of("name", "vm-1"),
                                        "mbus", server().url(),
                                        "networks",
                                                Json.of(
                                                        "default",
                                                        Json.of(
                                                                "type",
                                                                "manual",
                                                                "ip",
                                                                "10.0.0.4")),
                                        "blobstore",
                                                Json.of(
                                                        "provider",
                                                        "local",
                                                        "options",
                                                        Json.of(
                                                                "blobstore_path",
                                                                folder.toString())),
                                        "env",
                                                Json.of(
                                                        "bosh",
                                                        Json.of(
                                                                "berth",
                                                                Json.of(
                                                                        "heartbeat_seconds",
                                                                        300L))))),
                        Fields.of(Map.of(), "overlay"));
        var tools = new FakeDiskTools(folder.resolve("devices"));
        tools.plug("/dev/a", 1 << 28);
        tools.plug("/dev/b", 1 << 28);
        var programs = new Programs.Real();
        var ports = new DiskPorts(tools, new FakeTreeCopier(), new KernelLog(layout(), programs));
        return new Agent(layout(), settings, workload, ports, programs, Clock.SYSTEM);
    }

    private Layout layout() {
        return new Layout(
                folder.resolve("vcap"), folder.resolve("etc"), Path.of("/proc"), Path.of("/sys"));
    }

    @Test
    void shortAnswersAreExact() throws Exception {
        assertThat(director().raw("ping")).isEqualTo("{\"value\":\"pong\"}");
        assertThat(director().raw("info")).isEqualTo("{\"value\":{\"api_version\":1}}");
        assertThat(director().raw("dance"))
                .isEqualTo("{\"exception\":{\"message\":\"unknown message dance\"}}");
        assertThat(director().raw("get_task", "no-such"))
                .isEqualTo(
                        "{\"exception\":{\"message\":"
                                + "\"Action Failed get_task: Task with id no-such could not be found\"}}");
        assertThat(director().raw("get_task"))
                .contains("Action Failed get_task: Not enough arguments, expected 1, got 0");
        assertThat(director().raw("delete_arp_entries", Json.of("ips", List.of())))
                .isEqualTo("{\"value\":{}}");
        assertThat(director().raw("start")).isEqualTo("{\"value\":\"started\"}");
    }

    @Test
    void aMessageThatIsNoRequestGetsNoReplyAndHarmsNothing() throws Exception {
        director().publish("{\"method\":");
        director().publish("[]");
        director().publish("{\"method\":\"ping\"}");
        assertThat(director().raw("ping")).isEqualTo("{\"value\":\"pong\"}");
    }

    @Test
    void theLifeOfAnInstance() throws Exception {
        assertThat(director().call("prepare", SPEC)).isEqualTo("{\"value\":\"prepared\"}");
        assertThat(director().call("apply", SPEC)).isEqualTo("{\"value\":\"applied\"}");
        assertThat(director().raw("start")).isEqualTo("{\"value\":\"started\"}");
        assertThat(director().call("run_script", "pre-start", Map.of()))
                .isEqualTo("{\"value\":{}}");
        Map<String, Object> state = state();
        assertThat(state)
                .containsEntry("job_state", "running")
                .containsEntry("configuration_hash", "c0ffee")
                .containsEntry("agent_id", ID)
                .containsEntry("index", 0L)
                .containsEntry("az", "z1")
                .containsEntry("networks", SPEC.get("networks"))
                .containsEntry("vm", Json.of("name", "vm-1"));
        assertThat(state.keySet())
                .contains("vitals", "processes", "containers", "disks", "resource_pool");
        assertThat(Json.write(state.get("processes")))
                .isEqualTo(
                        "[{\"name\":\"db\",\"state\":\"running\"},{\"name\":\"web\",\"state\":\"running\"}]");
        assertThat(director().call("drain", "shutdown")).isEqualTo("{\"value\":0}");
        assertThat(director().call("drain", "update", SPEC)).isEqualTo("{\"value\":0}");
        assertThat(director().call("drain", "status")).contains("Unknown drain type status");
        assertThat(director().call("stop")).isEqualTo("{\"value\":\"stopped\"}");
        assertThat(state()).containsEntry("job_state", "stopped");
        assertThat(workload.asked)
                .containsExactly("prepare [db, web]", "apply [db, web]", "start", "stop");
    }

    private Map<String, Object> state() throws Exception {
        return Json.asObject(Json.object(director().raw("get_state", "full")).get("value"));
    }

    @Test
    void thePartialApplyInstallsNothing() throws Exception {
        assertThat(state())
                .containsEntry("job_state", "running")
                .containsEntry("index", null)
                .containsEntry("networks", Map.of());
        assertThat(
                        director()
                                .call(
                                        "apply",
                                        Json.of(
                                                "deployment",
                                                "shop",
                                                "job",
                                                Json.of("name", "db"),
                                                "index",
                                                2L,
                                                "id",
                                                "i-1",
                                                "networks",
                                                Json.of("default", Map.of()))))
                .isEqualTo("{\"value\":\"applied\"}");
        assertThat(workload.asked).isEmpty();
        assertThat(
                        director()
                                .call(
                                        "apply",
                                        Json.of(
                                                "id",
                                                "i-1",
                                                "networks",
                                                Json.of("other", Map.of()))))
                .contains("Network 'other' is not found in settings");
    }

    @Test
    void secretsOfContainersAreNeitherKeptInTheSpecNorReported() throws Exception {
        director().call("apply", SPEC);
        assertThat(director().raw("get_state", "full")).doesNotContain("planted");
        assertThat(Files.readString(layout().spec())).doesNotContain("planted");
        assertThat(Json.write(director().next("heartbeat"))).doesNotContain("planted");
    }

    @Test
    void looksAreAnsweredWhileCallsWaitAndFailuresKeepTheirTask() throws Exception {
        var blocks = new CountDownLatch(1);
        workload.prepareBlocks = blocks;
        String first = DirectorSide.taskId(director().raw("prepare", SPEC));
        String second =
                DirectorSide.taskId(
                        director()
                                .raw(
                                        "prepare",
                                        Json.of(
                                                "id",
                                                "i-1",
                                                "containers",
                                                List.of(
                                                        Json.of(
                                                                "name",
                                                                "x",
                                                                "image",
                                                                Json.of(
                                                                        "reference",
                                                                        "missing"))))));
        for (int i = 0; i < 8; i++) {
            DirectorSide.taskId(director().raw("stop"));
        }
        assertThat(director().raw("ping")).isEqualTo("{\"value\":\"pong\"}");
        assertThat(director().raw("get_state")).contains("job_state");
        assertThat(director().raw("get_task", second)).contains("\"state\":\"running\"");
        assertThat(director().raw("cancel_task", first))
                .contains("Action Failed cancel_task")
                .contains("not supported");
        workload.prepareBlocks = null;
        blocks.countDown();
        assertThat(director().poll(first)).isEqualTo("{\"value\":\"prepared\"}");
        String failure =
                "{\"exception\":{\"message\":\"Action Failed get_task: Task "
                        + second
                        + " result: container 'x', image 'missing': manifest unknown\"}}";
        assertThat(director().poll(second)).isEqualTo(failure);
        assertThat(director().raw("get_task", second)).isEqualTo(failure);
        assertThat(director().raw("cancel_task", first)).isEqualTo("{\"value\":\"canceled\"}");
        assertThat(director().call("prepare")).contains("Not enough arguments, expected 1, got 0");
    }

    @Test
    void aWaitingDrainCanBeCancelled() throws Exception {
        Path script = layout().jobs().resolve("slow/bin/drain");
        Files.createDirectories(script.resolveSibling(""));
        Files.writeString(script, "#!/bin/sh\nsleep 600\necho 0\n");
        assertThat(script.toFile().setExecutable(true)).isTrue();
        director()
                .call(
                        "apply",
                        Json.of(
                                "id",
                                "i-1",
                                "job",
                                Json.of(
                                        "name",
                                        "db",
                                        "templates",
                                        List.of(Json.of("name", "slow")))));
        String drain = DirectorSide.taskId(director().raw("drain", "update", SPEC));
        assertThat(director().raw("cancel_task", drain)).isEqualTo("{\"value\":\"canceled\"}");
        assertThat(director().poll(drain)).contains("\"exception\"");
    }

    @Test
    void scriptsOfJobsRunAndTheirFailuresAreCounted() throws Exception {
        for (String job : List.of("good", "bad")) {
            Path script = layout().jobs().resolve(job + "/bin/pre-start");
            Files.createDirectories(script.resolveSibling(""));
            Files.writeString(
                    script, "#!/bin/sh\necho $WORD; exit " + (job.equals("bad") ? 3 : 0) + "\n");
            assertThat(script.toFile().setExecutable(true)).isTrue();
        }
        director()
                .call(
                        "apply",
                        Json.of(
                                "id",
                                "i-1",
                                "job",
                                Json.of(
                                        "name",
                                        "db",
                                        "templates",
                                        List.of(Json.of("name", "good"), Json.of("name", "bad")))));
        assertThat(
                        director()
                                .call(
                                        "run_script",
                                        "pre-start",
                                        Json.of("env", Json.of("WORD", "hello"))))
                .contains(
                        "1 of 2 pre-start scripts failed. Failed Jobs: bad. Successful Jobs: good.");
        assertThat(layout().jobLogs().resolve("good/pre-start.stdout.log")).hasContent("hello");
    }

    @Test
    void disksInTheirShapes() throws Exception {
        assertThat(director().call("list_disk")).isEqualTo("{\"value\":[]}");
        assertThat(director().call("add_persistent_disk", "disk-a", Json.of("path", "/dev/a")))
                .isEqualTo("{\"value\":{}}");
        assertThat(director().call("mount_disk", "disk-a")).isEqualTo("{\"value\":{}}");
        assertThat(director().call("list_disk")).isEqualTo("{\"value\":[\"disk-a\"]}");
        director().protocol = 2;
        assertThat(director().raw("list_disk")).isEqualTo("{\"value\":[\"disk-a\"]}");
        director().protocol = 3;
        assertThat(director().call("grow_disk", "disk-a"))
                .isEqualTo("{\"value\":{\"path\":\"none\",\"size_mb\":256}}");
        assertThat(state()).containsEntry("disks", List.of("disk-a"));
        assertThat(director().call("migrate_disk")).contains("two disks must be mounted");
        assertThat(director().call("unmount_disk", "disk-a"))
                .isEqualTo("{\"value\":{\"message\":\"Unmounted partition of /dev/a\"}}");
        assertThat(director().call("remove_persistent_disk", "disk-a")).isEqualTo("{\"value\":{}}");
        assertThat(director().call("mount_disk", "disk-a"))
                .contains("result: Persistent disk with volume id 'disk-a' could not be found");
    }

    /** A disk with a name is kept, copied, replaced and told of. */
    @Test
    void aNamedDiskIsReplacedByACopy() throws Exception {
        Map<String, Object> options =
                Json.of("name", "rows", "file_system", "xfs", "mount_options", List.of("noatime"));
        assertThat(director().call("add_persistent_disk", "disk-a", "/dev/a", options))
                .isEqualTo("{\"value\":{}}");
        assertThat(director().call("add_persistent_disk", "disk-b", "/dev/b", options))
                .isEqualTo("{\"value\":{}}");
        assertThat(director().call("mount_disk", "disk-a")).isEqualTo("{\"value\":{}}");
        Files.writeString(layout().place("rows").resolve("data"), "1 2 3");
        assertThat(director().call("copy_disk", "disk-a", "disk-b"))
                .isEqualTo("{\"value\":{\"passes\":1,\"files\":1,\"bytes\":5,\"left_bytes\":5}}");
        assertThat(director().raw("disk_report"))
                .contains("\"cid\":\"disk-a\"")
                .contains("\"mounted\":\"named\"")
                .contains("\"proof\":\"proven\"")
                .contains("\"mounted\":\"aside\"");
        assertThat(director().call("migrate_disk", "disk-a", "disk-b"))
                .contains("\"verified_files\":1")
                .contains("\"stopped_ms\":");
        assertThat(layout().place("rows").resolve("data")).hasContent("1 2 3");
        assertThat(director().call("unmount_disk", "disk-b")).contains("Unmounted");
        assertThat(director().call("mount_disk", "disk-a")).contains("superseded by disk 'disk-b'");
        assertThat(director().call("mount_disk", "disk-a", Json.of("revive", true)))
                .isEqualTo("{\"value\":{}}");
        assertThat(
                        director()
                                .call(
                                        "add_persistent_disk",
                                        "disk-c",
                                        "/dev/c",
                                        Json.of("file_system", "zfs")))
                .contains("'zfs' is not known: use ext4, xfs or btrfs");
    }

    @Test
    void singleContainersCanBeReached() throws Exception {
        assertThat(director().call("restart_container", "db"))
                .isEqualTo("{\"value\":\"restarted\"}");
        assertThat(director().call("stop_container", "db")).isEqualTo("{\"value\":\"stopped\"}");
        assertThat(director().call("start_container", "db")).isEqualTo("{\"value\":\"started\"}");
        assertThat(director().raw("container_logs", "db", 10))
                .isEqualTo("{\"value\":\"log of db\\n\"}");
        assertThat(director().call("run_in_container", "db", List.of("echo", "hi")))
                .isEqualTo(
                        "{\"value\":{\"stdout\":\"echo hi\",\"stderr\":\"\",\"exit_code\":3,\"truncated\":false}}");
        assertThat(director().raw("container_logs", "db", 10, ""))
                .isEqualTo("{\"value\":{\"asked\":\"db  10\"}}");
        assertThat(director().raw("container_logs", "db", 10, "1.0/1,1.0/0"))
                .isEqualTo("{\"value\":{\"asked\":\"db 1.0/1,1.0/0 10\"}}");
        assertThat(director().raw("explain_containers", "db"))
                .isEqualTo("{\"value\":{\"asked\":\"db\",\"disk_report\":[]}}");
    }

    @Test
    void logsArePackedAndStored() throws Exception {
        director().call("apply", SPEC);
        Files.createDirectories(layout().jobLogs().resolve("x"));
        Files.writeString(layout().jobLogs().resolve("x/a.log"), "line\n");
        Map<String, Object> answer = Json.object(director().call("fetch_logs", "job", List.of()));
        Map<String, Object> value = Json.asObject(answer.get("value"));
        Path blob = folder.resolve(String.valueOf(value.get("blobstore_id")));
        assertThat(
                        new Programs.Real()
                                .run(
                                        java.time.Duration.ofSeconds(10),
                                        "tar",
                                        "-tzf",
                                        blob.toString())
                                .output())
                .contains("./x/a.log");
        assertThat(director().call("fetch_logs", "secret", List.of())).contains("Invalid log type");
        Map<String, Object> bundle =
                Json.asObject(
                        Json.object(
                                        director()
                                                .raw(
                                                        "bundle_logs",
                                                        Json.of(
                                                                "log_type",
                                                                "job",
                                                                "filters",
                                                                List.of("**/*.log"))))
                                .get("value"));
        String path = String.valueOf(bundle.get("logs_tar_path"));
        assertThat(Path.of(path)).exists();
        assertThat(director().raw("remove_file", path)).isEqualTo("{\"value\":\"" + path + "\"}");
        assertThat(Path.of(path)).doesNotExist();
        assertThat(director().raw("remove_file", "/etc/passwd")).contains("\"exception\"");
    }

    @Test
    void namesAreSyncedFromABlobThatCameOverTheBus() throws Exception {
        Files.createDirectories(layout().etc());
        Files.writeString(layout().hosts(), "127.0.0.1 localhost\n");
        String blob = "{\"version\":7,\"records\":[[\"10.0.0.4\",\"db.shop.bosh\"]]}";
        String digest = "sha256:" + dev.berth.model.Digests.sha256(blob);
        String payload =
                java.util.Base64.getMimeEncoder()
                        .encodeToString(blob.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertThat(
                        director()
                                .call(
                                        "upload_blob",
                                        Json.of(
                                                "blob_id",
                                                "b1",
                                                "checksum",
                                                digest,
                                                "payload",
                                                payload)))
                .isEqualTo("{\"value\":\"b1\"}");
        assertThat(director().raw("sync_dns", "b1", digest, 8)).contains("does not match version");
        assertThat(director().raw("sync_dns", "b1", digest, 7)).isEqualTo("{\"value\":\"synced\"}");
        assertThat(Files.readString(layout().hosts()))
                .startsWith("127.0.0.1 localhost\n")
                .contains("10.0.0.4 db.shop.bosh");
        assertThat(director().raw("sync_dns", "gone", "sha1:0", 6))
                .isEqualTo("{\"value\":\"synced\"}");
        assertThat(
                        director()
                                .call(
                                        "upload_blob",
                                        Json.of(
                                                "blob_id",
                                                "b2",
                                                "checksum",
                                                "sha1:00",
                                                "payload",
                                                payload)))
                .contains("Expected stream to have digest");
    }

    @Test
    void aChangeIsToldWithoutBeingAsked() throws Exception {
        director().events.clear();
        director().call("apply", SPEC);
        director().raw("start");
        Map<String, Object> beat = director().next("heartbeat");
        while (!"running".equals(beat.get("job_state"))
                || !Long.valueOf(2).equals(beat.get("number_of_processes"))) {
            beat = director().next("heartbeat");
        }
        assertThat(beat)
                .containsEntry("deployment", "shop")
                .containsEntry("job", "db")
                .containsEntry("index", 0L)
                .containsEntry("node_id", "i-1");
        assertThat(beat.keySet()).contains("vitals", "containers", "processes", "disks");
        assertThat(layout().instance().resolve("health.json")).exists();
        assertThat(layout().instance().resolve("deployment")).hasContent("shop");
    }

    @Test
    void troublesAreToldOnceAndSoIsTheirEnd() throws Exception {
        director().call("apply", SPEC);
        workload.raise(
                new Workload.Trouble(
                        "container db", 3, false, "container db fails", "exit 1, attempt 5"));
        workload.raise(
                new Workload.Trouble(
                        "container db", 3, false, "container db fails", "exit 1, attempt 6"));
        workload.raise(
                new Workload.Trouble(
                        "container db", 4, true, "container db runs again", "ready for 60 s"));
        workload.raise(new Workload.Trouble("container web", 4, true, "never told", ""));
        workload.raise(
                new Workload.Trouble("daemon", 2, false, "docker daemon failed", "disk full"));
        Map<String, Object> first = director().next("alert");
        assertThat(first)
                .containsEntry("severity", 3L)
                .containsEntry("title", "db/i-1 - container db fails")
                .containsEntry("deployment", "shop")
                .containsKeys("id", "created_at", "summary");
        assertThat(director().next("alert")).containsEntry("category", "resolved");
        assertThat(director().next("alert"))
                .containsEntry("title", "db/i-1 - docker daemon failed");
    }

    @Test
    void theLinkReturnsByItselfAndWhatWasSaidMeanwhileIsNotLost() throws Exception {
        server().stop();
        workload.raise(
                new Workload.Trouble("daemon", 2, false, "docker daemon failed", "disk full"));
        director().events.clear();
        server().start();
        Map<String, Object> alert = director().next("alert");
        assertThat(String.valueOf(alert.get("title"))).contains("docker daemon failed");
        director().next("heartbeat");
        assertThat(director().raw("ping")).isEqualTo("{\"value\":\"pong\"}");
    }

    @Test
    void theSettingsOverlayIsKeptAndAppliedInPlace() throws Exception {
        Map<String, Object> overlay =
                Json.of(
                        "trusted_certs",
                        "",
                        "disk_associations",
                        List.of(),
                        "mbus",
                        Json.of("urls", List.of(server().url().replace("127.0.0.1", "localhost"))));
        director().events.clear();
        assertThat(director().call("update_settings", overlay)).isEqualTo("{\"value\":\"ok\"}");
        director().next("heartbeat"); // from the new connection
        assertThat(director().raw("ping")).isEqualTo("{\"value\":\"pong\"}");
        assertThat(Files.readString(layout().updatedSettings())).contains("localhost");
        assertThat(
                        director()
                                .call(
                                        "update_settings",
                                        Json.of(
                                                "disk_associations",
                                                List.of(Json.of("name", "x", "cid", "nope")))))
                .contains("Disk nope is not attached");
    }

    @Test
    void anUpdateOfSettingsIsAnsweredInTheNextLifeToo() throws Exception {
        agent().close();
        new PendingCall(layout()).keep("promised", "update_settings", List.of(Map.of()));
        agent = null;
        agent = agent();
        director().events.clear();
        agent().start(() -> {});
        director().next("heartbeat");
        assertThat(director().poll("promised")).isEqualTo("{\"value\":\"ok\"}");
    }
}
