package dev.berth.supervisor;

import dev.berth.supervisor.StateChange.Severity;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what changed from turn to turn and tells the listeners on a thread of its own. {@link
 * #note} belongs to the supervisor's lock.
 */
final class Changes implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Changes.class.getName());

    /** What a listener may be behind; beyond it changes are dropped, since status tells all. */
    private static final int BEHIND = 256;

    private record Before(ContainerState state, int failures, int aheadFailures) {}

    private final BlockingQueue<StateChange> queue = new ArrayBlockingQueue<>(BEHIND);
    private final List<SupervisorListener> listeners = new CopyOnWriteArrayList<>();
    private final Map<String, Before> before = new HashMap<>();
    private @Nullable Thread teller;

    void add(SupervisorListener listener) {
        listeners.add(listener);
    }

    void open() {
        teller = Thread.ofVirtual().name("supervisor changes").start(this::tell);
    }

    void begin(Map<String, Memo> memos) {
        memos.forEach((name, m) -> before.put(name, of(m)));
    }

    void note(Map<String, Memo> memos, Instant now) {
        memos.forEach((name, m) -> {
            Before old = before.getOrDefault(name, new Before(ContainerState.WAITING, 0, 0));
            Before fresh = of(m);
            if (!old.equals(fresh)) {
                before.put(name, fresh);
                put(name, old, m, now);
            }
        });
        before.keySet()
                .removeIf(name -> {
                    boolean gone = !memos.containsKey(name);
                    if (gone) {
                        var m = new Memo();
                        m.to(ContainerState.GONE, "not wished any more");
                        put(name, before.getOrDefault(name, of(m)), m, now);
                    }
                    return gone;
                });
    }

    private static Before of(Memo m) {
        return new Before(m.state, m.failures, m.aheadFailures);
    }

    private void put(String name, Before old, Memo m, Instant now) {
        int failures = Math.max(m.failures, m.aheadFailures);
        var change =
                new StateChange(
                        name, old.state(), m.state, m.reason, failures, severity(old, m), now);
        LOG.log(
                System.Logger.Level.INFO,
                () ->
                        "container="
                                + name
                                + " from="
                                + old.state().wireName()
                                + " to="
                                + m.state.wireName()
                                + " failures="
                                + failures
                                + " reason="
                                + m.reason);
        if (!queue.offer(change)) {
            LOG.log(System.Logger.Level.WARNING, "a listener is behind; a change was dropped");
        }
    }

    private static Severity severity(Before old, Memo m) {
        int was = Math.max(old.failures(), old.aheadFailures());
        int is = Math.max(m.failures, m.aheadFailures);
        if (is == 0 && was > 0 && m.state == ContainerState.UP) {
            return Severity.RESOLVED;
        }
        if (is > was) {
            return switch (is) {
                case 1 -> Severity.WARNING;
                case 5 -> Severity.ERROR;
                case 9 -> Severity.CRITICAL;
                default -> Severity.NONE;
            };
        }
        boolean bad =
                m.state == ContainerState.UNREADY
                        || m.state == ContainerState.BLOCKED
                        || (m.state == ContainerState.STOPPED && m.spent);
        return bad && old.state() != m.state ? Severity.WARNING : Severity.NONE;
    }

    private void tell() {
        try {
            while (true) {
                StateChange change = queue.take();
                listeners.forEach(listener -> tell(listener, change));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void tell(SupervisorListener listener, StateChange change) {
        try {
            listener.changed(change);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a listener failed", e);
        }
    }

    @Override
    public void close() {
        Thread running = teller;
        if (running != null) {
            running.interrupt();
        }
    }
}
