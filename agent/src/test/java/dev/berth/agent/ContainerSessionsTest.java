package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.engine.Engine.ExecState;
import dev.berth.engine.Engine.ExecStream;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What sessions do with an engine whose answers come in an order that real ones seldom take. */
class ContainerSessionsTest {
    private static final ExecState NOT_BEGUN = new ExecState(false, OptionalInt.empty(), 0);

    @TempDir Path folder = Path.of("");

    /** A process of this machine, which the engine says to be the command. */
    private static final class Command implements ExecStream {
        final Process process = start();
        private final Deque<ExecState> first;

        Command(ExecState... first) {
            this.first = new ArrayDeque<>(List.of(first));
        }

        private static Process start() {
            try {
                return new ProcessBuilder("setsid", "sleep", "600").start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void copyOutput(OutputStream stdout, OutputStream stderr) {
            process.onExit().join();
        }

        @Override
        public void write(byte[] bytes) {}

        @Override
        public void endInput() {}

        @Override
        public void resize(int columns, int rows) {}

        @Override
        public synchronized ExecState state() {
            ExecState early = first.poll();
            if (early != null) {
                return early;
            }
            return process.isAlive()
                    ? new ExecState(true, OptionalInt.empty(), process.pid())
                    : new ExecState(false, OptionalInt.of(0), 0);
        }

        @Override
        public void close() {}
    }

    /** The engine answers before it starts a command; who asks at once is told that none runs. */
    @Test
    @Timeout(60)
    void aCommandThatBeginsLateEndsWithItsSessionToo() throws Exception {
        var command = new Command(NOT_BEGUN, NOT_BEGUN);
        var workload =
                new FakeWorkload() {
                    @Override
                    public ExecStream session(String name, Map<String, Object> body) {
                        return command;
                    }
                };
        var sessions = new ContainerSessions(workload, new SilentBus(), Layout.of(folder));
        try {
            Object answer =
                    sessions.all()
                            .getFirst()
                            .body()
                            .run(
                                    new Arguments(
                                            List.of(
                                                    UUID.randomUUID().toString(),
                                                    "box",
                                                    List.of("sleep", "600"),
                                                    Json.of("tty", false, "subject", "s"))),
                                    new AgentCall("", false));
            assertThat(answer).isEqualTo("open");
            Path notes = Layout.of(folder).memory().resolve("sessions");
            while (!command.first.isEmpty() || !holdsSomething(notes)) {
                Thread.sleep(5);
            }
            sessions.close();
            assertThat(command.process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            command.process.destroyForcibly();
        }
    }

    private static boolean holdsSomething(Path folder) {
        String[] names = folder.toFile().list();
        return names != null && names.length > 0;
    }

    private static final class SilentBus implements Bus {
        @Override
        public void reply(String subject, byte[] envelope) {}

        @Override
        public void tellMonitor(String topic, Map<String, Object> message) {}

        @Override
        public void announceShutdown() {}

        @Override
        public boolean stream(String subject, byte[] message) {
            return true;
        }
    }
}
