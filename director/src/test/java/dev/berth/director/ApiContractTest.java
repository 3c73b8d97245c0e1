package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.director.StockCli.Answer;
import dev.berth.director.StockCli.Tracked;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lines of tier 1 of the API's checklist, in the request shapes of the stock CLI. */
class ApiContractTest {
    private static final String MANIFEST = "---\nname: zk\ninstance_groups: []\n";

    @TempDir Path home;
    private ApiFixture director;
    private StockCli cli;

    @BeforeEach
    void start() throws Exception {
        director = new ApiFixture(home);
        cli = director.cli;
    }

    @AfterEach
    void stop() {
        director.close();
    }

    // 1: env, alias-env
    @Test
    void infoNeedsNoCredentials() throws Exception {
        Answer answer = cli.as(null).get("/info");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.text())
                .isEqualTo(
                        "{\"name\":\"berth\",\"uuid\":\"1c1bbfbb-8a5b-4f4c-9c2c-0e3a1f6f1d11\","
                                + "\"version\":\"0.1.0 (0)\",\"user\":null,\"cpi\":\"docker\","
                                + "\"stemcell_os\":\"-\",\"stemcell_version\":\"-\","
                                + "\"user_authentication\":{\"type\":\"basic\",\"options\":{}},"
                                + "\"features\":{\"local_dns\":{\"status\":false,\"extras\":"
                                + "{\"domain_name\":\"bosh\"}},\"snapshots\":{\"status\":false},"
                                + "\"config_server\":{\"status\":true,\"extras\":{\"urls\":[]}}}}");
    }

    @Test
    void theCliCanSpeakTls12WithTheTwoSuitesItOffers() throws Exception {
        assertThat(cli.suiteUnderTls12()).startsWith("TLS_ECDHE_RSA_WITH_AES_");
    }

    // 2: log-in
    @Test
    void credentialsShowInInfoAndWrongOnesAreRefusedElsewhere() throws Exception {
        assertThat(cli.get("/info").object().string("user")).isEqualTo("admin");
        for (String bad : List.of("admin:wrong", "nobody:" + ApiFixture.PASSWORD, "admin:", "x")) {
            StockCli stranger = cli.as(bad);
            Answer info = stranger.get("/info");
            assertThat(info.status()).isEqualTo(200);
            assertThat(info.object().optionalString("user")).isNull();
            Answer refused = stranger.get("/deployments");
            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.header("WWW-Authenticate"))
                    .isEqualTo("Basic realm=\"BOSH Director\"");
            assertThat(refused.text()).isEqualTo("Not authorized: '/deployments'\n");
        }
    }

    @Test
    void aReaderMayLookAndNotTouch() throws Exception {
        StockCli reader = cli.as("reader:r");
        assertThat(reader.get("/stemcells").status()).isEqualTo(200);
        Answer refused = reader.yaml("POST", "/deployments", MANIFEST);
        assertThat(refused.status()).isEqualTo(401);
        assertThat(refused.text()).contains("\"code\":600000");
        assertThat(reader.get("/berth/environment").status()).isEqualTo(401);
    }

    // 3: curl
    @Test
    void anUnknownPathIs404AsText() throws Exception {
        Answer answer = cli.get("/nonsense");
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.text()).isEqualTo("Endpoint '/nonsense' not found.\n");
        // So is a known one with the wrong media type.
        assertThat(cli.json("POST", "/deployments", "{}").status()).isEqualTo(404);
        assertThat(
                        cli.send(
                                        "POST",
                                        "/deployments",
                                        "text/yaml;charset=utf-8",
                                        "a: b".getBytes(StandardCharsets.UTF_8),
                                        Map.of())
                                .status())
                .isEqualTo(400);
    }

    // 4: upload-stemcell
    @Test
    void aStemcellIsUploadedOnceAndSkippedAfter() throws Exception {
        assertThat(needed("berth-debian", "1.0")).isTrue();
        Tracked first = cli.track(cli.upload("/stemcells?", stemcell("1.0", true)));
        assertThat(first.state()).isEqualTo("done");
        assertThat(first.task().string("result")).isEqualTo("/stemcells/berth-debian/1.0");
        assertThat(steps(first))
                .containsExactly(
                        "Extracting stemcell archive",
                        "Verifying stemcell manifest",
                        "Checking if this stemcell already exists",
                        "Uploading stemcell berth-debian/1.0 to the cloud",
                        "Save stemcell berth-debian/1.0 (" + cid() + ")");
        assertThat(first.events())
                .allSatisfy(e -> assertThat(e.get("stage")).isEqualTo("Update stemcell"));
        assertThat(needed("berth-debian", "1.0")).isFalse();

        Tracked second = cli.track(cli.upload("/stemcells?", stemcell("1.0", false)));
        assertThat(second.state()).isEqualTo("done");
        assertThat(steps(second))
                .contains(
                        "Uploading stemcell berth-debian/1.0 to the cloud (already exists, skipped)");
        assertThat(director.calls("create_stemcell")).isEqualTo(1);

        cli.track(cli.upload("/stemcells?fix=true", stemcell("1.0", true)));
        assertThat(director.calls("create_stemcell")).isEqualTo(2);
        assertThat(cli.get("/stemcells").array()).hasSize(1);
        try (var left = Files.list(home.resolve("uploads"))) {
            assertThat(left).isEmpty();
        }
    }

    private String cid() throws Exception {
        return Fields.of(cli.get("/stemcells").array().getFirst(), "stemcell").string("cid");
    }

    private boolean needed(String name, String version) throws Exception {
        String body = "{\"stemcell\":{\"name\":\"" + name + "\",\"version\":\"" + version + "\"}}";
        return cli.json("POST", "/stemcell_uploads", body).object().flag("needed", false);
    }

    static List<String> steps(Tracked task) {
        return task.events().stream()
                .filter(e -> "started".equals(e.get("state")))
                .map(e -> String.valueOf(e.get("task")))
                .toList();
    }

    static String error(Tracked task) {
        return String.valueOf(task.events().getLast().get("error"));
    }

    static byte[] stemcell(String version, boolean gzip) throws Exception {
        String image = "an image";
        String manifest =
                "name: berth-debian\nversion: '"
                        + version
                        + "'\napi_version: 3\nsha1: "
                        + Digests.sha1(image.getBytes(StandardCharsets.UTF_8))
                        + "\noperating_system: debian\nstemcell_formats: [berth-tar]\n"
                        + "cloud_properties: {}\n";
        return tarball(Map.of("./stemcell.MF", manifest, "image", image), gzip);
    }

    static byte[] tarball(Map<String, String> files, boolean gzip) throws Exception {
        var bytes = new ByteArrayOutputStream();
        try (var out = gzip ? new GZIPOutputStream(bytes) : bytes;
                var tar = new TarArchiveOutputStream(out)) {
            for (var file : files.entrySet()) {
                byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
                var entry = new TarArchiveEntry(file.getKey(), true);
                entry.setSize(content.length);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    @Test
    void aStemcellFromAUrlIsDownloadedAndVerified() throws Exception {
        byte[] tarball = stemcell("2.0", true);
        var server =
                com.sun.net.httpserver.HttpServer.create(
                        new java.net.InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext(
                "/s.tgz",
                exchange -> {
                    exchange.sendResponseHeaders(200, tarball.length);
                    exchange.getResponseBody().write(tarball);
                    exchange.close();
                });
        server.start();
        try {
            assertThat(needed("", "")).isTrue();
            String url =
                    "http://127.0.0.1:" + server.getAddress().getPort() + "/s.tgz?key=planted-key";
            String good =
                    "{\"location\":\""
                            + url
                            + "\",\"sha1\":\"sha256:"
                            + Digests.sha256(tarball)
                            + "\"}";
            Tracked done = cli.track(cli.json("POST", "/stemcells?", good));
            assertThat(done.state()).isEqualTo("done");
            assertThat(steps(done))
                    .startsWith("Downloading remote stemcell", "Verifying remote stemcell");
            String bad = "{\"location\":\"" + url + "\",\"sha1\":\"" + "0".repeat(40) + "\"}";
            Tracked failed = cli.track(cli.json("POST", "/stemcells?fix=true", bad));
            assertThat(failed.state()).isEqualTo("error");
            assertThat(error(failed)).contains("code=50007");
            assertThat(String.valueOf(director.store.<Object>read(s -> s.task(done.id()))))
                    .doesNotContain("planted-key");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aStemcellOnTheDirectorsHostIsReadWhereItLiesIfItMayBeRead() throws Exception {
        Path mine = Files.createDirectories(director.home.resolve("local")).resolve("s.tgz");
        Files.write(mine, stemcell("3.0", true));
        Tracked done = cli.track(cli.json("POST", "/stemcells?", located(mine)));
        assertThat(done.state()).isEqualTo("done");
        assertThat(mine).exists();
        Path foreign = Files.write(director.home.resolve("foreign.tgz"), stemcell("4.0", true));
        Path link = Files.createSymbolicLink(mine.resolveSibling("link"), foreign);
        Path up = mine.resolveSibling("../foreign.tgz");
        for (Path path : List.of(foreign, link, up, mine.resolveSibling("missing"))) {
            assertThat(cli.json("POST", "/stemcells?", located(path)).text())
                    .contains("\"code\":40005")
                    .doesNotContain("foreign");
        }
    }

    private static String located(Path file) {
        return "{\"location\":\"" + "file://" + file + "\"}";
    }

    @Test
    void badStemcellsAreRefusedWithTheReasonAndLeaveNothing() throws Exception {
        assertThat(cli.upload("/stemcells?", new byte[0]).text()).contains("\"code\":50000");
        assertThat(failure("not a tarball".repeat(500).getBytes(StandardCharsets.UTF_8)))
                .contains("code=50000");
        assertThat(failure(tarball(Map.of("stemcell.MF", "name: x"), true))).contains("code=50001");
        assertThat(failure(tarball(Map.of("image", "i", "stemcell.MF", "name: x"), true)))
                .contains("code=50000")
                .contains("version");
        String wrongDigest = "name: x\nversion: 1\nsha1: " + "0".repeat(40) + "\n";
        assertThat(failure(tarball(Map.of("image", "i", "stemcell.MF", wrongDigest), true)))
                .contains("code=50007");
        String sha1 = Digests.sha1("i".getBytes(StandardCharsets.UTF_8));
        String format = "name: x\nversion: 1\nstemcell_formats: [raw]\nsha1: " + sha1 + "\n";
        assertThat(failure(tarball(Map.of("image", "i", "stemcell.MF", format), true)))
                .contains("code=50008");
        byte[] escape = tarball(Map.of("../../escaped", "x", "/escaped", "x"), false);
        assertThat(failure(escape)).contains("code=50001");
        assertThat(Path.of("/escaped")).doesNotExist();
        try (var all = Files.walk(home)) {
            assertThat(all).noneMatch(path -> path.endsWith("escaped"));
        }
        try (var left = Files.list(home.resolve("uploads"))) {
            assertThat(left).isEmpty();
        }
    }

    private String failure(byte[] tarball) throws Exception {
        Tracked task = cli.track(cli.upload("/stemcells?", tarball));
        assertThat(task.state()).isEqualTo("error");
        return error(task);
    }

    @Test
    void anUploadWithWrongCredentialsIsReadToItsEndAndRefusedTwice() throws Exception {
        byte[] big = new byte[8 << 20];
        Answer answer = cli.as("admin:wrong").upload("/stemcells?", big);
        assertThat(answer.status()).isEqualTo(401);
        try (var left = Files.list(home.resolve("uploads"))) {
            assertThat(left).isEmpty();
        }
        assertThat(cli.get("/tasks?verbose=2").text()).isEqualTo("[]");
    }

    // 5: stemcells; 25: delete-stemcell
    @Test
    void stemcellsAreListedWithTheirUsersAndDeletedWhenFree() throws Exception {
        cli.track(cli.upload("/stemcells?", stemcell("1.0", true)));
        assertThat(cli.get("/stemcells").text())
                .isEqualTo(
                        "[{\"id\":1,\"name\":\"berth-debian\",\"operating_system\":\"debian\","
                                + "\"version\":\"1.0\",\"cid\":\""
                                + cid()
                                + "\",\"cpi\":\"\","
                                + "\"deployments\":[],\"api_version\":3}]");
        deploy();
        assertThat(cli.get("/stemcells").text()).contains("\"deployments\":[{\"name\":\"zk\"}]");
        Tracked used = cli.track(cli.delete("/stemcells/berth-debian/1.0?"));
        assertThat(error(used)).contains("code=50004").contains("zk");
        cli.track(cli.delete("/deployments/zk?"));
        Tracked gone = cli.track(cli.delete("/stemcells/berth-debian/1.0?"));
        assertThat(gone.state()).isEqualTo("done");
        assertThat(cli.get("/stemcells").text()).isEqualTo("[]");
        assertThat(director.calls("delete_stemcell")).isEqualTo(1);
        Tracked again = cli.track(cli.delete("/stemcells/berth-debian/1.0?"));
        assertThat(error(again)).contains("code=50003");
    }

    // 6: upload-release
    @Test
    void releasesAreRefusedByATaskThatSaysSo() throws Exception {
        assertThat(cli.yaml("POST", "/packages/matches", "name: r").text()).isEqualTo("[]");
        Tracked refused = cli.track(cli.upload("/releases?", new byte[100_000]));
        assertThat(refused.state()).isEqualTo("error");
        assertThat(error(refused)).contains("BOSH releases are not supported yet");
        String remote = "{\"location\":\"https://127.0.0.1/r\",\"sha1\":\"x\"}";
        assertThat(error(cli.track(cli.json("POST", "/releases?fix=true", remote))))
                .contains("not supported yet");
    }

    // 7: releases, inspect-release
    @Test
    void theBuiltInReleaseIsListed() throws Exception {
        assertThat(cli.get("/releases").text())
                .isEqualTo(
                        "[{\"name\":\"docker\",\"release_versions\":[{\"version\":\"36.0.2\","
                                + "\"commit_hash\":null,\"uncommitted_changes\":false,"
                                + "\"currently_deployed\":false,"
                                + "\"job_names\":[\"containers\",\"docker\"]}]}]");
        assertThat(cli.get("/releases/docker?version=36.0.2").object().list("packages")).isEmpty();
        assertThat(cli.get("/releases/docker?version=1").text())
                .isEqualTo(
                        "{\"code\":30006,\"description\":"
                                + "\"Release version 'docker/1' doesn't exist\"}");
        assertThat(cli.get("/releases/zookeeper?version=1").status()).isEqualTo(404);
    }

    // 8: update-cloud-config, cloud-config
    @Test
    void aCloudConfigIsUpdatedAndShown() throws Exception {
        assertThat(cli.get("/cloud_configs?limit=1&name=").text()).isEqualTo("[]");
        String first = "azs:\n- name: z1\n";
        assertThat(cli.yaml("POST", "/cloud_configs/diff?name=", first).text())
                .isEqualTo("{\"diff\":[[\"azs:\",\"added\"],[\"- name: z1\",\"added\"]]}");
        Answer saved = cli.yaml("POST", "/cloud_configs?name=", first);
        assertThat(saved.status()).isEqualTo(201);
        assertThat(saved.text()).isEmpty();
        Fields shown =
                Fields.of(cli.get("/cloud_configs?limit=1&name=").array().getFirst(), "config");
        assertThat(shown.string("properties")).isEqualTo(first);
        assertThat(shown.string("created_at")).matches("[0-9-]{10} [0-9:]{8} UTC");
        assertThat(cli.yaml("POST", "/cloud_configs/diff?name=", first).text())
                .isEqualTo("{\"diff\":[]}");
        cli.yaml("POST", "/cloud_configs?name=", first);
        assertThat(cli.get("/cloud_configs?limit=9&name=").array()).hasSize(1);
        assertThat(cli.get("/cloud_configs?name=").status()).isEqualTo(400);
        assertThat(cli.yaml("POST", "/cloud_configs?name=", "- a").text())
                .contains("\"code\":440001");
        assertThat(cli.yaml("POST", "/cloud_configs?name=", "").text()).contains("\"code\":440001");
    }

    // 9: update-config, configs, config, delete-config
    @Test
    void configsHaveVersionsAndAnOptimisticLock() throws Exception {
        String body = "{\"type\":\"cloud\",\"name\":\"n\",\"content\":\"a: 1\\n\"}";
        Answer diff = cli.json("POST", "/configs/diff", body);
        assertThat(diff.text())
                .isEqualTo("{\"diff\":[[\"a: 1\",\"added\"]],\"from\":{\"id\":\"0\"}}");
        String expecting = body.replace("}", ",\"expected_latest_id\":\"0\"}");
        Answer saved = cli.json("POST", "/configs", expecting);
        assertThat(saved.status()).isEqualTo(201);
        Fields config = saved.object();
        assertThat(config.tree())
                .containsEntry("id", "1")
                .containsEntry("team", null)
                .containsEntry("current", true)
                .containsEntry("content", "a: 1\n");
        Answer conflict = cli.json("POST", "/configs", expecting.replace("a: 1", "a: 2"));
        assertThat(conflict.status()).isEqualTo(412);
        assertThat(conflict.object().string("latest_id")).isEqualTo("1");
        assertThat(conflict.object().string("expected_latest_id")).isEqualTo("0");
        String second = body.replace("a: 1", "a: 2");
        assertThat(cli.json("POST", "/configs", second).object().string("id")).isEqualTo("2");
        assertThat(cli.get("/configs?type=cloud&name=n&limit=1&latest=true").array()).hasSize(1);
        assertThat(cli.get("/configs?limit=5&latest=false").array()).hasSize(2);
        assertThat(cli.get("/configs?latest=maybe").text()).contains("440010");
        assertThat(cli.get("/configs/1").object().flag("current", true)).isFalse();
        assertThat(
                        cli.json(
                                        "POST",
                                        "/configs/diff",
                                        "{\"from\":{\"id\":\"1\",\"content\":\"\"},"
                                                + "\"to\":{\"id\":\"2\",\"content\":\"\"}}")
                                .text())
                .isEqualTo("{\"diff\":[[\"a: 1\",\"removed\"],[\"a: 2\",\"added\"]]}");
        assertThat(cli.get("/configs/99").text())
                .isEqualTo("{\"code\":440012,\"description\":\"Config 99 not found\"}");
        assertThat(cli.delete("/configs/2").status()).isEqualTo(204);
        assertThat(cli.get("/configs?type=cloud").text()).contains("a: 1");
        assertThat(cli.delete("/configs?type=cloud&name=n").status()).isEqualTo(204);
        assertThat(cli.delete("/configs?type=cloud&name=n").status()).isEqualTo(404);
        assertThat(cli.json("POST", "/configs", "[]").text()).contains("\"code\":440010");
        assertThat(cli.json("POST", "/configs", "{").text()).contains("\"code\":710001");
        assertThat(cli.json("POST", "/configs", body.replace("a: 1\\n", "- a")).text())
                .contains("\"code\":440011");
    }

    private Tracked deploy() throws Exception {
        return cli.track(cli.yaml("POST", "/deployments", MANIFEST));
    }

    // 10: deploy
    @Test
    void aDeployComparesThenConvergesWithTheConfigsItCompared() throws Exception {
        cli.yaml("POST", "/cloud_configs?name=", "azs:\n- name: z1\n");
        assertThat(cli.get("/configs?latest=true&limit=1&type=deploy").text()).isEqualTo("[]");
        Answer diff = cli.yaml("POST", "/deployments/zk/diff?redact=true", MANIFEST);
        assertThat(diff.object().object("context").list("cloud_config_ids")).containsExactly(1L);
        assertThat(diff.object().list("diff"))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(Json.asList(line)).hasSize(2));
        String context =
                "%7B%22cloud_config_ids%22%3A%5B1%5D%2C%22runtime_config_ids%22%3A%5B%5D%7D";

        Tracked dry =
                cli.track(
                        cli.yaml(
                                "POST",
                                "/deployments?context=" + context + "&dry_run=true",
                                MANIFEST));
        assertThat(dry.task().string("description")).isEqualTo("create deployment (dry run)");
        assertThat(cli.get("/deployments").text()).isEqualTo("[]");

        Tracked done = cli.track(cli.yaml("POST", "/deployments?context=" + context, MANIFEST));
        assertThat(done.state()).isEqualTo("done");
        assertThat(done.task().string("result")).isEqualTo("/deployments/zk");
        assertThat(
                        cli.yaml("POST", "/deployments/zk/diff?redact=true", MANIFEST)
                                .object()
                                .list("diff"))
                .isEmpty();
        Answer stale =
                cli.yaml(
                        "POST",
                        "/deployments?context=%7B%22cloud_config_ids%22%3A%5B9%5D%7D",
                        MANIFEST);
        assertThat(stale.text()).contains("\"code\":190025");
        assertThat(stale.status()).isEqualTo(400);
    }

    @Test
    void badManifestsAreRefusedAtTheDoor() throws Exception {
        for (String bad : List.of("", "- a", "a: [", "a: 1\na: 2")) {
            assertThat(cli.yaml("POST", "/deployments", bad).text()).contains("\"code\":440001");
        }
        assertThat(cli.yaml("POST", "/deployments", "a: b").text()).contains("\"code\":40001");
        assertThat(cli.yaml("POST", "/deployments", "name: a/b").text()).contains("40005");
        assertThat(
                        cli.yaml(
                                        "POST",
                                        "/deployments?recreate_vms_created_before=2024-01-01T00%3A00%3A00Z",
                                        MANIFEST)
                                .text())
                .contains("Must pass recreate=true");
        assertThat(cli.yaml("POST", "/deployments?canaries=many", MANIFEST).text())
                .contains("should be integer or percent");
        assertThat(cli.get("/tasks?verbose=2").text()).isEqualTo("[]");
    }

    // 11: task, tasks
    @Test
    void tasksAreListedNewestFirstAndTheirOutputsRead() throws Exception {
        Tracked first = deploy();
        Tracked second = deploy();
        List<Object> recent = cli.get("/tasks?limit=30&verbose=1").array();
        assertThat(recent)
                .extracting(t -> Json.asObject(t).get("id"))
                .containsExactly(second.id(), first.id());
        Map<String, Object> task = Json.asObject(recent.getFirst());
        assertThat(task.keySet())
                .containsExactly(
                        "id",
                        "state",
                        "description",
                        "timestamp",
                        "started_at",
                        "result",
                        "user",
                        "deployment",
                        "context_id");
        assertThat(task.get("timestamp")).isInstanceOf(Long.class);
        assertThat(
                        cli.get("/tasks?state=processing,cancelling,queued&verbose=2&deployment=zk")
                                .text())
                .isEqualTo("[]");
        assertThat(cli.get("/tasks/" + first.id() + "/output?type=debug").text())
                .contains("starting task");
        assertThat(cli.get("/tasks/" + first.id() + "/output?type=cpi").status()).isEqualTo(204);
        assertThat(cli.get("/tasks/" + first.id() + "/output?type=odd").status()).isEqualTo(401);
        assertThat(cli.get("/tasks/99").text())
                .isEqualTo("{\"code\":10000,\"description\":\"Task 99 not found\"}");
        assertThat(cli.delete("/task/" + first.id()).text())
                .isEqualTo("Cannot cancel task " + first.id() + ": invalid state (done)\n");
        assertThat(cli.json("POST", "/tasks/cancel", "{}").status()).isEqualTo(204);
        assertThat(cli.json("POST", "/tasks/cancel", "{\"states\":[\"done\"]}").status())
                .isEqualTo(400);
    }

    @Test
    void outputIsServedByByteRanges() throws Exception {
        long id = deploy().id();
        String path = "/tasks/" + id + "/output?type=event";
        byte[] all = cli.get(path).body();
        Answer tail = cli.send("GET", path, null, null, Map.of("Range", "bytes=10-"));
        assertThat(tail.status()).isEqualTo(206);
        assertThat(tail.header("Content-Range"))
                .isEqualTo("bytes 10-" + (all.length - 1) + "/" + all.length);
        assertThat(tail.body()).isEqualTo(Arrays.copyOfRange(all, 10, all.length));
        Answer end =
                cli.send("GET", path, null, null, Map.of("Range", "bytes=" + all.length + "-"));
        assertThat(end.status()).isEqualTo(416);
        assertThat(end.header("Content-Range")).isEqualTo("bytes */" + all.length);
    }

    // 12: deployments, deployment, manifest
    @Test
    void deploymentsAreListedWithWhatTheyUse() throws Exception {
        cli.yaml("POST", "/cloud_configs?name=", "azs: []\n");
        deploy();
        assertThat(cli.get("/deployments").text())
                .isEqualTo(
                        "[{\"name\":\"zk\",\"teams\":[],\"cloud_config\":\"latest\","
                                + "\"stemcells\":[{\"name\":\"berth-debian\",\"version\":\"1.0\"}],"
                                + "\"releases\":[{\"name\":\"docker\",\"version\":\"36.0.2\"}],"
                                + "\"locked\":false}]");
        assertThat(cli.get("/deployments?exclude_configs=true").text())
                .doesNotContain("cloud_config");
        cli.yaml("POST", "/cloud_configs?name=", "azs: []\nnetworks: []\n");
        assertThat(cli.get("/deployments").text()).contains("\"cloud_config\":\"outdated\"");
        assertThat(cli.get("/deployments/zk").object().string("manifest")).isEqualTo(MANIFEST);
        assertThat(cli.get("/deployments/nope").text())
                .isEqualTo("{\"code\":70000,\"description\":\"Deployment 'nope' doesn't exist\"}");
        assertThat(cli.get("/deployments/nope").status()).isEqualTo(404);
        assertThat(cli.get("/deployment_configs?deployment[]=zk").text())
                .isEqualTo(
                        "[{\"id\":1,\"deployment\":\"zk\","
                                + "\"config\":{\"id\":1,\"type\":\"cloud\",\"name\":\"default\"}}]");
        assertThat(cli.get("/deployment_configs").text()).isEqualTo("[]");
    }

    // 14: delete-deployment
    @Test
    void aDeploymentIsDeletedAndThenUnknown() throws Exception {
        deploy();
        Tracked deleted = cli.track(cli.delete("/deployments/zk?force=true"));
        assertThat(deleted.state()).isEqualTo("done");
        assertThat(deleted.task().string("description")).isEqualTo("delete deployment zk");
        assertThat(cli.delete("/deployments/zk?").status()).isEqualTo(404);
        assertThat(cli.get("/deployments").text()).isEqualTo("[]");
    }

    @Test
    void stateChangesBecomeDeploysOfTheStoredManifest() throws Exception {
        assertThat(cli.yaml("PUT", "/deployments/zk/jobs/*?state=stopped", "").status())
                .isEqualTo(404);
        deploy();
        Tracked all =
                cli.track(
                        cli.yaml(
                                "PUT",
                                "/deployments/zk/jobs/*?state=detached&skip_drain=true",
                                ""));
        assertThat(all.state()).isEqualTo("done");
        Map<String, Object> payload =
                director.store.read(s -> s.task(all.id())).orElseThrow().payload();
        assertThat(payload)
                .containsEntry("manifest", MANIFEST)
                .containsEntry("options", Json.of("skip_drain", "*"))
                .containsEntry(
                        "state_change",
                        Json.of("state", "detached", "group", "*", "instance", null));
        assertThat(cli.yaml("PUT", "/deployments/zk/jobs/web/7?state=started", "").text())
                .contains("\"code\":70001");
        assertThat(cli.yaml("PUT", "/deployments/zk/jobs/web/x?state=started", "").text())
                .contains("\"code\":70002");
        assertThat(cli.yaml("PUT", "/deployments/zk/jobs/web?state=odd", "").text())
                .contains("\"code\":140007");
    }

    @Test
    void resurrectionIsSwitchedOffAndOn() throws Exception {
        assertThat(cli.get("/resurrection").text()).isEqualTo("{\"resurrection\":true}");
        Answer off = cli.json("PUT", "/resurrection", "{\"resurrection_paused\":true}");
        assertThat(off.status()).isEqualTo(200);
        assertThat(off.text()).isEmpty();
        assertThat(cli.get("/resurrection").text()).isEqualTo("{\"resurrection\":false}");
        deploy();
        String jobs = "{\"jobs\":{\"web\":[\"u\"]}}";
        assertThat(cli.json("PUT", "/deployments/zk/scan_and_fix", jobs).text())
                .contains("\"code\":410004");
        cli.json("PUT", "/resurrection", "{\"resurrection_paused\":false}");
        Tracked fixed = cli.track(cli.json("PUT", "/deployments/zk/scan_and_fix", jobs));
        assertThat(fixed.task().string("description")).isEqualTo("scan and fix");
    }

    @Test
    void auditEventsAreAddedAndFound() throws Exception {
        cli.yaml("POST", "/cloud_configs?name=", "azs: []\n");
        String event =
                "{\"action\":\"create\",\"object_type\":\"alert\",\"object_name\":\"a1\","
                        + "\"deployment\":\"zk\",\"context\":{\"message\":\"m\"}}";
        assertThat(cli.json("POST", "/events", event).status()).isEqualTo(200);
        List<Object> events = cli.get("/events").array();
        assertThat(events).hasSize(2);
        Map<String, Object> newest = Json.asObject(events.getFirst());
        assertThat(newest)
                .containsEntry("id", "2")
                .containsEntry("object_name", "a1")
                .containsEntry("context", Json.of("message", "m"))
                .doesNotContainKey("error");
        assertThat(cli.get("/events?before_id=2").array()).hasSize(1);
        assertThat(cli.get("/events?object_type=alert").array()).hasSize(1);
        assertThat(cli.get("/events?after_time=2099-01-01%2000:00:00").array()).isEmpty();
        assertThat(cli.get("/events?after_time=soon").status()).isEqualTo(400);
        assertThat(cli.get("/events/1").object().string("object_type")).isEqualTo("cloud-config");
        assertThat(cli.get("/events/77").text()).isEqualTo("Event not found\n");
        assertThat(cli.json("POST", "/events", "{}").text()).contains("\"code\":40000");
    }

    @Test
    void theEnvironmentTellsAdministratorsWhereToPush() throws Exception {
        assertThat(cli.get("/berth/environment").object().object("registry").string("password"))
                .isEqualTo(ApiFixture.REGISTRY_PASSWORD);
    }

    @Test
    void pathsAreReadSegmentBySegment() throws Exception {
        Tracked done = cli.track(cli.delete("/disks/a%2Fb"));
        assertThat(done.task().string("result")).isEqualTo("orphaned disk(s) a/b deleted");
        assertThat(cli.delete("/disks/%zz").status()).isEqualTo(400);
        assertThat(cli.get("/deployments/../tasks").status()).isEqualTo(404);
    }

    @Test
    void aContextIdIsKeptWithTheTaskAndBounded() throws Exception {
        byte[] body = MANIFEST.getBytes(StandardCharsets.UTF_8);
        Answer answer =
                cli.send(
                        "POST",
                        "/deployments",
                        "text/yaml",
                        body,
                        Map.of("X-Bosh-Context-Id", "ctx"));
        Tracked task = cli.track(answer);
        assertThat(task.task().string("context_id")).isEqualTo("ctx");
        assertThat(cli.get("/tasks?verbose=2&context_id=ctx").array()).hasSize(1);
        assertThat(cli.get("/tasks?verbose=2&context_id=other").array()).isEmpty();
        Answer tooLong =
                cli.send(
                        "POST",
                        "/deployments",
                        "text/yaml",
                        body,
                        Map.of("X-Bosh-Context-Id", "c".repeat(65)));
        assertThat(tooLong.text()).contains("\"code\":70010");
    }

    @Test
    void noPasswordStandsInAnyFileOrAnswerButWhereItIsAskedFor() throws Exception {
        deploy();
        cli.track(cli.upload("/stemcells?", stemcell("1.0", true)));
        for (String path : List.of("/info", "/tasks?verbose=2", "/events", "/deployments")) {
            assertThat(cli.get(path).text()).doesNotContain("planted");
        }
        try (var files = Files.walk(home)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
                        .doesNotContain("planted");
            }
        }
    }
}
