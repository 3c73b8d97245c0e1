package dev.berth.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cpi.CpiException;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What became of a call is looked at before anything is planned on top of it (R4). */
class UnsettledTest {
    private static final Logger ROOT = Logger.getLogger("");

    @BeforeAll
    static void quiet() {
        ROOT.setLevel(Level.OFF);
    }

    @AfterAll
    static void loud() {
        ROOT.setLevel(Level.INFO);
    }

    /** As long as the cloud does not tell, a task does nothing and fails; then it goes on. */
    @Test
    void aTaskWaitsForTheCloudToTellWhatBecameOfACall() {
        try (var world = new World(1, World.Settings.USUAL)) {
            world.plantSecret("one");
            var act = new CrashPoints.Act(world, CrashPoints.BASE);
            act.deploy(CrashPoints.BASE);
            assertThat(last(world, act).state()).isEqualTo("done");

            long first = last(world, act).id();
            InstanceId instance = act.first("db").id();
            world.database.update(s ->
                    s.beginIntent(
                            new Rows.Intent(
                                    new IntentId("unsettled"),
                                    first,
                                    instance,
                                    "create vm",
                                    Json.of("agent", "nobody-knows", "shape", Json.of()),
                                    world.clock.now(),
                                    null,
                                    null)));
            world.faults.plant(call -> {
                if (call.method().equals("berth_inventory")) {
                    throw new CpiException(CpiException.Type.CLOUD_ERROR, "ask again later");
                }
            });
            long before = world.rules.mutations();
            Wish next = CrashPoints.BASE.stemcell("2");
            act.deploy(next);
            assertThat(last(world, act).state()).isEqualTo("error");
            assertThat(last(world, act).result()).contains("ask again later");
            assertThat(world.rules.mutations()).isEqualTo(before);

            world.faults.plant(call -> {});
            world.rules.mayStop("one");
            act.deploy(next);
            assertThat(last(world, act).state()).isEqualTo("done");
            world.pass(Duration.ofSeconds(10));
            world.rules.atRest(List.of(next));
        }
    }

    private static Rows.Task last(World world, CrashPoints.Act act) {
        world.await(act::tasksEnded, Duration.ofMinutes(10));
        return world.database.read(s -> s.tasks(null, null, null, 100)).stream()
                .max(Comparator.comparing(Rows.Task::id))
                .orElseThrow();
    }
}
