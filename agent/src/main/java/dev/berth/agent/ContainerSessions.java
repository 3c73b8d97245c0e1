package dev.berth.agent;

import static dev.berth.agent.Action.look;

import dev.berth.engine.Engine.ExecState;
import dev.berth.engine.Engine.ExecStream;
import dev.berth.engine.EngineException;
import dev.berth.model.Fields;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import dev.berth.wire.StreamEnd;
import dev.berth.wire.StreamFrame;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Commands in containers that somebody is connected to. A session ends with its command, and a
 * command with its session: who is no longer there leaves nothing running. Thread-safe.
 */
final class ContainerSessions implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ContainerSessions.class.getName());

    /** At a time in this VM; each costs a connection to the engine and a window of memory. */
    static final int MOST = 8;

    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final Duration ENDS = Duration.ofSeconds(5);
    private static final Duration HANG_UP = Duration.ofSeconds(2);
    private static final Duration OFTEN = Duration.ofMillis(20);

    /**
     * The engine takes these keys for itself where there is a terminal, by default ctrl-p first;
     * this is what nobody types.
     */
    private static final String DETACH = "ctrl-^,ctrl-^,ctrl-^,ctrl-^,ctrl-^,ctrl-^,ctrl-^,ctrl-^";

    private final Workload workload;
    private final Bus bus;
    private final SessionProcesses processes;
    private final Map<UUID, Session> sessions = new ConcurrentHashMap<>();

    ContainerSessions(Workload workload, Bus bus, Layout layout) {
        this.workload = workload;
        this.bus = bus;
        this.processes = new SessionProcesses(layout);
    }

    List<Action> all() {
        return List.of(
                look(
                        "open_session",
                        4,
                        (a, call) ->
                                open(
                                        a.string(0),
                                        a.string(1),
                                        a.strings(2),
                                        a.object(3, "options"))));
    }

    /** Ends what an earlier life of the agent had to leave. */
    void endLeftOver() {
        processes.endAll();
    }

    private Object open(String id, String container, List<String> command, Fields options) {
        var session = UUID.fromString(id);
        String subject = options.string("subject");
        var fresh = new Session(session, subject);
        synchronized (sessions) {
            if (sessions.containsKey(session)) {
                fresh.end.close();
                return "open"; // asked twice
            }
            if (sessions.values().stream().filter(s -> !s.over).count() >= MOST) {
                fresh.end.close();
                throw new ActionException(
                        MOST + " sessions are open in this VM already; end one of them");
            }
            sessions.put(session, fresh);
        }
        try {
            fresh.begin(workload.session(container, body(command, options)), options);
        } catch (RuntimeException e) {
            sessions.remove(session);
            fresh.end.close("it did not begin");
            throw e;
        }
        LOG.log(System.Logger.Level.INFO, "session={0} container={1} state=open", id, container);
        return "open";
    }

    private static Map<String, Object> body(List<String> command, Fields options) {
        boolean tty = options.flag("tty", false);
        String term = options.string("term", "");
        return Json.of(
                "AttachStdin",
                options.flag("stdin", false),
                "AttachStdout",
                true,
                "AttachStderr",
                true,
                "Tty",
                tty,
                "DetachKeys",
                DETACH,
                "Env",
                tty && term.matches("[A-Za-z0-9.+_-]{1,64}") ? List.of("TERM=" + term) : List.of(),
                "Cmd",
                command);
    }

    /** A message of the bus; never waits. */
    void accept(byte[] message) {
        StreamFrame.parse(message)
                .ifPresent(frame -> {
                    Session session = sessions.get(frame.session());
                    if (session != null) {
                        session.end.accept(frame);
                    }
                });
    }

    @Override
    public void close() {
        sessions.values().forEach(s -> s.end.close("the agent of the VM stops"));
    }

    /** One of them, with a thread for each direction. */
    private final class Session {
        private final UUID id;
        private final StreamEnd end;
        private volatile boolean over;

        Session(UUID id, String subject) {
            this.id = id;
            this.end = new StreamEnd(id, frame -> bus.stream(subject, frame));
        }

        void begin(ExecStream exec, Fields options) {
            int columns = (int) options.integer("columns", 0);
            int rows = (int) options.integer("rows", 0);
            Thread.ofVirtual()
                    .name("session out " + id)
                    .start(() -> {
                        OptionalInt code = OptionalInt.empty();
                        try {
                            note(exec, columns, rows);
                            Thread.ofVirtual().name("session in " + id).start(() -> feed(exec));
                            code = copy(exec);
                        } finally {
                            finish(exec, code);
                        }
                    });
        }

        /**
         * Its process is known a moment after its start; its terminal has a size only then, and
         * nothing that is typed may come before that.
         */
        private void note(ExecStream exec, int columns, int rows) {
            for (int i = 0; i < 100; i++) {
                ExecState state = exec.state();
                if (state.pid() > 0) {
                    processes.remember(id, state.pid());
                    if (columns > 0 && rows > 0) {
                        resize(exec, columns, rows);
                    }
                    return;
                }
                // One that is over already, or could not be started, has said so with its code.
                if (state.exitCode().isPresent() || !sleep(OFTEN)) {
                    return;
                }
            }
        }

        private void resize(ExecStream exec, int columns, int rows) {
            try {
                exec.resize(columns, rows);
            } catch (EngineException e) {
                LOG.log(System.Logger.Level.DEBUG, "session={0} not resized: {1}", id, e);
            }
        }

        /** What the person says, to the command; ends when the session does. */
        private void feed(ExecStream exec) {
            try {
                while (true) {
                    Frame frame = end.take(LOOK);
                    if (frame == null) {
                        continue;
                    }
                    switch (frame.kind()) {
                        case Frames.INPUT -> exec.write(frame.payload());
                        case Frames.INPUT_END -> exec.endInput();
                        case Frames.WINDOW -> resize(exec, frame.columns(), frame.rows());
                        default -> {}
                    }
                    end.taken(frame);
                }
            } catch (StreamEnd.Broken e) {
                hangUp(exec, String.valueOf(e.getMessage()));
            } catch (IOException e) {
                // The command reads no more; what it still says is heard to its end.
                LOG.log(System.Logger.Level.DEBUG, "session={0} input ended: {1}", id, e);
                drain(exec);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** Input that nobody reads is taken all the same: its sender must not wait for ever. */
        private void drain(ExecStream exec) {
            try {
                while (true) {
                    Frame frame = end.take(LOOK);
                    if (frame != null) {
                        end.taken(frame);
                    }
                }
            } catch (StreamEnd.Broken e) {
                hangUp(exec, String.valueOf(e.getMessage()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void hangUp(ExecStream exec, String reason) {
            if (!over) {
                LOG.log(
                        System.Logger.Level.INFO,
                        "session={0} state=ending reason={1}",
                        id,
                        reason);
                processes.end(id, HANG_UP);
                exec.close();
            }
        }

        /** All that the command says; its exit code, unless nobody is there to be told. */
        private OptionalInt copy(ExecStream exec) {
            try {
                exec.copyOutput(sink(Frames.OUTPUT), sink(Frames.ERRORS));
                return OptionalInt.of(exitCode(exec));
            } catch (EngineException e) {
                end.close("the Docker daemon of the VM went away: " + ActionException.words(e));
            } catch (LostListener e) {
                LOG.log(System.Logger.Level.DEBUG, "session={0} nobody listens", id);
            }
            return OptionalInt.empty();
        }

        /** The output ends a moment before the engine knows the exit code. */
        private int exitCode(ExecStream exec) {
            long give = System.nanoTime() + ENDS.toNanos();
            ExecState state = exec.state();
            while (state.exitCode().isEmpty() && System.nanoTime() < give && sleep(OFTEN)) {
                state = exec.state();
            }
            // A command that has closed its output and goes on is not waited for.
            return state.exitCode().orElse(0);
        }

        /** Its place is free before its end is told: who hears of it may open another at once. */
        private void finish(ExecStream exec, OptionalInt code) {
            over = true;
            processes.end(id, HANG_UP);
            exec.close();
            try {
                if (code.isPresent()) {
                    end.send(Frame.ofInt(Frames.EXIT, code.getAsInt()));
                }
            } catch (StreamEnd.Broken e) {
                LOG.log(System.Logger.Level.DEBUG, "session={0} nobody hears its end", id);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            // The other end hears the last of it before it hears of the end.
            Thread.ofVirtual()
                    .name("session end " + id)
                    .start(() -> {
                        sleep(ENDS);
                        sessions.remove(id);
                        end.close("it is over");
                    });
            LOG.log(System.Logger.Level.INFO, "session={0} state=over", id);
        }

        private OutputStream sink(byte kind) {
            return new OutputStream() {
                @Override
                public void write(int b) {
                    write(new byte[] {(byte) b}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) {
                    try {
                        for (int at = 0; at < length; at += StreamEnd.LONGEST) {
                            int size = Math.min(StreamEnd.LONGEST, length - at);
                            end.send(
                                    new Frame(
                                            kind,
                                            Arrays.copyOfRange(
                                                    bytes, offset + at, offset + at + size)));
                        }
                    } catch (StreamEnd.Broken e) {
                        throw new LostListener(e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new LostListener(e);
                    }
                }
            };
        }
    }

    /** Nobody is there to whom output could be told. */
    private static final class LostListener extends RuntimeException {
        private static final long serialVersionUID = 1L;

        LostListener(Exception cause) {
            super(cause);
        }
    }

    private static boolean sleep(Duration time) {
        try {
            Thread.sleep(time);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
