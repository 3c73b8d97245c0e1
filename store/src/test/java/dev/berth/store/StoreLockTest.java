package dev.berth.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two processes by mistake on one SQLite store: the second learns who the first is. */
class StoreLockTest {
    private static final StoreHolder SELF =
            new StoreHolder("here", 4711, Instant.parse("2026-11-22T10:00:00Z"));

    /** Takes the lock, says so, and waits to be killed. */
    static final class Other {
        private Other() {}

        public static void main(String[] args) throws Exception {
            try (StoreLock lock =
                    StoreLock.take(Path.of(args[0]), StoreHolder.self(Instant.now()))) {
                System.out.println("held " + lock.hashCode());
                System.in.read();
            }
        }
    }

    private static Process other(Path database) throws IOException {
        Process process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Other.class.getName(),
                                        database.toString()))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        assertThat(process.inputReader().readLine()).startsWith("held");
        return process;
    }

    @Test
    void theSecondIsToldWhoTheFirstIsAndAKilledOneLetsGo(@TempDir Path folder) throws Exception {
        Path database = folder.resolve("berth.db");
        Process first = other(database);
        assertThatThrownBy(() -> StoreLock.take(database, SELF))
                .isInstanceOf(StoreHeldException.class)
                .hasMessageContainingAll(
                        "another director runs on " + database,
                        "process " + first.pid() + " on host " + SELF_HOST,
                        "since 20",
                        "berth down");
        first.destroyForcibly().waitFor();
        StoreLock.take(database, SELF).close();
    }

    private static final String SELF_HOST = StoreHolder.self(Instant.EPOCH).host();

    /** Whatever links lead to the database, it is one. */
    @Test
    void aDatabaseThatIsNamedOtherwiseIsTheSame(@TempDir Path folder) throws Exception {
        Path real = Files.createDirectory(folder.resolve("real"));
        Files.createFile(real.resolve("berth.db"));
        Path link = Files.createDirectory(folder.resolve("link"));
        Files.createSymbolicLink(link.resolve("berth.db"), real.resolve("berth.db"));
        Process first = other(real.resolve("berth.db"));
        try {
            assertThatThrownBy(() -> StoreLock.take(link.resolve("berth.db"), SELF))
                    .isInstanceOf(StoreHeldException.class);
        } finally {
            first.destroyForcibly().waitFor();
        }
    }

    @Test
    void whoLetsGoCanBeFollowed(@TempDir Path folder) throws Exception {
        Path database = folder.resolve("berth.db");
        StoreLock.take(database, SELF).close();
        StoreLock.take(database, SELF).close();
    }
}
