package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Fields;
import dev.berth.supervisor.Observed.Phase;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads from an engine: one list for a look, the stream of events, the last lines of a container.
 * Thread-safe.
 */
final class EngineLook implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EngineLook.class.getName());

    /** A list lacks a few details; at most this many containers are asked for them in one look. */
    private static final int DETAILS = 8;

    private static final int LOG_LINES = 50;
    private static final int LOG_BYTES = 8 * 1024;

    private final Engine engine;
    private final String instance;
    private final Consumer<EngineEvent> heard;
    private final Runnable broken;
    private @Nullable AutoCloseable events;
    private boolean closed;

    EngineLook(Engine engine, String instance, Consumer<EngineEvent> heard, Runnable broken) {
        this.engine = engine;
        this.instance = instance;
        this.heard = heard;
        this.broken = broken;
    }

    /** Everything there is, in one call; a few containers of which more must be known are asked. */
    List<Observed> list(Map<String, Memo> memos, Map<String, Observed> known) {
        List<Observed> rows =
                EngineList.read(
                        engine.listContainers(
                                Map.of(Labels.INSTANCE, instance), SupervisorConfig.LIST_LIMIT));
        List<Observed> result = new ArrayList<>(rows.size());
        int asked = 0;
        for (Observed o : rows) {
            boolean ask =
                    asked < DETAILS && wantsDetails(o, memos.get(o.name()), known.get(o.id()));
            asked += ask ? 1 : 0;
            result.add(ask ? detailed(o) : o);
        }
        return result;
    }

    private static boolean wantsDetails(Observed o, @Nullable Memo m, @Nullable Observed known) {
        if (o.running()) {
            return known == null && (m == null || m.startedAt == null);
        }
        if (m == null || !o.id().equals(m.runningId)) {
            return false;
        }
        boolean endUnheard = known == null || known.running();
        return m.pendingStart || (endUnheard && Objects.equals(o.exitCode(), 137));
    }

    private Observed detailed(Observed o) {
        Optional<Map<String, Object>> details = engine.inspectContainer(o.id());
        if (details.isEmpty()) {
            return o;
        }
        Fields state = Fields.of(details.get(), "container").object("State");
        Observed timed = o.startedSometime(instant(state.string("StartedAt", "")));
        return o.phase() == Phase.EXITED && state.flag("OOMKilled", false)
                ? timed.outOfMemory()
                : timed;
    }

    private static @Nullable Instant instant(String text) {
        try {
            return text.isEmpty() ? null : Instant.parse(text);
        } catch (DateTimeException e) {
            return null;
        }
    }

    /** Subscribes unless it is; before a list, so that nothing falls between them. */
    synchronized void listen() {
        if (events != null || closed) {
            return;
        }
        events =
                engine.events(
                        EngineEvent.filters(instance),
                        tree -> heard.accept(EngineEvent.fromTree(tree)),
                        end -> ended());
    }

    private void ended() {
        synchronized (this) {
            events = null;
        }
        broken.run();
    }

    /** What a container printed last; empty when it cannot be had. Best effort, bounded. */
    String lastLines(String id) {
        try {
            byte[] text = engine.logs(id, LOG_LINES).getBytes(StandardCharsets.UTF_8);
            int from = Math.max(0, text.length - LOG_BYTES);
            return new String(text, from, text.length - from, StandardCharsets.UTF_8);
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.DEBUG, "no last lines", e);
            return "";
        }
    }

    @Override
    public void close() {
        AutoCloseable open;
        synchronized (this) {
            closed = true;
            open = events;
            events = null;
        }
        if (open != null) {
            try {
                open.close();
            } catch (Exception e) {
                LOG.log(System.Logger.Level.DEBUG, "the event stream did not close cleanly", e);
            }
        }
    }
}
