package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The rung of the ladder that {@code berth why} names, from events and the judge's verdict. */
class HealingViewTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Rows.Instance INSTANCE =
            new Rows.Instance(
                    new InstanceId("i-1"),
                    "shop",
                    "db",
                    0,
                    "z1",
                    "started",
                    true,
                    false,
                    true,
                    Map.of(),
                    NOW);

    private final Store store = SqlStore.sqliteInMemory();
    private final HealingView view = new HealingView(store, new ApiFixture.FakeFleet());

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void withoutEventsTheVerdictSaysWhatIsDone() {
        Fields told = told();
        assertThat(told.objects("tried")).isEmpty();
        assertThat(told.string("now")).contains("heals it inside the VM");
        assertThat(told.string("next")).contains("as long as its agent answers");
    }

    @Test
    void theStepUnderWayIsNamedWithItsBoundAndThoseBeforeItWithTheirCause() {
        long task =
                store.write(s ->
                                s.addTask(
                                        DeploymentsApi.SCAN_AND_FIX,
                                        "scan and fix",
                                        "health_monitor",
                                        "shop",
                                        "",
                                        Map.of(),
                                        NOW))
                        .id();
        event("restart agent", "db/i-1", null, "it showed no pulse");
        event("ping", "db/i-1", task, "its agent was silent; it did not answer");
        event("replace", "db/i-2", task, "another's");
        event("reboot", "db/i-1", task, "its VM is there");
        Fields told = told();
        assertThat(told.objects("tried"))
                .extracting(f -> f.string("step") + ": " + f.string("reason"))
                .containsExactly(
                        "restart agent: it showed no pulse",
                        "ping: its agent was silent; it did not answer",
                        "reboot: its VM is there");
        assertThat(told.string("now")).isEqualTo("its VM is rebooted (task " + task + ")");
        assertThat(told.string("next")).contains("a new VM", "30 s");
        Rows.Task row = store.read(s -> s.task(task)).orElseThrow();
        store.update(s -> s.saveTask(row.in("done", NOW, NOW, "")));
        assertThat(told().string("now")).contains("heals it inside the VM");
        assertThat(told().objects("tried")).hasSize(3);
    }

    private Fields told() {
        return Fields.of(view.of(INSTANCE), "healing");
    }

    private void event(
            String action,
            String instance,
            @org.jspecify.annotations.Nullable Long task,
            String reason) {
        store.update(s ->
                s.addEvent(
                        new Rows.Event(
                                0,
                                null,
                                NOW,
                                "health_monitor",
                                action,
                                HealingView.OBJECT,
                                instance,
                                task,
                                "shop",
                                instance,
                                null,
                                Json.of("reason", reason))));
    }
}
