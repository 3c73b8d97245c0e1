package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rule R3: no disk goes but by a person's word or when its five days are over. */
class OrphanedDisksTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final Store store = SqlStore.sqliteInMemory();
    private final StemcellCpi cpi = new StemcellCpi();
    private final Tasks tasks;
    private final OrphanedDisks orphans;

    OrphanedDisksTest(@TempDir Path folder) {
        var clock =
                new Clock() {
                    @Override
                    public Instant now() {
                        return START;
                    }

                    @Override
                    public void sleep(Duration time) {
                        throw new AssertionError("nothing here waits");
                    }
                };
        // On the thread of the test: what was asked for is done when the call returns.
        tasks = new Tasks(store, folder, clock, Tasks.Bounds.DEFAULT, (name, work) -> work.run());
        orphans =
                new OrphanedDisks(
                        store,
                        tasks,
                        cpi,
                        new DirectorIdentity("berth", "uuid", "1", "docker"),
                        () -> UUID.randomUUID().toString());
        tasks.start();
    }

    @AfterEach
    void stop() {
        tasks.close();
        store.close();
    }

    private void disk(String cid, @Nullable Instant orphanedAt) {
        store.update(s ->
                s.saveDisk(
                        new Rows.Disk(
                                new DiskCid(cid),
                                null,
                                null,
                                100,
                                Map.of(),
                                "",
                                false,
                                orphanedAt,
                                "shop",
                                "db/1",
                                null,
                                "")));
    }

    private List<String> left() {
        return store.read(s -> s.orphanedDisks()).stream().map(d -> d.cid().value()).toList();
    }

    private Rows.Task task() {
        return store.read(s -> s.task(1)).orElseThrow();
    }

    @Test
    void nothingIsDeletedBeforeItsTimeAndItComesAgainWhenThatIsOver() {
        disk("young", START.minus(OrphanedDisks.KEPT).plusSeconds(60));
        disk("in use", null);
        assertThat(orphans.turn()).isEqualTo(START.plusSeconds(60));
        List<Rows.Task> begun = store.read(s -> s.tasks(null, null, null, 10));
        assertThat(begun).isEmpty();
        assertThat(left()).containsExactly("young");
    }

    @Test
    void whatIsOverGoesByATaskThatIsSeenAndTheAuditTrailTellsOfIt() {
        disk("old", START.minus(OrphanedDisks.KEPT));
        disk("young", START.minus(Duration.ofDays(4)));
        orphans.turn();
        Rows.Task task = task();
        assertThat(task.state()).isEqualTo("done");
        assertThat(task.user()).isEqualTo("scheduler");
        assertThat(task.result()).isEqualTo("orphaned disk(s) old deleted");
        assertThat(left()).containsExactly("young");
        assertThat(cpi.calls).containsExactly("delete_disk");
        List<Rows.Event> told = store.read(s -> s.events(null, null, 10));
        assertThat(told)
                .hasSize(2)
                .allSatisfy(e -> {
                    assertThat(e.action()).isEqualTo("delete");
                    assertThat(e.objectType()).isEqualTo("disk");
                    assertThat(e.objectName()).isEqualTo("old");
                    assertThat(e.context()).containsEntry("instance", "db/1");
                });
        assertThat(told.getFirst().parent()).isEqualTo(told.getLast().id());
    }

    @Test
    void oneThatResistsDoesNotKeepTheOthers() {
        disk("held", START.minus(OrphanedDisks.KEPT));
        disk("old", START.minus(OrphanedDisks.KEPT));
        cpi.refusing.add(new DiskCid("held"));
        orphans.turn();
        Rows.Task task = task();
        assertThat(task.state()).isEqualTo("error");
        assertThat(task.result()).contains("1 of 2 orphaned disks", "held");
        assertThat(left()).containsExactly("held");
    }

    @Test
    void aDiskThatBelongsToAnInstanceIsNeverDeleted() {
        disk("in use", null);
        assertThatThrownBy(() -> orphans.delete(new DiskCid("in use"), "admin", ""))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("belongs to db/1 of deployment shop");
        assertThat(cpi.calls).isEmpty();
    }
}
