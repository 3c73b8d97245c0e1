package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** The director's database is lost under a deployment that runs: all is known again, none stops. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class RecoverStoryTest {
    private final TestEnvironment environment;
    private final DirectorClient director;
    private final Box box;

    RecoverStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.box = new Box(environment, "again");
    }

    @AfterAll
    void clean() {
        environment.up();
        Deployments.delete(director, box.name());
        director.close();
    }

    @Test
    @Order(1)
    void doctorFindsNothingWrong() {
        director.await(director.deploy(box.manifest())).done();
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(environment.berth("doctor").ok()).contains("Nothing is wrong");
        assertThat(environment.berth("doctor", "-d", box.name()).ok()).contains("Nothing is wrong");
    }

    @Test
    @Order(2)
    void aLostDatabaseIsRebuiltAndNoContainerNotices() {
        Map<String, String> vms = box.vms(director);
        Map<String, Map<String, Touch>> touches = box.touches(vms);
        List<Object> shown = shown();
        environment.killDirector();
        loseDatabase();

        Shell.Ran refused = environment.berth("up");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.said()).contains("it was lost", "berth recover");
        assertThat(database()).doesNotExist();

        assertThat(environment.berth("recover").ok())
                .contains("recovered 1 deployments, 3 instances, 3 VMs, 1 disks");
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(shown()).isEqualTo(shown);
        long again = director.deploy(box.manifest());
        director.await(again).done();
        assertThat(director.stages(again)).containsExactly("Preparing deployment");
        assertThat(box.vms(director)).isEqualTo(vms);
        assertThat(box.touches(vms)).isEqualTo(touches);
        assertThat(environment.berth("doctor").ok()).contains("Nothing is wrong");
        Shell.Ran twice = environment.berth("recover");
        assertThat(twice.code()).isEqualTo(1);
        assertThat(twice.said()).contains("is there");
    }

    /** What follows works as ever: the disk goes along with a VM that is made anew. */
    @Test
    @Order(3)
    void whatWasRebuiltCanBeChanged() {
        String disk = disk();
        director.await(
                        director.begin(
                                "PUT",
                                "/deployments/" + box.name() + "/jobs/keep/0?state=recreate",
                                ""))
                .done();
        box.assertWell(director);
        assertThat(disk()).isEqualTo(disk);
        assertThat(box.starts(box.vms(director).get("keep/0"))).hasSize(2);
    }

    private String disk() {
        return box.instances(director).get("keep/0").strings("disk_cids").getFirst();
    }

    /** What listings tell, but for what changes by itself. */
    private List<Object> shown() {
        List<Object> instances =
                director.instances(box.name()).stream()
                        .<Object>map(i ->
                                List.of(
                                        i.string("id"),
                                        i.string("job_name"),
                                        i.integer("index"),
                                        i.string("vm_cid"),
                                        i.string("agent_id"),
                                        i.strings("disk_cids"),
                                        i.strings("ips"),
                                        i.string("az"),
                                        i.string("state"),
                                        i.flag("bootstrap", false),
                                        Json.write(i.object("stemcell").tree())))
                        .toList();
        Fields manifest =
                Fields.of(
                        Json.parse(director.get("/deployments/" + box.name()).body()), "manifest");
        return List.of(
                instances,
                manifest.string("manifest"),
                director.list("/stemcells").stream().map(s -> s.string("cid")).toList(),
                director.list("/cloud_configs?limit=1&name=").stream()
                        .map(c -> c.string("properties"))
                        .toList(),
                director.list("/disks").size());
    }

    private Path database() {
        return environment.home().resolve("director/berth.db");
    }

    private void loseDatabase() {
        try {
            for (String end : List.of("", "-wal", "-shm")) {
                Files.deleteIfExists(database().resolveSibling("berth.db" + end));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
