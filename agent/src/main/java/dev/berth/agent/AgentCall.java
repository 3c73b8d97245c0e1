package dev.berth.agent;

import dev.berth.wire.AgentReply;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One background call: what BOSH names an agent task. Thread-safe. */
final class AgentCall {
    private final String id;
    private final boolean cancellable;
    private boolean cancelled;
    private @Nullable Runnable onCancel;
    private @Nullable AgentReply result;
    private Map<String, Object> progress = Map.of();

    AgentCall(String id, boolean cancellable) {
        this.id = id;
        this.cancellable = cancellable;
    }

    String id() {
        return id;
    }

    synchronized boolean isCancelled() {
        return cancelled;
    }

    synchronized boolean isOver() {
        return result != null;
    }

    /** What {@code get_task} answers now. */
    synchronized AgentReply answer() {
        return result == null ? new AgentReply.Running(id, progress) : result;
    }

    /** How far it is, for who asks meanwhile. */
    synchronized void progress(Map<String, Object> now) {
        progress = now;
    }

    synchronized void end(AgentReply reply) {
        result = reply;
        onCancel = null;
    }

    /** What to do when it is cancelled while running; run at once when it was already. */
    void onCancel(Runnable action) {
        boolean now;
        synchronized (this) {
            onCancel = action;
            now = cancelled;
        }
        if (now) {
            action.run();
        }
    }

    void cancel() {
        Runnable action;
        synchronized (this) {
            if (result != null) {
                return;
            }
            if (!cancellable) {
                throw new ActionException(
                        "Cancelling task '" + id + "' is not supported by its action");
            }
            cancelled = true;
            action = onCancel;
        }
        if (action != null) {
            action.run();
        }
    }
}
