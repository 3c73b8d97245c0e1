package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cli.FakeDirector.Ran;
import dev.berth.model.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole commands, from their words to what the director is asked and what a person sees. */
final class MainTest {
    private static final String DIFF = "{\"diff\":[[\"name: shop\",\"added\"]],\"context\":{}}";

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

    /**
     * A word that is no command, a wrong option, a missing word: said, with what was perhaps meant.
     */
    @Test
    void misuse() {
        Ran unknown = director().run("deplo");
        assertThat(unknown.code()).isEqualTo(2);
        assertThat(unknown.err())
                .contains("unknown command 'deplo'")
                .contains("did you mean deploy");
        assertThat(director().run("deploy", "--recrate", "x").err())
                .contains("unknown option '--recrate'; did you mean --recreate")
                .contains("see: berth help deploy");
        assertThat(director().run("deploy").err()).contains("MANIFEST");
        assertThat(director().run("vms", "extra").err()).contains("'extra' is one word too many");
        assertThat(director().run("task", "abc").err()).contains("'abc'");
        Ran nothing = director().run();
        assertThat(nothing.code()).isEqualTo(2);
        assertThat(nothing.err()).contains("Usage: berth COMMAND");
        assertThat(director().asked).isEmpty();
    }

    /** Every command is in the overview and has help of its own. */
    @Test
    void help() {
        String all = director().run("help").out();
        for (String name :
                List.of(
                        "up",
                        "down",
                        "demo",
                        "push",
                        "print-env",
                        "deploy",
                        "deployments",
                        "set-variable",
                        "vms",
                        "instances",
                        "containers",
                        "why",
                        "logs",
                        "exec",
                        "top",
                        "tasks",
                        "task",
                        "stemcells",
                        "disks",
                        "delete-deployment",
                        "delete-disk",
                        "test",
                        "bench",
                        "stemcell build")) {
            assertThat(all).contains("\n  " + name);
        }
        Ran one = director().run("deploy", "--help");
        assertThat(one.code()).isZero();
        assertThat(one.out())
                .contains("MANIFEST")
                .contains("--dry-run")
                .doesNotContain("--ca-cert");
    }

    /** No environment, nobody there, wrong password: one line each with the remedy, exit code 1. */
    @Test
    void noDirector() {
        Ran none =
                FakeDirector.run(
                        "",
                        Map.of("BERTH_HOME", folder.resolve("none").toString()),
                        List.of("vms"));
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.err()).contains("there is no environment at").contains(" up");
        Ran silent = director().run("", Map.of("BOSH_ENVIRONMENT", "127.0.0.1:1"), "vms");
        assertThat(silent.err())
                .isEqualTo("no director answers at https://127.0.0.1:1; start it with: berth up\n");
        Ran wrong =
                director().run("", Map.of("BOSH_CLIENT_SECRET", "planted-wrong"), "deployments");
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err())
                .contains("does not know these credentials (user 'admin')")
                .doesNotContain("planted-wrong");
    }

    /** A listing is followed as a task and shown as rows; with --json as the stock CLI's object. */
    @Test
    void listing() {
        director()
                .begins("GET /deployments/shop/instances?format=full", 4)
                .task(4, "done", "")
                .output(
                        4,
                        "result",
                        "{\"job_name\":\"db\",\"id\":\"1\",\"job_state\":\"running\",\"az\":\"z1\",\"ips\":[\"10.0.0.2\"],"
                                + "\"processes\":[{\"name\":\"pg\",\"state\":\"running\"}]}",
                        "{\"job_name\":\"web\",\"id\":\"2\",\"job_state\":\"failing\",\"ips\":[],"
                                + "\"processes\":[{\"name\":\"web\",\"state\":\"failing\"}]}");
        assertThat(director().run("instances", "--ps", "-d", "shop").out())
                .isEqualTo(
                        """
                        db/1 \t-  \trunning\tz1\t10.0.0.2\tshop\t
                        ~    \tpg \trunning\t- \t-       \t-   \t
                        web/2\t-  \tfailing\t- \t-       \tshop\t
                        ~    \tweb\tfailing\t- \t-       \t-   \t
                        """);
        Map<String, Object> json =
                Json.object(
                        director()
                                .run("instances", "--ps", "-d", "shop", "--failing", "--json")
                                .out());
        Map<String, Object> table = Json.asObject(Json.asList(json.get("Tables")).getFirst());
        assertThat(Json.asList(table.get("Rows"))).hasSize(2);
        assertThat(Json.asObject(Json.asList(table.get("Rows")).getLast()))
                .containsEntry("instance", "web/2")
                .containsEntry("process", "web");
    }

    /** One that is deleted while all are listed is passed over; one that was named is missed. */
    @Test
    void aDeploymentThatGoesMeanwhile() {
        String gone = "{\"code\":70000,\"description\":\"Deployment 'gone' doesn't exist\"}";
        director()
                .on(
                        "GET /deployments?exclude_configs=true&exclude_releases=true&exclude_stemcells=true",
                        "[{\"name\":\"gone\"},{\"name\":\"shop\"}]")
                .on("GET /deployments/gone/vms?format=full", 404, gone)
                .begins("GET /deployments/shop/vms?format=full", 4)
                .task(4, "done", "")
                .output(
                        4,
                        "result",
                        "{\"job_name\":\"db\",\"id\":\"1\",\"vm_cid\":\"vm-7\",\"ips\":[]}");
        Ran all = director().run("vms");
        assertThat(all.out()).contains("vm-7");
        assertThat(all.code()).isZero();
        Ran one = director().run("vms", "-d", "gone");
        assertThat(one.err()).contains("Deployment 'gone' doesn't exist (code 70000)");
        assertThat(one.code()).isEqualTo(1);
    }

    private String manifest() throws Exception {
        director()
                .on("POST /deployments/shop/diff?redact=true", DIFF)
                .begins("POST /deployments?dry_run=true&context=%7B%7D", 8)
                .task(8, "done", "")
                .output(8, "result", "{\"plan\":\"db/1: create VM\"}")
                .begins("POST /deployments?context=%7B%7D", 9)
                .task(9, "done", "/deployments/shop")
                .output(9, "event", EventPrinterTest.event(0, "db/1 (0)", "started"));
        return Files.writeString(folder.resolve("shop.yml"), "name: ((name))\n").toString();
    }

    /**
     * Diff and plan come first; then the answer decides; variables are put in before anything is
     * sent.
     */
    @Test
    void deploy() throws Exception {
        String file = manifest();
        Ran ran = director().run("y\n", Map.of(), "deploy", "-d", "shop", file, "-v", "name=shop");
        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(ran.out())
                .contains("+ name: shop")
                .contains("db/1: create VM")
                .contains("Continue? [yN]: ")
                .contains("Task 9 | 22:13:20 | Updating instance db: db/1 (0)");
        assertThat(director().bodies.get("POST /deployments?context=%7B%7D"))
                .isEqualTo("name: shop\n");
    }

    /** Without a yes nothing is begun: a no, nobody there, or JSON that cannot ask. */
    @Test
    void deployWithoutConsent() throws Exception {
        String file = manifest();
        Ran no = director().run("n\n", Map.of(), "deploy", "-d", "shop", file);
        assertThat(no.err()).contains("stopped; nothing was changed");
        Ran nobody = director().run("deploy", "-d", "shop", file);
        assertThat(nobody.err()).contains("say -n to go ahead");
        Ran json = director().run("deploy", "-d", "shop", file, "--json");
        assertThat(json.code()).isEqualTo(1);
        assertThat(Json.asList(Json.object(json.out()).get("Lines"))).contains("Exit code 1");
        assertThat(director().changes()).doesNotContain("POST /deployments?context=%7B%7D");
    }

    /** A task that failed shows its events, its error and where its log is; exit code 1. */
    @Test
    void failedTask() {
        director()
                .task(5, "error", "a failed")
                .output(
                        5,
                        "event",
                        "{\"time\":1700000005,\"error\":{\"code\":1,\"message\":\"a failed\"}}")
                .output(5, "debug", "because");
        Ran ran = director().run("task", "5");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.out()).isEqualTo("Task 5 | 22:13:25 | Error: a failed\n");
        assertThat(ran.err()).contains("its state is 'error'").contains("berth task 5 --debug");
        assertThat(director().run("task", "5", "--debug").out()).isEqualTo("because\n");
        Ran both = director().run("task", "5", "--debug", "--cpi");
        assertThat(both.code()).isEqualTo(2);
    }

    /** What is not there any more is no failure of its deletion. */
    @Test
    void deleteTwice() {
        director()
                .on(
                        "DELETE /deployments/shop?",
                        404,
                        "{\"code\":70000,\"description\":\"unknown\"}");
        Ran ran = director().run("delete-deployment", "-n", "-d", "shop");
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("nothing to delete");
    }

    /** A director's refusal is told in its own words with its code. */
    @Test
    void refusal() {
        director()
                .on("GET /tasks/99", 404, "{\"code\":10000,\"description\":\"Task 99 not found\"}");
        assertThat(director().run("task", "99").err())
                .isEqualTo("Task 99 not found (code 10000)\n");
        assertThat(director().run("manifest").err()).contains("say -d NAME");
    }
}
