package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.bus.AgentException;
import dev.berth.director.StockCli.Answer;
import dev.berth.director.StockCli.Tracked;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Looking inside an instance: {@code why}, logs, commands, and single containers. */
class InsideContractTest {
    private static final Instant CREATED = Instant.parse("2024-05-01T10:00:00Z");
    private static final InstanceId ID = new InstanceId("6e0c7b52-0000-4000-8000-000000000001");
    private static final String PATH = "/deployments/shop/instances/db/0";

    @TempDir Path home;
    private ApiFixture director;
    private StockCli cli;
    private volatile String state = "up";
    private volatile long restarts = 3;

    @BeforeEach
    void start() throws Exception {
        director = new ApiFixture(home);
        cli = director.cli;
        director.store.update(s -> {
            s.saveDeployment(
                    new Rows.Deployment(
                            "shop", "x", List.of(), List.of(), List.of(), Map.of(), CREATED));
            s.saveInstance(
                    new Rows.Instance(
                            ID,
                            "shop",
                            "db",
                            0,
                            "z1",
                            "started",
                            true,
                            false,
                            true,
                            Json.of(
                                    "containers",
                                    List.of(
                                            Json.of(
                                                    "name",
                                                    "pg",
                                                    "image",
                                                    "pg:1",
                                                    "image_digest",
                                                    "sha256:aa",
                                                    "digest",
                                                    "d1"),
                                            Json.of("name", "late", "image", "l:1"))),
                            CREATED));
            s.saveVm(
                    new Rows.Vm(
                            new AgentId("a-1"),
                            new VmCid("vm-1"),
                            ID,
                            "",
                            Json.of(),
                            true,
                            true,
                            CREATED));
            s.saveDisk(
                    new Rows.Disk(
                            new DiskCid("d-1"),
                            ID,
                            new VmCid("vm-1"),
                            1024,
                            Map.of(),
                            "small",
                            true,
                            null,
                            "shop",
                            "db/" + ID,
                            "z1",
                            ""));
        });
    }

    @AfterEach
    void stop() {
        director.close();
    }

    private Map<String, Object> container() {
        return new ContainerState(
                        "pg",
                        "pg:1",
                        "sha256:aa",
                        state,
                        "healthy",
                        "d1",
                        "c1",
                        1000,
                        restarts,
                        137L,
                        true,
                        state.equals("stopped") ? "stopped by an operator" : "",
                        "exited with code 137",
                        0)
                .toTree();
    }

    private Fields get(String path) throws Exception {
        return cli.get(path).object();
    }

    /** Wished and observed stand side by side; the agent is asked, and its disk proof believed. */
    @Test
    void whyTellsWhatIsWishedAndSeen() throws Exception {
        director.agents.answers.put(
                "explain_containers",
                arguments ->
                        Json.of(
                                "job_state",
                                "running",
                                "daemon",
                                "up",
                                "disk",
                                Json.of("proven", true, "cid", "d-1"),
                                "containers",
                                List.of(container())));
        Fields why = get(PATH + "/why");
        assertThat(why.string("instance")).isEqualTo("db/" + ID);
        assertThat(why.string("state")).isEqualTo("started");
        assertThat(why.string("verdict")).isEqualTo("degraded: containers are failing");
        assertThat(why.string("told_by")).isEqualTo("agent");
        assertThat(why.object("vm").string("cid")).isEqualTo("vm-1");
        assertThat(why.objects("disks").getFirst().flag("proven", false)).isTrue();
        Fields pg = why.objects("containers").getFirst();
        assertThat(pg.object("wished").string("image_digest")).isEqualTo("sha256:aa");
        assertThat(pg.object("seen").string("cause")).isEqualTo("exited with code 137");
        assertThat(why.objects("containers").getLast().has("seen")).isFalse();
        assertThat(get(PATH + "/why?container=late").objects("containers")).hasSize(1);
        assertThat(cli.get(PATH + "/why?container=none").status()).isEqualTo(404);
        assertThat(cli.as("reader:r").get(PATH + "/why").status()).isEqualTo(401);
        assertThat(cli.as("reader:r").get(PATH + "/containers/pg/logs").status()).isEqualTo(401);
    }

    /**
     * A first deploy that did not succeed is recorded nowhere: the wish is what the agent knows.
     */
    @Test
    void whyBeforeTheFirstSuccess() throws Exception {
        director.store.update(s -> {
            Rows.Instance i = s.instance(ID).orElseThrow();
            s.saveInstance(
                    new Rows.Instance(
                            ID,
                            "shop",
                            "db",
                            0,
                            "z1",
                            "started",
                            true,
                            false,
                            false,
                            Map.of(),
                            i.createdAt()));
        });
        director.agents.answers.put(
                "explain_containers", arguments -> Json.of("containers", List.of(container())));
        Fields why = get(PATH + "/why");
        assertThat(why.flag("update_completed", true)).isFalse();
        assertThat(why.objects("containers")).hasSize(1);
        Fields pg = why.objects("containers").getFirst();
        assertThat(pg.object("wished").string("image")).isEqualTo("pg:1");
        assertThat(pg.object("seen").string("state")).isEqualTo("up");
    }

    /** An agent that does not answer leaves its last heartbeat, and the answer says so. */
    @Test
    void whyOfASilentAgentTellsItsLastWords() throws Exception {
        Map<String, Object> beat =
                Heartbeat.write(
                        "shop",
                        "db",
                        0,
                        "failing",
                        Map.of(),
                        ID.value(),
                        1,
                        List.of(),
                        List.of(container()),
                        List.of());
        var agent = new AgentId("a-1");
        Fields before = get(PATH + "/why");
        assertThat(before.string("told_by")).isEqualTo("nobody");
        assertThat(before.objects("disks").getFirst().flag("proven", true)).isFalse();
        director.fleet.beats.put(agent, Heartbeat.fromTree(agent, Json.object(Json.write(beat))));
        Fields why = get(PATH + "/why");
        assertThat(why.string("told_by")).isEqualTo("heartbeat");
        assertThat(why.string("agent_error")).contains("is silent");
        assertThat(why.string("job_state")).isEqualTo("failing");
        assertThat(why.objects("disks").getFirst().string("reason")).contains("does not name it");
    }

    /** Number and cursor go to the agent as they are; nonsense is refused before. */
    @Test
    void logsComePageByPage() throws Exception {
        director.agents.answers.put(
                "container_logs",
                arguments -> Json.of("lines", List.of(), "cursor", "c", "more", false));
        assertThat(get(PATH + "/containers/pg/logs?num=7").string("cursor")).isEqualTo("c");
        get(PATH + "/containers/pg/logs?cursor=1.0%2F1");
        assertThat(director.agents.asked)
                .containsExactly(
                        "a-1 container_logs [pg, 7, ]", "a-1 container_logs [pg, 100, 1.0/1]");
        assertThat(cli.get(PATH + "/containers/pg/logs?num=0").status()).isEqualTo(400);
        assertThat(cli.get(PATH + "/containers/pg/logs?num=99999").status()).isEqualTo(400);
        director.agents.answers.put(
                "container_logs",
                arguments -> {
                    throw new AgentException(
                            AgentException.Kind.FAILED,
                            "Action Failed container_logs: this instance has no container 'x'");
                });
        Answer none = cli.get(PATH + "/containers/x/logs");
        assertThat(none.status()).isEqualTo(400);
        assertThat(none.object().string("description"))
                .isEqualTo("this instance has no container 'x'");
    }

    /** Output and exit code come back; the audit trail keeps who and which program, no more. */
    @Test
    void aCommandIsRunAndRemembered() throws Exception {
        director.agents.answers.put(
                "run_in_container",
                arguments ->
                        Json.of("stdout", "hi", "stderr", "", "exit_code", 3, "truncated", false));
        String body = "{\"command\":[\"echo\",\"planted-word\"],\"timeout_seconds\":5}";
        Fields ended = cli.json("POST", PATH + "/containers/pg/exec", body).object();
        assertThat(ended.integer("exit_code")).isEqualTo(3);
        assertThat(director.agents.asked)
                .containsExactly("a-1 run_in_container [pg, [echo, planted-word], 5]");
        String events = cli.get("/events").text();
        assertThat(events).contains("\"exec\"").contains("echo").doesNotContain("planted-word");
        assertThat(cli.as("reader:r").json("POST", PATH + "/containers/pg/exec", body).status())
                .isEqualTo(401);
        assertThat(cli.json("POST", PATH + "/containers/pg/exec", "{\"command\":[]}").status())
                .isEqualTo(400);
        String long_ = "{\"command\":[\"x\"],\"timeout_seconds\":241}";
        assertThat(cli.json("POST", PATH + "/containers/pg/exec", long_).status()).isEqualTo(400);
    }

    private void obedientAgent() {
        director.agents.answers.put(
                "get_state", arguments -> Json.of("containers", List.of(container())));
        director.agents.answers.put("stop_container", arguments -> to("stopped"));
        director.agents.answers.put("start_container", arguments -> to("up"));
        director.agents.answers.put(
                "restart_container",
                arguments -> {
                    restarts++;
                    return to("up");
                });
    }

    private String to(String next) {
        state = next;
        return next;
    }

    private Tracked change(String container, String to) throws Exception {
        return cli.track(cli.yaml("PUT", PATH + "/containers/" + container + "?state=" + to, ""));
    }

    /**
     * A stop is a task, is audited, and is remembered with the instance until the start: a VM made
     * anew is told of it.
     */
    @Test
    void aContainerIsStoppedUntilItIsStarted() throws Exception {
        obedientAgent();
        Tracked stopped = change("pg", "stopped");
        assertThat(stopped.state()).isEqualTo("done");
        assertThat(stopped.task().string("description")).isEqualTo("stop container pg of db/" + ID);
        assertThat(held()).containsExactly("pg");
        assertThat(cli.get("/tasks?limit=5&verbose=1").text()).contains("stop container pg");
        assertThat(cli.get("/events").text())
                .contains("\"action\":\"stop\"")
                .contains("\"object_type\":\"container\"");
        assertThat(change("pg", "restart").state()).isEqualTo("done");
        assertThat(held()).isEmpty();
        change("pg", "stopped");
        assertThat(change("pg", "started").state()).isEqualTo("done");
        assertThat(held()).isEmpty();
        assertThat(director.agents.asked)
                .contains("a-1 stop_container [pg]", "a-1 start_container [pg]");
    }

    /**
     * A director killed between writing down that it restarts and asking for it asks afterwards;
     * one killed after it does not ask twice.
     */
    @ParameterizedTest(name = "restarts seen before: {0}")
    @CsvSource({"3, 1", "2, 0"})
    void aRestartGoesOnAfterAKilledDirectorExactlyOnce(long before, int asked) throws Exception {
        obedientAgent();
        director.store.update(s ->
                s.beginIntent(
                        new Rows.Intent(
                                new IntentId("of the killed one"),
                                1,
                                ID,
                                "restart container",
                                Json.of(
                                        "container",
                                        "pg",
                                        "restarts",
                                        before,
                                        "started_at_ms",
                                        1000),
                                CREATED,
                                null,
                                null)));
        Tracked restarted = change("pg", "restart");
        assertThat(restarted.task().integer("id")).isEqualTo(1);
        assertThat(restarted.state()).isEqualTo("done");
        assertThat(director.agents.asked)
                .filteredOn(call -> call.contains("restart_container"))
                .hasSize(asked);
    }

    private List<String> held() {
        return HeldContainers.of(director.store.read(s -> s.instance(ID)).orElseThrow());
    }

    /**
     * What does not come about fails with the last that was seen; what is no container, at once.
     */
    @Test
    void aChangeThatDoesNotComeAboutSaysWhatWasSeen() throws Exception {
        obedientAgent();
        director.agents.answers.put("restart_container", arguments -> to("backoff"));
        Tracked late = change("pg", "restart");
        assertThat(late.state()).isEqualTo("error");
        assertThat(late.task().string("result")).contains("pg").contains("restart");
        assertThat(change("none", "stopped").task().string("result"))
                .contains("no container 'none', only pg");
        assertThat(held()).isEmpty();
        assertThat(cli.yaml("PUT", PATH + "/containers/pg?state=nonsense", "").status())
                .isEqualTo(400);
    }
}
