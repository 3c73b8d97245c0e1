package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.testkit.FakeVm;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The cloud check of a whole director, and the ladder by which a silent VM is healed. */
class CloudCheckTest {
    private static final Logger ROOT = Logger.getLogger("");
    private static final Duration LONG = Duration.ofMinutes(30);

    private final World world = new World(1, World.Settings.USUAL);
    private final CrashPoints.Act act = new CrashPoints.Act(world, CrashPoints.BASE);
    private final FakeVm db;
    private final DiskCid disk;

    CloudCheckTest() {
        world.plantSecret("one");
        act.deploy(CrashPoints.BASE);
        world.await(act::tasksEnded, Duration.ofMinutes(5));
        world.rules.expectNoStops();
        db = act.vm("db");
        disk = Objects.requireNonNull(db.mounted());
        resurrection(false);
        world.pass(Duration.ofSeconds(20));
    }

    @BeforeAll
    static void quiet() {
        ROOT.setLevel(Level.OFF);
    }

    @AfterAll
    static void loud() {
        ROOT.setLevel(Level.INFO);
    }

    @AfterEach
    void close() {
        world.close();
    }

    private void resurrection(boolean on) {
        world.request(core -> {
            core.store().update(s -> s.putSetting("resurrection_paused", on ? "false" : "true"));
            return 1L;
        });
    }

    private Rows.Task run(String type, Map<String, Object> payload) {
        Long id = Objects.requireNonNull(world.ask(type, "one", payload));
        return Objects.requireNonNull(world.ended(id, LONG));
    }

    private List<Fields> scan() {
        assertThat(run("cck_scan", Json.of("deployment", "one")).state()).isEqualTo("done");
        return open();
    }

    private List<Fields> open() {
        String text = world.database.read(s -> s.setting("problems/one")).orElse("[]");
        return Json.asList(Json.parse(text)).stream()
                .map(tree -> Fields.of(tree, "problem"))
                .toList();
    }

    private Rows.Task resolve(Fields problem, @Nullable String resolution) {
        return run(
                "cck_apply",
                Json.of(
                        "deployment",
                        "one",
                        "resolutions",
                        Json.of(String.valueOf(problem.integer("id")), resolution)));
    }

    private void assertContent() {
        assertThat(scan()).isEmpty();
        world.pass(Duration.ofSeconds(20));
        world.rules.atRest(List.of(CrashPoints.BASE));
    }

    @Test
    void aMissingVmIsFoundAndMadeWithItsDisk() {
        world.cloud.loseVm(db.cid());
        List<Fields> problems = scan();
        assertThat(problems).extracting(p -> p.string("type")).containsExactly("missing_vm");
        Fields missing = problems.getFirst();
        assertThat(resolve(missing, null).result()).isEqualTo("1 resolved");
        assertThat(act.vm("db").mounted()).isEqualTo(disk);
        assertContent();
    }

    @Test
    void aSilentAgentIsLeftAloneUntilAPersonSaysWhatToDo() {
        world.agents.cut(db.agent());
        Fields problem = scan().getFirst();
        assertThat(problem.string("type")).isEqualTo("unresponsive_agent");
        long before = world.rules.mutations();
        assertThat(resolve(problem, null).result()).isEqualTo("1 resolved"); // it is to be ignored
        assertThat(world.rules.mutations()).isEqualTo(before);

        problem = scan().getFirst();
        Rows.Task reboot = resolve(problem, "reboot_vm");
        assertThat(reboot.state()).as("a reboot does not help this one").isEqualTo("error");
        assertThat(open()).hasSize(1);
        assertThat(resolve(problem, "nonsense").result()).contains("has no resolution");
        assertThat(resolve(problem, "recreate_vm").state()).isEqualTo("done");
        assertThat(act.vm("db").cid()).isNotEqualTo(db.cid());
        assertThat(act.vm("db").mounted()).isEqualTo(disk);
        assertContent();
    }

    @Test
    void aVmThatIsThereIsForgottenOnlyWithoutItsDisk() {
        world.agents.cut(db.agent());
        Fields problem = scan().getFirst();
        assertThat(resolve(problem, "delete_vm_reference").state()).isEqualTo("done");
        assertThat(world.database.read(s -> s.disk(disk)).orElseThrow().attachedTo())
                .as("the VM may still write (R1)")
                .isEqualTo(db.cid());
    }

    @Test
    void aVmIsDeletedAndItsInstanceHealsWhenTheWatchIsOnAgain() {
        world.agents.cut(db.agent());
        Fields problem = scan().getFirst();
        assertThat(resolve(problem, "delete_vm").state()).isEqualTo("done");
        assertThat(world.cloud.vm(db.cid())).isEmpty();
        assertThat(scan()).extracting(p -> p.string("type")).containsExactly("missing_vm");
        resurrection(true);
        assertThat(world.await(act::isHealed, LONG)).isTrue();
        assertContent();
    }

    @Test
    void aSilentVmIsRebootedFirstAndReplacedWhenThatDoesNotHelp() {
        resurrection(true);
        world.agents.cut(db.agent());
        assertThat(world.await(() -> world.cloud.vm(db.cid()).isEmpty(), LONG)).isTrue();
        assertThat(world.await(act::isHealed, LONG)).isTrue();
        long repair = lastRepair();
        List<Rows.Intent> intents = world.database.read(s -> s.intents(repair));
        assertThat(intents)
                .extracting(Rows.Intent::kind)
                .containsSubsequence("start vm", "delete vm", "create vm");
        assertThat(act.vm("db").mounted()).isEqualTo(disk);
    }

    @Test
    void aRebootThatHelpsIsAllThatIsDone() {
        resurrection(true);
        world.agents.mute(db.agent(), true);
        int boots = world.cloud.vm(db.cid()).orElseThrow().boots();
        assertThat(world.await(() -> world.cloud.vm(db.cid()).orElseThrow().boots() > boots, LONG))
                .isTrue();
        assertThat(world.await(act::isHealed, LONG)).isTrue();
        assertThat(act.vm("db").cid()).isEqualTo(db.cid());
        assertContent();
    }

    private long lastRepair() {
        return world.database
                .read(s -> s.tasks(null, List.of("cck_scan_and_fix"), null, 1))
                .getFirst()
                .id();
    }
}
