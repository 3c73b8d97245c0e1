package dev.berth.agent;

import dev.berth.wire.AgentReply;
import org.jspecify.annotations.Nullable;

/** One background call: what BOSH names an agent task. Thread-safe. */
final class AgentCall {
    private final String id;
    private final boolean cancellable;
    private boolean cancelled;
    private @Nullable Runnable onCancel;
    private @Nullable AgentReply result;

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
        return result == null ? new AgentReply.Running(id) : result;
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
