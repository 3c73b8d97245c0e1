package dev.berth.director;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a job may know and do about the task it runs. Thread-safe. */
public interface TaskContext {
    long id();

    /** As given to {@link Tasks#enqueue}. */
    Map<String, Object> payload();

    /** The deployment the task was enqueued for; null for tasks of the whole director. */
    @Nullable String deployment();

    /** Who asked for the task. */
    String user();

    TaskLog log();

    /**
     * To be called at safe points.
     *
     * @throws TaskCancelled when the task was cancelled
     * @throws DirectorStopping when the process is going down
     */
    void checkCancelled();

    boolean cancelled();

    /** True when an earlier director process had begun this task. */
    boolean resumed();

    /**
     * Takes a further lock until closed; the lock of the deployment is held already.
     *
     * @throws dev.berth.model.ProblemException another task held it for all of the waiting time
     */
    Locks.Held lock(String kind, List<String> resource) throws InterruptedException;
}
