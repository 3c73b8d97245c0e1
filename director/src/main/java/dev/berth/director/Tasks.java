package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The task engine: keeps tasks in the store, runs them on threads of their own, keeps their outputs
 * as files, and takes up after a killed director whatever it had left unfinished, under the same
 * ids.
 *
 * <p>Tasks of one deployment run one after another: each takes the lock of its deployment before
 * its job runs, in the order of their ids, and fails when it has waited too long. Thread-safe.
 */
public final class Tasks implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Tasks.class.getName());
    static final List<String> UNFINISHED = List.of("queued", "processing", "cancelling");

    /** The reference director's limit for the result of a task. */
    private static final int LONGEST_RESULT = 128;

    /** Looking for old tasks is worth it only now and then. */
    private static final int FORGET_EVERY = 50;

    private final Store store;
    private final Path folder;
    private final Clock clock;
    private final Locks locks;
    private final Bounds bounds;
    private final Threads threads;
    private final Lane longLane;
    private final Lane quickLane;
    private final Map<String, Kind> kinds = new ConcurrentHashMap<>();
    private final Map<Long, TaskRun> live = new ConcurrentHashMap<>();
    private boolean started;
    private volatile boolean closing;

    /**
     * What the engine may use.
     *
     * @param tasks how many tasks run at a time
     * @param quickTasks how many tasks that only look run at a time, beside the others
     * @param lockWait how long a task waits for a lock
     * @param history how many finished tasks of each type are kept with their outputs
     */
    public record Bounds(int tasks, int quickTasks, Duration lockWait, int history) {
        public static final Bounds DEFAULT = new Bounds(16, 32, Duration.ofSeconds(10), 500);
    }

    /**
     * How a type of task runs.
     *
     * @param parts which instances of its deployment a task is about; none: all
     */
    record Kind(
            Function<Map<String, Object>, TaskJob> job,
            boolean quick,
            Function<Map<String, Object>, Set<String>> parts) {
        Kind(Function<Map<String, Object>, TaskJob> job, boolean quick) {
            this(job, quick, payload -> Set.of());
        }
    }

    /**
     * @param folder a folder per task is made in it
     */
    public Tasks(Store store, Path folder, Clock clock, Bounds bounds) {
        this(store, folder, clock, bounds, Threads.VIRTUAL);
    }

    Tasks(Store store, Path folder, Clock clock, Bounds bounds, Threads threads) {
        this.store = store;
        this.folder = folder;
        this.clock = clock;
        this.bounds = bounds;
        this.threads = threads;
        this.locks = new Locks(clock, bounds.lockWait());
        this.longLane = new Lane("task", bounds.tasks(), threads);
        this.quickLane = new Lane("look", bounds.quickTasks(), threads);
    }

    /** A type whose tasks take the lock of their deployment, when they have one. */
    public void register(String type, Function<Map<String, Object>, TaskJob> job) {
        kinds.put(type, new Kind(job, false));
    }

    /** A type whose tasks run beside each other where they are about different instances. */
    public void register(
            String type,
            Function<Map<String, Object>, TaskJob> job,
            Function<Map<String, Object>, Set<String>> parts) {
        kinds.put(type, new Kind(job, false, parts));
    }

    /** A type whose tasks change nothing: they take no lock and do not queue behind deploys. */
    public void registerQuick(String type, Function<Map<String, Object>, TaskJob> job) {
        kinds.put(type, new Kind(job, true));
    }

    /**
     * Stores a task and lets it run as soon as its turn comes; before {@link #start} it only waits.
     *
     * @param payload all that the job needs to run, also after a restart; must hold no secret in
     *     clear
     */
    public Rows.Task enqueue(
            String type,
            String description,
            String user,
            @Nullable String deployment,
            String contextId,
            Map<String, Object> payload) {
        if (!kinds.containsKey(type)) {
            throw new IllegalArgumentException("no job is registered for tasks of type " + type);
        }
        Rows.Task task =
                store.write(s ->
                        s.addTask(
                                type,
                                description,
                                user,
                                deployment,
                                contextId,
                                payload,
                                clock.now()));
        synchronized (this) {
            if (started) {
                submit(task, false);
            }
        }
        return task;
    }

    /**
     * Takes up the tasks an earlier process left: first those it had begun, so that they get their
     * locks before any other, then those in the queue, each in the order of their ids.
     */
    public synchronized void start() {
        if (started) {
            return;
        }
        started = true;
        List<Rows.Task> left =
                new ArrayList<>(
                        store.read(s -> s.tasks(UNFINISHED, null, null, Integer.MAX_VALUE))
                                .reversed());
        left.stream().filter(t -> t.startedAt() != null).forEach(t -> submit(t, true));
        left.stream().filter(t -> t.startedAt() == null).forEach(t -> submit(t, false));
    }

    private void submit(Rows.Task task, boolean resumed) {
        Kind kind = kinds.get(task.type());
        var run = new TaskRun(this, task, kind, resumed);
        if (!closing && live.putIfAbsent(task.id(), run) == null) {
            (kind != null && kind.quick() ? quickLane : longLane).submit(run);
        }
    }

    /** What came of a request to cancel. */
    public sealed interface Cancel {
        /** The task will end at its next safe point. */
        record Accepted() implements Cancel {}

        record Unknown() implements Cancel {}

        /** Only queued and processing tasks can be cancelled. */
        record Refused(String state) implements Cancel {}
    }

    public Cancel cancel(long id) {
        Cancel answer = store.write(s -> markCancelling(s, id));
        if (answer instanceof Cancel.Accepted) {
            TaskRun run = live.get(id);
            if (run != null) {
                run.cancel();
                if (longLane.withdraw(run) || quickLane.withdraw(run)) {
                    run.admit();
                    threads.start("cancel-" + id, run::run);
                }
            }
        }
        return answer;
    }

    private Cancel markCancelling(StoreSession session, long id) {
        Optional<Rows.Task> found = session.task(id);
        if (found.isEmpty()) {
            return new Cancel.Unknown();
        }
        Rows.Task task = found.get();
        if (!task.state().equals("queued") && !task.state().equals("processing")) {
            return new Cancel.Refused(task.state());
        }
        session.saveTask(task.in("cancelling", task.startedAt(), task.finishedAt(), task.result()));
        return new Cancel.Accepted();
    }

    public Locks locks() {
        return locks;
    }

    /** The folder of a task's outputs; it need not exist. */
    Path folder(long id) {
        return folder.resolve(Long.toString(id));
    }

    Clock clock() {
        return clock;
    }

    boolean closing() {
        return closing;
    }

    /** Marks the task as begun; empty when there is nothing left to do for it. */
    Optional<Rows.Task> begin(long id) {
        return store.write(s ->
                s.task(id)
                        .filter(task -> UNFINISHED.contains(task.state()))
                        .map(task -> begin(s, task)));
    }

    private Rows.Task begin(StoreSession session, Rows.Task task) {
        if (task.state().equals("cancelling")) {
            return task;
        }
        Instant started = task.startedAt() == null ? clock.now() : task.startedAt();
        Rows.Task begun = task.in("processing", started, null, null);
        session.saveTask(begun);
        return begun;
    }

    /**
     * Writes the final state; its outputs are in their files by now, for clients read them once
     * more when they see it. Goes on trying while the store fails (a full disk may be cleared).
     */
    void finish(long id, String state, String result) throws InterruptedException {
        for (Duration pause = Duration.ofMillis(200); ; pause = longer(pause)) {
            try {
                store.update(s ->
                        s.task(id).map(task -> ended(task, state, result)).ifPresent(s::saveTask));
                break;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "cannot store the end of task " + id, e);
                clock.sleep(pause);
            }
        }
        if (id % FORGET_EVERY == 0) {
            forget();
        }
    }

    private void forget() {
        try {
            for (long old : store.write(s -> s.forgetTasks(bounds.history()))) {
                Folders.delete(folder(old));
            }
        } catch (IOException | RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot forget old tasks", e);
        }
    }

    private Rows.Task ended(Rows.Task task, String state, String result) {
        return task.in(state, task.startedAt(), clock.now(), trimmed(result));
    }

    private static Duration longer(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(Duration.ofSeconds(10)) > 0 ? Duration.ofSeconds(10) : twice;
    }

    static String trimmed(String result) {
        if (result.length() <= LONGEST_RESULT) {
            return result;
        }
        String start = result.substring(0, LONGEST_RESULT - 3);
        int word = start.lastIndexOf(' ');
        return (word > LONGEST_RESULT / 2 ? start.substring(0, word) : start) + "...";
    }

    void ended(long id) {
        live.remove(id);
    }

    /**
     * Interrupts what runs and waits a little for it. Tasks that have not ended by then stay
     * unfinished in the store, for the next process.
     */
    @Override
    public void close() {
        closing = true;
        longLane.close();
        quickLane.close();
        List<TaskRun> left = List.copyOf(live.values());
        left.forEach(TaskRun::stop);
        long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        for (TaskRun run : left) {
            run.awaitEnd(Duration.ofNanos(deadline - System.nanoTime()));
        }
    }

    /** The lock every changing task of a deployment takes. */
    static Locks.Name deploymentLock(String deployment) {
        return new Locks.Name("deployment", List.of(deployment));
    }

    static ProblemException noJob(String type) {
        return new ProblemException(
                Failures.UNCLASSIFIED, "This director cannot run tasks of type '" + type + "'");
    }
}
