package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.model.Fields;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** Copies of data: taken beside what runs, whole or not at all, and proven by coming back. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class BackupStoryTest {
    private static final String NAME = "kept";
    private static final String COPY = "kept-again";
    private static final String SECRET = "planted-secret-of-the-container";

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm one;
    private String backup = "";

    BackupStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.one = new OneVm(environment, director, NAME);
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        Deployments.delete(director, COPY);
        director.close();
    }

    private String manifest(String post) {
        return one.manifest(
                """
                  - name: db
                    image: registry.berth/shop-web:1
                    entrypoint: [sh, -c, "trap 'exit 0' TERM; echo started >> /data/starts; while :; do sleep 1 & wait $!; done"]
                    environment: {PASSWORD: %s}
                    volumes: ["data:/data"]
                    x-berth:
                      backup:
                        pre: ["test ! -e /data/refuse || { echo the last words; exit 3; }", "echo pre >> /data/hooks"]
                        post: ["%s"]
                        verify: "grep -q kept /data/file"
                """
                        .formatted(SECRET, post));
    }

    private static String data(String script) {
        return "cd /var/vcap/store/volumes/data && " + script;
    }

    private Fields snapshot() {
        return director.list("/deployments/" + NAME + "/snapshots").getFirst();
    }

    @Test
    @Order(1)
    void aSnapshotIsTakenWhileTheFileSystemIsHeldAndItsHooksRun() {
        one.deploy(manifest("echo post >> /data/hooks"));
        one.in(data("echo kept > file; head -c 20000000 /dev/urandom > large; ln -s file link"));
        environment.berth("take-snapshot", "-d", NAME, "-n").ok();
        assertThat(snapshot().string("consistency")).contains("frozen");
        assertThat(snapshot().flag("clean", true)).isFalse();
        assertThat(one.lines(data("cat hooks"))).containsExactly("pre", "post");
        assertThat(environment.found(CloudObject.Kind.SNAPSHOT))
                .containsExactly(snapshot().string("snapshot_cid"));
        environment.berth("snapshots", "-d", NAME).ok();
        String cid = snapshot().string("snapshot_cid");
        assertThat(
                        director.send(
                                        "DELETE",
                                        "/deployments/" + NAME + "/snapshots/none",
                                        java.net.http.HttpRequest.BodyPublishers.noBody())
                                .body())
                .contains("70008");
        environment.berth("delete-snapshot", "-d", NAME, "-n", cid).ok();
        assertThat(director.list("/deployments/" + NAME + "/snapshots")).isEmpty();
        assertThat(environment.found(CloudObject.Kind.SNAPSHOT)).isEmpty();
    }

    /** A hook that fails prevents the snapshot and says why; the one after it runs all the same. */
    @Test
    @Order(2)
    void aHookThatFailsIsToldAndPreventsTheSnapshot() {
        one.in(data("touch refuse"));
        Shell.Ran said = environment.berth("take-snapshot", "-d", NAME, "-n");
        assertThat(said.said()).contains("the last words", "status 3");
        assertThat(director.list("/deployments/" + NAME + "/snapshots")).isEmpty();
        assertThat(one.lines(data("tail -1 hooks"))).containsExactly("post");
        one.in(data("rm refuse"));
        assertThat(director.list("/events").stream().map(e -> e.string("error", "")))
                .anyMatch(e -> e.contains("x-berth.backup.pre") && e.contains("status 3"));
    }

    @Test
    @Order(3)
    void aChangeOfHooksAloneMovesNothing() {
        var before = one.touches();
        one.deploy(manifest("echo after >> /data/hooks"));
        assertThat(one.touches()).isEqualTo(before);
    }

    @Test
    @Order(4)
    void aBackupHoldsTheDataAndNothingOfItShows() throws IOException {
        var before = one.touches();
        Shell.Ran said = environment.berth("backup", "-d", NAME, "-n");
        said.ok();
        assertThat(one.touches()).isEqualTo(before);
        Fields row = director.list("/backups").getFirst();
        backup = row.string("id");
        Path file = Path.of(row.string("location"));
        assertThat(Files.size(file)).isEqualTo(row.integer("bytes")).isGreaterThan(20_000_000);
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertThat(text).doesNotContain(SECRET, "instance_groups");
        assertThat(said.said()).doesNotContain(SECRET);
        assertThat(environment.found(CloudObject.Kind.SNAPSHOT)).isEmpty();
        environment.assertNothingLeaked(director);
    }

    @Test
    @Order(5)
    void whatWasDamagedComesBackOnANewDiskAndTheOldOneIsKept() {
        String old = one.instance().strings("disk_cids").getFirst();
        one.in(data("echo damaged > file; rm large"));
        environment.berth("restore", "-n", backup).ok();
        one.awaitWell();
        assertThat(one.lines(data("cat file; cat link"))).containsExactly("kept", "kept");
        assertThat(one.in(data("stat -c %s large")).strip()).isEqualTo("20000000");
        String fresh = one.instance().strings("disk_cids").getFirst();
        assertThat(fresh).isNotEqualTo(old);
        assertThat(director.list("/disks").stream().map(d -> d.string("disk_cid"))).contains(old);
        one.deploy(manifest("echo after >> /data/hooks"));
        assertThat(one.instance().strings("disk_cids")).containsExactly(fresh);
        environment.assertNothingLeaked(director);
    }

    @Test
    @Order(6)
    void itComesUpAgainAsAnotherDeployment() {
        environment.berth("restore", "-n", "-d", COPY, backup).ok();
        var again = new OneVm(environment, director, COPY);
        again.awaitWell();
        assertThat(again.lines(data("cat file"))).containsExactly("kept");
        Deployments.delete(director, COPY);
    }

    @Test
    @Order(7)
    void aTrialProvesItAndLeavesNothing() {
        assertThat(environment.berth("backups").ok()).contains("never");
        environment.berth("backups", "verify", "-n", backup).ok();
        assertThat(director.list("/backups").getFirst().has("verified_at")).isTrue();
        assertThat(director.list("/deployments").stream().map(d -> d.string("name")))
                .containsExactly(NAME);
        environment.assertNothingLeaked(director);
    }

    @Test
    @Order(8)
    void damageIsFoundBeforeAnythingIsTouched() throws IOException {
        Path file = Path.of(director.list("/backups").getFirst().string("location"));
        try (var damaged = new RandomAccessFile(file.toFile(), "rw")) {
            damaged.seek(Files.size(file) - 1000);
            int was = damaged.read();
            damaged.seek(Files.size(file) - 1000);
            damaged.write(was ^ 1);
        }
        var before = one.touches();
        Set<String> disks = environment.found(CloudObject.Kind.DISK);
        Shell.Ran said = environment.berth("restore", "-n", backup);
        assertThat(said.code()).isEqualTo(1);
        assertThat(said.said()).contains("damaged");
        assertThat(one.touches()).isEqualTo(before);
        assertThat(environment.found(CloudObject.Kind.DISK)).isEqualTo(disks);
        assertThat(environment.berth("backups", "verify", "-n", backup).code()).isEqualTo(1);
        assertThat(environment.berth("backups").ok()).contains("FAILED");
        environment.berth("delete-backup", "-n", backup).ok();
        assertThat(file).doesNotExist();
        assertThat(director.list("/backups")).isEmpty();
        assertThat(environment.berth("delete-backup", "-n", backup).said())
                .contains("not in the list");
    }

    /**
     * A VM that dies while its disk is frozen, with a writer that waits and cannot even be killed:
     * the next VM has the disk all the same.
     */
    @Test
    @Order(9)
    void aVmThatDiesFrozenHoldsNoDisk() {
        String vm = one.vm();
        one.in(
                "mkdir -p /run/berth/frozen; echo test > /run/berth/frozen/_var_vcap_store;"
                        + " fsfreeze --freeze /var/vcap/store;"
                        + " (echo late >> /var/vcap/store/volumes/data/late) >/dev/null 2>&1 & sleep 1");
        environment.docker("kill", vm);
        await().ignoreExceptions().atMost(TestEnvironment.SOON).until(() -> !one.vm().equals(vm));
        one.awaitWell();
        assertThat(one.lines(data("echo again >> file; tail -1 file"))).containsExactly("again");
    }

    /** What the director's logs and tasks hold is nobody's secret. */
    @Test
    @Order(10)
    void noKeyAndNoSecretShows() throws IOException {
        String key = Files.readString(environment.home().resolve("director/backup.key")).strip();
        Pattern planted = Pattern.compile(Pattern.quote(key) + "|" + Pattern.quote(SECRET));
        try (var files = Files.walk(environment.home().resolve("director"))) {
            List<Path> logs =
                    files.filter(Files::isRegularFile)
                            .filter(f -> f.toString().contains("/tasks/") || f.endsWith("log"))
                            .toList();
            assertThat(logs).isNotEmpty();
            for (Path log : logs) {
                Matcher found = planted.matcher(Files.readString(log, StandardCharsets.ISO_8859_1));
                assertThat(found.find()).as("a secret in %s", log).isFalse();
            }
        }
        await().atMost(TestEnvironment.SOON)
                .until(() -> environment.found(CloudObject.Kind.SNAPSHOT).isEmpty());
    }
}
