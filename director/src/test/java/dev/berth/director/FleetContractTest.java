package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.director.StockCli.Tracked;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.wire.AgentState.ContainerState;
import dev.berth.wire.Heartbeat;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Line 13 of tier 1: {@code vms} and {@code instances}; and Berth's own {@code containers}. */
class FleetContractTest {
    private static final Instant CREATED = Instant.parse("2024-05-01T10:00:00.123Z");

    @TempDir Path home;
    private ApiFixture director;
    private StockCli cli;

    @BeforeEach
    void start() throws Exception {
        director = new ApiFixture(home);
        cli = director.cli;
        director.store.update(s ->
                s.saveDeployment(
                        new Rows.Deployment(
                                "zk", null, List.of(), List.of(), List.of(), Map.of(), CREATED)));
    }

    @AfterEach
    void stop() {
        director.close();
    }

    private static String uuid(int number) {
        return String.format("6e0c7b52-0000-4000-8000-%012d", number);
    }

    private void instance(int index, boolean withVm) {
        var id = new InstanceId(uuid(index));
        director.store.update(s -> {
            s.saveInstance(
                    new Rows.Instance(
                            id,
                            "zk",
                            "web",
                            index,
                            "z1",
                            "started",
                            index == 0,
                            false,
                            true,
                            Json.of(
                                    "vm_type",
                                    "small",
                                    "containers",
                                    List.of(
                                            Json.of("name", "nginx", "image", "n:1"),
                                            Json.of("name", "late", "image", "l:1"))),
                            CREATED));
            s.reserveIp(
                    new Rows.Ip(
                            "10.0." + index / 250 + "." + (index % 250 + 1), "default", id, false));
            if (withVm) {
                s.saveVm(
                        new Rows.Vm(
                                new AgentId("a-" + index),
                                new VmCid("vm-" + index),
                                id,
                                "",
                                Json.of(
                                        "cloud_properties",
                                        Json.of(),
                                        "stemcell",
                                        Json.of(
                                                "name",
                                                "berth-debian",
                                                "version",
                                                "1.0",
                                                "api_version",
                                                3)),
                                true,
                                true,
                                CREATED));
                s.saveDisk(
                        new Rows.Disk(
                                new DiskCid("d-" + index),
                                id,
                                new VmCid("vm-" + index),
                                1024,
                                Map.of(),
                                "small",
                                true,
                                null,
                                "zk",
                                "web/" + id,
                                "z1",
                                ""));
            }
        });
    }

    private void beat(int index) {
        Map<String, Object> vitals =
                Json.of(
                        "cpu", Json.of("sys", "0.3", "user", "1.0", "wait", "0.0"),
                        "mem", Json.of("kb", 605008, "percent", "7"),
                        "load", List.of("0.00", "0.01", "0.05"),
                        "uptime", Json.of("secs", 3600));
        var container =
                new ContainerState(
                        "nginx",
                        "n:1",
                        "sha256:aa",
                        "up",
                        "healthy",
                        "dd",
                        "c1",
                        0,
                        2,
                        137L,
                        false,
                        "",
                        "exited with code 137",
                        0);
        Map<String, Object> process =
                Json.of(
                        "name",
                        "nginx",
                        "state",
                        "running",
                        "uptime",
                        Json.of("secs", 3590),
                        "mem",
                        Json.of("kb", 1200, "percent", 0.1),
                        "cpu",
                        Json.of("total", 0));
        var agent = new AgentId("a-" + index);
        Map<String, Object> tree =
                Heartbeat.write(
                        "zk",
                        "web",
                        index,
                        "running",
                        vitals,
                        uuid(index),
                        1,
                        List.of(process),
                        List.of(container.toTree()),
                        List.of());
        director.fleet.beats.put(agent, Heartbeat.fromTree(agent, Json.object(Json.write(tree))));
    }

    @Test
    void instancesAreWrittenAsTheCliDecodesThem() throws Exception {
        instance(0, true);
        beat(0);
        Tracked task = cli.track(cli.get("/deployments/zk/instances?format=full"));
        assertThat(task.task().string("description")).isEqualTo("retrieve vm-stats");
        assertThat(task.result())
                .isEqualTo(
                        "{\"vm_cid\":\"vm-0\",\"active\":true,"
                                + "\"vm_created_at\":\"2024-05-01T10:00:00Z\","
                                + "\"cloud_properties\":{},\"disk_cid\":\"d-0\","
                                + "\"disk_cids\":[\"d-0\"],\"disk_sizes\":{\"d-0\":1024},\"ips\":[\"10.0.0.1\"],"
                                + "\"agent_id\":\"a-0\",\"job_name\":\"web\",\"index\":0,"
                                // Its agent says running; the judge knows of something that lacks.
                                + "\"job_state\":\"failing\",\"state\":\"started\","
                                + "\"vm_type\":\"small\",\"vitals\":{\"cpu\":{\"sys\":\"0.3\","
                                + "\"user\":\"1.0\",\"wait\":\"0.0\"},\"mem\":{\"kb\":\"605008\","
                                + "\"percent\":\"7\"},\"load\":[\"0.00\",\"0.01\",\"0.05\"],"
                                + "\"uptime\":{\"secs\":3600}},\"processes\":[{\"name\":\"nginx\","
                                + "\"state\":\"running\",\"uptime\":{\"secs\":3590},"
                                + "\"mem\":{\"kb\":1200,\"percent\":0.1},\"cpu\":{\"total\":0.0}}],"
                                + "\"az\":\"z1\",\"id\":\""
                                + uuid(0)
                                + "\",\"bootstrap\":true,\"ignore\":false,"
                                + "\"stemcell\":{\"name\":\"berth-debian\",\"version\":\"1.0\","
                                + "\"api_version\":3},"
                                + "\"verdict\":\"degraded: containers are failing\","
                                + "\"waiting_for\":\"\"}\n");
    }

    @Test
    void silentAgentsAndMissingVmsFailNothing() throws Exception {
        instance(0, true);
        beat(0);
        director.fleet.silent.add(new AgentId("a-0"));
        instance(1, true);
        instance(2, false);
        Tracked instances = cli.track(cli.get("/deployments/zk/instances?format=full"));
        List<Map<String, Object>> lines = instances.result().lines().map(Json::object).toList();
        assertThat(lines)
                .extracting(l -> l.get("job_state"))
                .containsExactly("unresponsive agent", "unresponsive agent", null);
        assertThat(lines.get(0)).containsEntry("vitals", null).containsEntry("processes", null);
        assertThat(lines.get(2))
                .containsEntry("vm_cid", null)
                .containsEntry("disk_cids", List.of());
        Tracked vms = cli.track(cli.get("/deployments/zk/vms?format=full"));
        assertThat(vms.result().lines()).hasSize(2);
        assertThat(cli.get("/deployments/zk/vms").array()).hasSize(2);
        List<Object> brief = cli.get("/deployments/zk/instances").array();
        assertThat(brief).hasSize(3);
        assertThat(Json.asObject(brief.getFirst()))
                .containsEntry("expects_vm", true)
                .containsEntry("cid", "vm-0")
                .containsEntry("job", "web");
        assertThat(cli.get("/deployments/nope/vms?format=full").status()).isEqualTo(404);
    }

    @Test
    void containersShowWhatAgentsSawAndWhatNobodySawYet() throws Exception {
        instance(0, true);
        beat(0);
        instance(1, false);
        List<Object> containers = cli.get("/deployments/zk/containers").array();
        assertThat(containers).hasSize(4);
        assertThat(Json.asObject(containers.get(0)))
                .containsEntry("instance", "web/" + uuid(0))
                .containsEntry("vm_cid", "vm-0")
                .containsEntry("name", "nginx")
                .containsEntry("state", "up")
                .containsEntry("restarts", 2L)
                .containsEntry("last_exit_code", 137L);
        assertThat(Json.asObject(containers.get(1)))
                .containsEntry("name", "late")
                .containsEntry("state", "unknown")
                .containsEntry("reason", "the agent has not told of it yet");
        assertThat(Json.asObject(containers.get(2)))
                .containsEntry("reason", "the instance has no VM");
    }

    @Test
    void aThousandInstancesAreListedWithoutAskingAnyone() throws Exception {
        for (int i = 0; i < 1000; i++) {
            instance(i, true);
            beat(i);
        }
        cli.track(cli.get("/deployments/zk/instances?format=full")); // warm
        long from = System.nanoTime();
        Tracked task = cli.track(cli.get("/deployments/zk/instances?format=full"));
        long millis = (System.nanoTime() - from) / 1_000_000;
        assertThat(task.result().lines()).hasSize(1000);
        // The target is 300 ms on a quiet machine; this guards against a question per instance.
        assertThat(millis).isLessThan(3000);
    }

    @Test
    void orphanedDisksAreListedAndDeletedByNameOnly() throws Exception {
        instance(0, true);
        director.store.update(s ->
                s.saveDisk(
                        new Rows.Disk(
                                new DiskCid("o/1"),
                                null,
                                null,
                                2048,
                                Json.of("type", "ssd"),
                                "small",
                                false,
                                CREATED,
                                "zk",
                                "web/x",
                                "z1",
                                "")));
        assertThat(cli.get("/disks").text())
                .isEqualTo(
                        "[{\"disk_cid\":\"o/1\",\"size\":2048,\"az\":\"z1\","
                                + "\"deployment_name\":\"zk\",\"instance_name\":\"web/x\","
                                + "\"cloud_properties\":{\"type\":\"ssd\"},"
                                + "\"orphaned_at\":\"2024-05-01 10:00:00 UTC\"}]");
        assertThat(cli.delete("/disks/d-0").text()).contains("\"code\":520000");
        Tracked deleted = cli.track(cli.delete("/disks/o%2F1"));
        assertThat(deleted.state()).isEqualTo("done");
        assertThat(ApiContractTest.steps(deleted)).containsExactly("o/1");
        assertThat(director.calls("delete_disk")).isEqualTo(1);
        assertThat(cli.get("/disks").text()).isEqualTo("[]");
    }
}
