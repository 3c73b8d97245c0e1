package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.backup.BackupPlace;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.wire.Alert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups come when it is their time, are as many as wished, and never fail in silence. */
@org.jspecify.annotations.NullUnmarked // the keeper uses three of its hands
class BackupKeeperTest {
    private static final String MANIFEST =
            """
            name: shop
            x-berth:
              backups: {every: 1d, keep: 2, to: %s}
            """;

    private final Store store = SqlStore.sqliteInMemory();
    private final Path folder;
    private final Tasks tasks;
    private final BackupKeeper keeper;
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final Told alarms = new Told();
    private boolean fails;

    BackupKeeperTest(@TempDir Path folder) {
        this.folder = folder;
        var clock =
                new Clock() {
                    @Override
                    public Instant now() {
                        return now;
                    }

                    @Override
                    public void sleep(Duration time) {
                        throw new AssertionError("nothing here waits");
                    }
                };
        // On the thread of the test: what was asked for is done when the call returns.
        tasks =
                new Tasks(
                        store,
                        folder.resolve("tasks"),
                        clock,
                        Tasks.Bounds.DEFAULT,
                        (name, work) -> work.run());
        var hands =
                new Hands(
                        store,
                        null,
                        null,
                        null,
                        null,
                        new AuditTrail(store, clock),
                        clock,
                        () -> UUID.randomUUID().toString(),
                        "uuid",
                        "berth",
                        null,
                        Hands.Patience.USUAL,
                        null);
        var places = new BackupPlaces(folder.resolve("own"));
        keeper =
                new BackupKeeper(
                        hands,
                        tasks,
                        places,
                        new CopyAlarms(alarms, clock),
                        payload -> task -> made(places, payload));
        tasks.register(RestoreJob.RESTORE, payload -> task -> "");
        tasks.start();
    }

    @BeforeEach
    void deployed() {
        store.update(s -> s.saveDeployment(deployment(MANIFEST.formatted(folder.resolve("kept")))));
    }

    private Rows.Deployment deployment(String manifest) {
        return new Rows.Deployment(
                "shop", manifest, List.of(), List.of(), List.of(), Map.of(), now);
    }

    @AfterEach
    void stop() {
        tasks.close();
        store.close();
    }

    /** A backup of one byte, as the real job leaves it behind. */
    private String made(BackupPlaces places, Map<String, Object> payload) throws IOException {
        if (fails) {
            throw new IOException("the disk of backups is full");
        }
        Fields wish = Fields.of(payload, "payload");
        BackupPlace place = places.at(wish.string("to"));
        try (BackupPlace.Sink sink = place.create(wish.string("id"))) {
            sink.out().write(1);
            sink.commit();
        }
        store.update(s ->
                s.saveBackup(
                        new Rows.Backup(
                                wish.string("id"),
                                "shop",
                                place.location(wish.string("id")),
                                now,
                                1,
                                Json.of(
                                        "to",
                                        wish.string("to"),
                                        "origin",
                                        wish.string("origin", BackupKeeper.MANUAL),
                                        "due",
                                        wish.string("due", now.toString())),
                                null,
                                null)));
        return "made";
    }

    private List<String> listed() {
        return store.read(s -> s.backups("shop")).stream().map(Rows.Backup::id).toList();
    }

    private List<String> files() throws IOException {
        try (var all = Files.list(folder.resolve("kept"))) {
            return all.map(f -> f.getFileName().toString().replace(".berthbackup", "")).toList();
        }
    }

    private static final class Told implements AlertSink {
        final Map<String, Alert> open = new LinkedHashMap<>();

        @Override
        public void raised(Alert alert) {
            open.put(alert.id(), alert);
        }

        @Override
        public void resolved(String id, String title) {
            open.remove(id);
        }

        @Override
        public void waiting(String about, String reason) {
            throw new AssertionError("nothing here waits");
        }
    }

    private void pass(Duration time) {
        now = now.plus(time);
        keeper.turn();
    }

    @Test
    void oneIsMadeWhenItsTimeHasComeAndAsManyAreKeptAsWished() throws IOException {
        keeper.turn();
        String first = listed().getFirst();
        pass(Duration.ofHours(23));
        assertThat(listed()).containsExactly(first);
        pass(Duration.ofHours(1));
        pass(Duration.ofDays(1));
        assertThat(listed()).hasSize(2).doesNotContain(first);
        assertThat(files()).containsExactlyInAnyOrderElementsOf(listed());
        assertThat(alarms.open).isEmpty();
    }

    /** What a person made is theirs, and is not counted either. */
    @Test
    void onlyWhatTheScheduleMadeGoesByItself() {
        tasks.enqueue(
                BackupJob.TASK,
                "back up",
                "admin",
                null,
                "",
                Json.of("deployment", "shop", "id", "by-hand", "to", folder + "/kept"));
        for (int i = 0; i < 4; i++) {
            pass(Duration.ofDays(1));
        }
        assertThat(listed()).hasSize(3).contains("by-hand");
    }

    @Test
    void aFailureIsAnAlertAndIsTriedAgainWithinTheHour() {
        fails = true;
        keeper.turn();
        Alert told = alarms.open.get("backup/shop");
        assertThat(told.summary()).contains("disk of backups is full");
        assertThat(told.deployment()).isEqualTo("shop");
        pass(Duration.ofMinutes(59));
        assertThat(listed()).isEmpty();
        fails = false;
        pass(Duration.ofMinutes(1));
        assertThat(listed()).hasSize(1);
        assertThat(alarms.open).isEmpty();
    }

    /** The new backup stands; that an old one stays is told. */
    @Test
    void anOldOneThatCannotBeDeletedIsAnAlertAndStaysInTheList() throws IOException {
        keeper.turn();
        String first = listed().getFirst();
        Path file = folder.resolve("kept").resolve(first + ".berthbackup");
        Files.delete(file);
        Files.createDirectories(file.resolve("in the way"));
        for (int i = 0; i < 2; i++) {
            pass(Duration.ofDays(1));
        }
        assertThat(listed()).hasSize(3).contains(first);
        assertThat(alarms.open).containsOnlyKeys("backup/shop/old");
        assertThat(alarms.open.get("backup/shop/old").summary()).contains(first);
        List<Rows.Task> made = store.read(s -> s.tasks(null, List.of(BackupJob.TASK), null, 10));
        assertThat(made).allMatch(t -> t.state().equals("done"));
    }

    @Test
    void oneThatIsBeingReadIsNotDeleted() throws IOException {
        keeper.turn();
        String id = listed().getFirst();
        Rows.Task reader =
                store.write(s ->
                        s.addTask(
                                RestoreJob.RESTORE,
                                "restore",
                                "admin",
                                null,
                                "",
                                Json.of("backup", id),
                                now));
        Rows.Task refused = delete(id);
        assertThat(refused.state()).isEqualTo("error");
        assertThat(refused.result()).contains("is being read by task " + reader.id());
        store.update(s -> s.saveTask(reader.in("done", now, now, "")));
        assertThat(delete(id).state()).isEqualTo("done");
        assertThat(listed()).isEmpty();
        assertThat(files()).isEmpty();
    }

    private Rows.Task delete(String id) {
        long task =
                tasks.enqueue(
                                BackupKeeper.DELETE,
                                "delete backup",
                                "admin",
                                null,
                                "",
                                Json.of("backup", id))
                        .id();
        return store.read(s -> s.task(task)).orElseThrow();
    }
}
