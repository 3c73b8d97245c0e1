package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cli.FakeDirector.Ran;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code why}, {@code logs}, {@code exec}, {@code top}, and single containers, from their words.
 */
final class InsideTest {
    private static final String DB = "/deployments/shop/instances/db/0";

    @TempDir Path folder;
    @org.jspecify.annotations.Nullable FakeDirector opened;

    @BeforeEach
    void open() throws Exception {
        opened = new FakeDirector(folder);
    }

    @AfterEach
    void close() {
        director().close();
    }

    private FakeDirector director() {
        return java.util.Objects.requireNonNull(opened);
    }

    private static String why() {
        return "{\"instance\":\"db/1\",\"state\":\"started\",\"job_state\":\"failing\",\"verdict\":\"degraded: x\","
                + "\"waiting_for\":\"the cloud\",\"resurrection\":false,\"update_completed\":true,\"told_by\":\"agent\","
                + "\"daemon\":\"up\",\"vm\":{\"cid\":\"vm-1\",\"responsive\":true,\"last_seen\":\"2024-05-01T10:00:00Z\"},"
                + "\"disks\":[{\"cid\":\"d-1\",\"size_mb\":1024,\"attached_to\":\"vm-1\",\"proven\":false,\"reason\":\"wrong id\"}],"
                + "\"containers\":[{\"name\":\"pg\",\"wished\":{\"image\":\"pg:1\",\"image_digest\":\"sha256:aabbccddeeff0011\"},"
                + "\"seen\":{\"state\":\"backoff\",\"restarts\":4,\"last_exit_code\":137,\"last_exit_oom\":true,"
                + "\"reason\":\"exited with code 137\",\"cause\":\"exited\",\"last_log\":\"FATAL: no room\\nbye\"}}]}";
    }

    /** Wished and observed side by side, with the reasons; last lines of what is not well. */
    @Test
    void whyShowsEverything() {
        director().on("GET " + DB + "/why", why());
        Ran shown = director().run("why", "db/0", "-d", "shop", "--tty");
        assertThat(shown.code()).as(shown.err()).isZero();
        assertThat(shown.out())
                .contains("Part", "Wished", "Observed", "Why")
                .contains("the judge: degraded: x", "waits: the cloud", "resurrection is off")
                .contains("not proven, attached to vm-1", "wrong id")
                .contains("backoff", "4 restarts", "last exit 137 (SIGKILL, out of memory)")
                .contains("sha256:aabbccddeeff")
                .contains("Last lines of pg:", "  FATAL: no room");
        Ran json = director().run("why", "db/0", "-d", "shop", "--json");
        assertThat(
                        Fields.of(Json.parse(json.out()), "json")
                                .objects("Tables")
                                .getFirst()
                                .string("Content"))
                .isEqualTo("parts");
    }

    /** One that was asked for alone and is well again: what it said before it ended. */
    @Test
    void whyOfOneContainerShowsWhatItPrintedBeforeItEnded() {
        director()
                .on(
                        "GET " + DB + "/why?container=pg",
                        why().replace("\"backoff\"", "\"up\"").replace("last_log", "exit_log"));
        Ran shown = director().run("why", "db/0/pg", "-d", "shop");
        assertThat(shown.code()).as(shown.err()).isZero();
        assertThat(shown.out())
                .contains("Last lines of pg before it ended last:", "  FATAL: no room")
                .doesNotContain("Last lines of pg:");
    }

    /** A group alone names its one instance; of several it asks which. */
    @Test
    void theOneInstanceOfAGroup() {
        director()
                .on(
                        "GET /deployments/shop/instances",
                        "[{\"job\":\"db\",\"id\":\"0\"},{\"job\":\"web\",\"id\":\"1\"},{\"job\":\"web\",\"id\":\"2\"}]")
                .on("GET " + DB + "/why?container=pg", why());
        assertThat(director().run("why", "db/pg", "-d", "shop").code()).isZero();
        assertThat(director().run("why", "web", "-d", "shop").err())
                .contains("which one? web has 2 instances");
        assertThat(director().run("why", "none", "-d", "shop").err())
                .contains("no instance group 'none', only [db, web]");
        assertThat(director().run("why", "db/x/y", "-d", "shop").err()).contains("'x' is neither");
    }

    private static String page(String cursor, boolean more, String... lines) {
        var trees = new java.util.ArrayList<Object>();
        for (String line : lines) {
            String[] parts = line.split(" ", 2);
            trees.add(
                    Json.of(
                            "stream",
                            "stdout",
                            "time",
                            "2024-05-01T10:00:0" + parts[0] + "Z",
                            "text",
                            parts[1]));
        }
        return Json.write(Json.of("lines", trees, "cursor", cursor, "more", more));
    }

    /** Lines of all containers in the order of their times, each with its name. */
    @Test
    void logsOfAllContainers() {
        director()
                .on(
                        "GET /deployments/shop/containers",
                        "[{\"name\":\"pg\",\"group\":\"db\",\"index\":0},{\"name\":\"app\",\"group\":\"db\",\"index\":0},{\"name\":\"x\",\"group\":\"web\",\"index\":0}]")
                .on(
                        "GET " + DB + "/containers/pg/logs?num=100",
                        page("c", true, "1 one", "3 three"))
                .on("GET " + DB + "/containers/pg/logs?num=98&cursor=c", page("d", false, "4 four"))
                .on("GET " + DB + "/containers/app/logs?num=100", page("c", false, "2 two"));
        Ran ran = director().run("logs", "db/0", "-d", "shop");
        assertThat(ran.out()).isEqualTo("pg | one\napp | two\npg | three\npg | four\n");
        Ran one = director().run("logs", "db/0", "--container", "app", "-d", "shop");
        assertThat(one.out()).isEqualTo("two\n");
        assertThat(director().run("logs", "db/0/none", "-d", "shop").code()).isEqualTo(1);
        assertThat(director().run("logs", "db/0", "--num", "0", "-d", "shop").err())
                .contains("--num");
    }

    /** Streams apart, exit code passed on; nothing else on standard output. */
    @Test
    void execPassesOn() {
        director()
                .on(
                        "POST " + DB + "/containers/pg/exec",
                        "{\"stdout\":\"out\\n\",\"stderr\":\"err\\n\",\"exit_code\":7,\"truncated\":true}");
        Ran ran = director().run("exec", "db/0/pg", "-d", "shop", "--", "sh", "-c", "exit 7");
        assertThat(ran.code()).isEqualTo(7);
        assertThat(ran.out()).isEqualTo("out\n");
        assertThat(ran.err()).startsWith("err\n").contains("more than is carried");
        assertThat(director().bodies.get("POST " + DB + "/containers/pg/exec"))
                .isEqualTo("{\"command\":[\"sh\",\"-c\",\"exit 7\"],\"timeout_seconds\":60}");
        Ran incomplete = director().run("exec", "db/0", "-d", "shop", "--", "ls");
        assertThat(incomplete.err()).contains("which container? say db/0/CONTAINER");
    }

    /** One container by three parts or by group and name; the stock forms go where they went. */
    @Test
    void singleContainersAreChanged() {
        director()
                .begins("PUT " + DB + "/containers/pg?state=restart", 9)
                .begins("PUT /deployments/shop/jobs/db/0?state=restart", 9)
                .begins("PUT /deployments/shop/jobs/*?state=stopped", 9)
                .task(9, "done", "")
                .output(9, "event");
        Ran ran = director().run("restart", "db/0/pg", "-d", "shop", "-n");
        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(director().run("restart", "db/0", "-d", "shop", "-n").code()).isZero();
        assertThat(director().run("stop", "-d", "shop", "-n").code()).isZero();
        assertThat(director().changes())
                .containsExactly(
                        "PUT " + DB + "/containers/pg?state=restart",
                        "PUT /deployments/shop/jobs/db/0?state=restart",
                        "PUT /deployments/shop/jobs/*?state=stopped");
        assertThat(director().run("stop", "--hard", "db/0/pg", "-d", "shop", "-n").err())
                .contains("--hard is for instances");
        assertThat(director().run("recreate", "db/0/pg", "-d", "shop", "-n").err())
                .contains("berth restart");
    }

    /** One look into a pipe and as JSON; never a screen that is cleared. */
    @Test
    void topOnce() {
        director()
                .begins("GET /deployments/shop/instances?format=full", 4)
                .task(4, "done", "")
                .output(
                        4,
                        "result",
                        "{\"job_name\":\"db\",\"id\":\"1\",\"job_state\":\"running\",\"vitals\":{\"cpu\":{\"user\":\"1.5\",\"sys\":\"0.5\"},"
                                + "\"mem\":{\"kb\":\"2048\",\"percent\":\"7\"},\"uptime\":{\"secs\":3700}},"
                                + "\"processes\":[{\"name\":\"pg\",\"state\":\"running\",\"uptime\":{\"secs\":59},\"mem\":{\"kb\":1024,\"percent\":0.5},\"cpu\":{\"total\":1.2}}]}")
                .on(
                        "GET /deployments/shop/containers",
                        "[{\"instance\":\"db/1\",\"name\":\"pg\",\"restarts\":3}]");
        Ran ran = director().run("top", "-d", "shop");
        assertThat(ran.out())
                .isEqualTo(
                        """
                        db/1\t- \trunning\t2.0%\t2.0 MiB\t7%  \t1h 1m\t-\tshop\t
                        ~   \tpg\trunning\t1.2%\t1.0 MiB\t0.5%\t59s  \t3\t-   \t
                        """);
        assertThat(director().run("top", "-d", "shop", "--json").out())
                .contains("\"restarts\":\"3\"");
    }

    /** The director gets the services, never the name of a file. */
    @Test
    void composeFilesAreInlinedBeforeAnythingIsSent() throws Exception {
        java.nio.file.Files.writeString(
                folder.resolve("compose.yml"), "services: {pg: {image: 'pg:${TAG}'}}");
        Path manifest =
                java.nio.file.Files.writeString(
                        folder.resolve("shop.yml"),
                        "name: shop\ninstance_groups:\n- {name: db, compose: compose.yml}\n");
        director()
                .on("POST /deployments/shop/diff?redact=true", "{\"diff\":[],\"context\":{}}")
                .begins("POST /deployments?dry_run=true&context=%7B%7D", 5)
                .task(5, "done", "")
                .output(5, "result");
        Ran ran =
                director()
                        .run(
                                "",
                                Map.of("TAG", "16"),
                                "deploy",
                                manifest.toString(),
                                "-d",
                                "shop",
                                "--dry-run");
        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(director().bodies.get("POST /deployments/shop/diff?redact=true"))
                .contains("pg:16")
                .doesNotContain("compose");
    }
}
