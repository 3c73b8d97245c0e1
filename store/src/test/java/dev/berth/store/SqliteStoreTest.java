package dev.berth.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract on an SQLite file, and what a file adds: restarts, damage, a full disk. */
class SqliteStoreTest extends StoreContract {
    @TempDir Path folder;

    @Override
    Store open() {
        return SqlStore.sqlite(folder.resolve("berth.db"));
    }

    @Test
    void whatWasWrittenIsThereAfterARestart() {
        store().update(s -> s.saveDeployment(deployment("shop")));
        store().close();
        try (Store again = open()) {
            assertThat(found(again, s -> s.deployment("shop"))).isPresent();
        }
    }

    @Test
    void aCommittedWriteSurvivesAKilledProcess() throws IOException {
        store().update(s -> s.saveDeployment(deployment("shop")));
        // What a killed process leaves behind: the files as they are now, nothing closed.
        Path copy = Files.createDirectory(folder.resolve("copy"));
        for (String name : new String[] {"berth.db", "berth.db-wal"}) {
            Files.copy(folder.resolve(name), copy.resolve(name));
        }
        try (Store after = SqlStore.sqlite(copy.resolve("berth.db"))) {
            assertThat(found(after, s -> s.deployment("shop"))).isPresent();
        }
    }

    @Test
    void readersSeeOneSnapshotAndDoNotWaitForAWriter() throws Exception {
        store().update(s -> s.putSetting("k", "before"));
        var read = new java.util.concurrent.atomic.AtomicReference<String>();
        store().update(s -> {
            s.putSetting("k", "after");
            Thread reader =
                    Thread.startVirtualThread(
                            () -> read.set(store().read(r -> r.setting("k")).orElseThrow()));
            joins(reader);
        });
        assertThat(read.get()).isEqualTo("before");
        assertThat(found(store(), s -> s.setting("k"))).contains("after");
    }

    private static void joins(Thread thread) {
        try {
            assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aSchemaFromTheFutureIsRefused() throws Exception {
        store().close();
        try (var connection =
                        DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("berth.db"));
                var statement = connection.createStatement()) {
            statement.executeUpdate(
                    "INSERT INTO flyway_schema_history SELECT 99, '99', 'later', type, 'V99.sql',"
                            + " 1, installed_by, installed_on, 1, 1 FROM flyway_schema_history"
                            + " WHERE installed_rank = 1");
        }
        assertThatThrownBy(this::open)
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("has schema 99")
                .hasMessageContaining("knows up to ");
    }

    @Test
    void aFileThatIsNoDatabaseIsRefusedInWords() throws IOException {
        Path file = folder.resolve("other.db");
        Files.writeString(file, "not a database, but long enough to look at ".repeat(200));
        assertThatThrownBy(() -> SqlStore.sqlite(file))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("other.db is damaged");
    }

    @Test
    void aFolderThatIsMissingIsToldInWords() {
        assertThatThrownBy(() -> SqlStore.sqlite(folder.resolve("none/berth.db")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("none/berth.db cannot be opened");
    }

    @Test
    void aDatabaseThatMayNotGrowRefusesAndGoesOnOnceItMay() {
        SqlStore store = (SqlStore) store();
        store.limitPages(60);
        assertThatThrownBy(() -> store.update(s -> s.putSetting("big", "x".repeat(1_000_000))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("berth.db is full; nothing was changed");
        assertThat(found(store, s -> s.setting("big"))).isEmpty();
        store.limitPages(100_000);
        store.update(s -> s.putSetting("big", "x".repeat(1_000_000)));
        assertThat(found(store, s -> s.setting("big"))).isPresent();
    }

    /** A file system of 2 MiB that fills up: nothing half-done, and well again with space. */
    @Test
    @Tag("engine")
    void aFullDiskRefusesAndGoesOnOnceThereIsSpace() throws Exception {
        Path tiny = Files.createDirectory(folder.resolve("tiny"));
        sh("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tiny.toString());
        try (SqlStore store = SqlStore.sqlite(tiny.resolve("berth.db"))) {
            store.update(s -> s.putSetting("k", "kept"));
            Path filler = tiny.resolve("filler");
            assertThatThrownBy(() -> Files.write(filler, new byte[4_000_000]))
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> store.update(s -> s.putSetting("k", "y".repeat(500_000))))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("is full; nothing was changed");
            assertThat(found(store, s -> s.setting("k"))).contains("kept");
            Files.delete(filler);
            store.update(s -> s.putSetting("k", "y".repeat(500_000)));
            assertThat(found(store, s -> s.setting("k")).orElseThrow()).hasSize(500_000);
        } finally {
            sh("umount", "-l", tiny.toString());
        }
    }

    private static void sh(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    /** Prints what a listing and a write cost; fails only when they are out of all proportion. */
    @Test
    void aThousandInstancesAreListedInMilliseconds() {
        Map<String, Object> spec =
                Json.of(
                        "hash",
                        "0123456789abcdef",
                        "containers",
                        java.util.Collections.nCopies(
                                3, Json.of("name", "web", "image", "registry.berth/web:1")));
        store().update(s -> {
            s.saveDeployment(deployment("shop"));
            for (int i = 0; i < 1_000; i++) {
                Rows.Instance row = instance("shop", "web", i);
                s.saveInstance(
                        new Rows.Instance(
                                row.id(), "shop", "web", i, null, "started", false, false, true,
                                spec, T0));
                s.saveVm(vm(row, "agent-" + i));
            }
        });
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 30; i++) {
            long start = System.nanoTime();
            assertThat(listed(store(), s -> s.instances("shop"))).hasSize(1_000);
            best = Math.min(best, System.nanoTime() - start);
        }
        long start = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            int index = i;
            store().update(s -> s.beginIntent(intent("intent-" + index, 1)));
        }
        long write = (System.nanoTime() - start) / 100;
        System.out.printf(
                "1,000 instances listed in %.1f ms, a write in %.2f ms%n", best / 1e6, write / 1e6);
        assertThat(Duration.ofNanos(best)).isLessThan(Duration.ofMillis(200));
        assertThat(Duration.ofNanos(write)).isLessThan(Duration.ofMillis(200));
    }
}
