package dev.berth.agent;

import dev.berth.wire.AgentReply;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/**
 * Background calls, strictly one after another but for those beside them, and their results for as
 * long as the agent lives, within bounds. A full queue refuses where the stock agent stops
 * answering. Thread-safe.
 */
final class CallQueue {
    private static final int WAITING = 32;
    private static final int KEPT = 128;

    /** A person's commands in containers; more at a time are no person's. */
    private static final int BESIDE = 16;

    private record Job(AgentCall call, Function<AgentCall, AgentReply> work) {}

    private final BlockingQueue<Job> waiting = new ArrayBlockingQueue<>(WAITING);
    private final Map<String, AgentCall> calls = new LinkedHashMap<>();
    private final Semaphore beside = new Semaphore(BESIDE);

    Thread start() {
        return Thread.ofVirtual().name("calls").start(this::work);
    }

    void submit(String id, boolean cancellable, Function<AgentCall, AgentReply> work) {
        var call = new AgentCall(id, cancellable);
        synchronized (calls) {
            if (!waiting.offer(new Job(call, work))) {
                throw new ActionException(
                        WAITING + " calls are waiting already; ask again when some have ended");
            }
            calls.put(id, call);
            forgetOldest();
        }
    }

    /** Begins at once: what waits in the queue may take half an hour. */
    void submitAside(String id, boolean cancellable, Function<AgentCall, AgentReply> work) {
        var call = new AgentCall(id, cancellable);
        if (!beside.tryAcquire()) {
            throw new ActionException(BESIDE + " commands run already; wait for one to end");
        }
        synchronized (calls) {
            calls.put(id, call);
            forgetOldest();
        }
        Thread.ofVirtual()
                .name("aside " + id)
                .start(() -> {
                    try {
                        call.end(work.apply(call));
                    } finally {
                        beside.release();
                    }
                });
    }

    AgentCall find(String id) {
        synchronized (calls) {
            AgentCall call = calls.get(id);
            if (call == null) {
                throw new ActionException("Task with id " + id + " could not be found");
            }
            return call;
        }
    }

    private void forgetOldest() {
        var oldest = calls.values().iterator();
        while (calls.size() > KEPT && oldest.hasNext()) {
            if (oldest.next().isOver()) {
                oldest.remove();
            }
        }
    }

    private void work() {
        try {
            while (true) {
                Job job = waiting.take();
                job.call().end(job.work().apply(job.call()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
