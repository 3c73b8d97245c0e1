package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.director.StockCli.Answer;
import dev.berth.director.StockCli.Tracked;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attaching, orphaning and resizing of disks as the commands ask for it, up to the task. */
class DisksContractTest {
    private static final Instant THEN = Instant.parse("2024-05-01T10:00:00Z");
    private static final String ID = "6e0c7b52-0000-4000-8000-000000000001";

    @TempDir Path home;
    private ApiFixture director;
    private StockCli cli;
    private final Map<Long, Map<String, Object>> asked = new ConcurrentHashMap<>();

    @BeforeEach
    void start() throws Exception {
        director = new ApiFixture(home);
        cli = director.cli;
        for (String type : List.of(DisksApi.ATTACH, DisksApi.ORPHAN, DisksApi.RESIZE)) {
            director.tasks.register(
                    type,
                    payload ->
                            task -> {
                                asked.put(task.id(), payload);
                                return "";
                            });
        }
        director.store.update(s -> {
            s.saveDeployment(
                    new Rows.Deployment(
                            "shop", "x", List.of(), List.of(), List.of(), Map.of(), THEN));
            s.saveDisk(
                    new Rows.Disk(
                            new DiskCid("a/b"),
                            null,
                            null,
                            2048,
                            Map.of(),
                            "",
                            true,
                            null,
                            "shop",
                            "db/" + ID,
                            "z1",
                            ""));
        });
    }

    @AfterEach
    void stop() throws Exception {
        director.close();
    }

    /** A PUT with neither body nor content type, as the command sends it. */
    private Answer put(String path) throws Exception {
        return cli.send("PUT", path, null, null, Map.of());
    }

    private Fields asked(Tracked done) {
        assertThat(done.state()).isEqualTo("done");
        assertThat(done.task().string("deployment")).isEqualTo("shop");
        return Fields.of(Objects.requireNonNull(asked.get(done.id())), "payload");
    }

    @Test
    void aDiskIsAttachedToAnInstance() throws Exception {
        String path = "/disks/a%2Fb/attachments?deployment=shop&job=db&instance_id=" + ID;
        Tracked done = cli.track(put(path));
        assertThat(done.task().string("description"))
                .isEqualTo("attach disk 'a/b' to 'db/" + ID + "'");
        Fields asked = asked(done);
        assertThat(asked.string("cid")).isEqualTo("a/b");
        assertThat(asked.string("group")).isEqualTo("db");
        assertThat(asked.string("instance")).isEqualTo(ID);
        assertThat(asked.flag("copy", true)).isFalse();
        assertThat(asked(cli.track(put(path + "&disk_properties=copy"))).flag("copy", false))
                .isTrue();
    }

    @Test
    void aDiskIsMadeAnOrphan() throws Exception {
        Tracked done = cli.track(cli.delete("/disks/a%2Fb?orphan=true"));
        assertThat(done.task().string("description")).isEqualTo("orphan disk");
        assertThat(asked(done).string("cid")).isEqualTo("a/b");
        assertThat(director.calls("delete_disk")).isZero();
    }

    @Test
    void aGroupsDisksAreResized() throws Exception {
        String path = "/deployments/shop/instance_groups/db/disks?size_mb=4096";
        Tracked all = cli.track(put(path));
        assertThat(all.task().string("description")).isEqualTo("resize disks of 'db' to 4096 MB");
        assertThat(asked(all).tree())
                .isEqualTo(
                        Json.parse(
                                "{\"deployment\":\"shop\",\"group\":\"db\",\"size_mb\":4096,"
                                        + "\"allow_shrink\":false}"));
        Fields one =
                asked(cli.track(put(path + "&instance=" + ID + "&disk=data&allow_shrink=true")));
        assertThat(one.string("instance")).isEqualTo(ID);
        assertThat(one.string("name")).isEqualTo("data");
        assertThat(one.flag("allow_shrink", false)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/disks/d/attachments?deployment=shop&job=db          | 40001 | instance_id",
                "/disks/d/attachments?job=db&instance_id=1            | 40001 | deployment",
                "/disks/d/attachments?deployment=x&job=db&instance_id=1 | 70000 | 'x'",
                "/deployments/x/instance_groups/db/disks?size_mb=1    | 70000 | 'x'",
                "/deployments/shop/instance_groups/db/disks           | 40001 | size_mb",
                "/deployments/shop/instance_groups/db/disks?size_mb=0 | 40005 | not",
                "/deployments/shop/instance_groups/db/disks?size_mb=1g | 40005 | 1g",
                "/deployments/shop/instance_groups/db/disks?size_mb=99999999999 | 40005 | MiB",
            })
    void whatIsMissingOrWrongIsNamedAndNothingIsBegun(String path, int code, String named)
            throws Exception {
        Answer refused = put(path);
        assertThat(refused.status()).isBetween(400, 404);
        assertThat(refused.object().integer("code")).isEqualTo(code);
        assertThat(refused.object().string("description")).contains(named);
        assertThat(cli.get("/tasks").array()).isEmpty();
    }

    @Test
    void onlyAdministratorsChangeDisks() throws Exception {
        StockCli reader = cli.as("reader:r");
        for (String path :
                List.of(
                        "/disks/d/attachments?deployment=shop&job=db&instance_id=1",
                        "/deployments/shop/instance_groups/db/disks?size_mb=1")) {
            assertThat(reader.send("PUT", path, null, null, Map.of()).status()).isEqualTo(401);
        }
        assertThat(reader.delete("/disks/a%2Fb?orphan=true").status()).isEqualTo(401);
        assertThat(cli.get("/tasks").array()).isEmpty();
    }
}
