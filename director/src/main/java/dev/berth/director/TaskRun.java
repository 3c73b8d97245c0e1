package dev.berth.director;

import dev.berth.store.Rows;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One task while this process has it: waiting for its turn, then running. */
final class TaskRun implements Lane.Work, TaskContext {
    private static final System.Logger LOG = System.getLogger(TaskRun.class.getName());

    /** BOSH's number for the event line of a cancelled task. */
    private static final int CANCELLED = 10001;

    private final Tasks tasks;
    private final Rows.Task task;
    private final Tasks.@Nullable Kind kind;
    private final boolean resumed;
    private final TaskOutput output;
    private final TaskLog log;
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile boolean cancelled;
    private volatile @Nullable Thread thread;
    private Locks.@Nullable Ticket lock;

    TaskRun(Tasks tasks, Rows.Task task, Tasks.@Nullable Kind kind, boolean resumed) {
        this.tasks = tasks;
        this.task = task;
        this.kind = kind;
        this.resumed = resumed;
        this.cancelled = task.state().equals("cancelling");
        this.output = new TaskOutput(tasks.folder(task.id()));
        this.log = new TaskLog(output, tasks.clock());
    }

    @Override
    public long rank() {
        // A task that had begun goes before all that had not: it may hold half-done work.
        return resumed ? task.id() - Long.MAX_VALUE / 2 : task.id();
    }

    @Override
    public void admit() {
        String deployment = task.deployment();
        boolean begun = resumed || !cancelled;
        if (deployment != null && kind != null && !kind.quick() && begun) {
            lock =
                    tasks.locks()
                            .request(
                                    Tasks.deploymentLock(deployment),
                                    task.id(),
                                    task.description(),
                                    kind.parts().apply(task.payload()));
        }
    }

    @Override
    public void run() {
        thread = Thread.currentThread();
        try (output) {
            if (!tasks.closing()) {
                turn();
            }
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.INFO, "task " + task.id() + " waits for the next start");
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "task " + task.id() + " stays unfinished", e);
        } finally {
            if (lock != null) {
                lock.close();
            }
            tasks.ended(task.id());
            end.countDown();
        }
    }

    private void turn() throws InterruptedException {
        Optional<Rows.Task> begun = tasks.begin(task.id());
        if (begun.isEmpty()) {
            return;
        }
        if (begun.get().state().equals("cancelling")) {
            cancelled = true;
        }
        String state = "done";
        String result;
        try {
            result = work();
        } catch (InterruptedException | DirectorStopping e) {
            throw new InterruptedException();
        } catch (TaskCancelled e) {
            log.error(CANCELLED, "Task " + task.id() + " cancelled");
            state = "cancelled";
            result = "task cancelled";
        } catch (Exception | StackOverflowError | AssertionError e) {
            if (tasks.closing()) {
                throw new InterruptedException(); // what fails now, fails because all stops
            }
            result = failed(e);
            state = "error";
        }
        tasks.finish(task.id(), state, result);
    }

    private String work() throws Exception {
        if (cancelled && !resumed) {
            throw new TaskCancelled(task.id());
        }
        if (kind == null) {
            throw Tasks.noJob(task.type());
        }
        log.debug(
                (resumed ? "resuming" : "starting")
                        + " task "
                        + task.id()
                        + " ("
                        + task.type()
                        + ") for "
                        + task.user());
        if (resumed) {
            log.warning("The director was restarted; this task goes on where it was");
        }
        if (lock != null) {
            lock.await();
        }
        String result = log.redacted(kind.job().apply(task.payload()).run(this));
        log.debug("task " + task.id() + " is done: " + result);
        return result;
    }

    private String failed(Throwable failure) {
        String message = log.redacted(Failures.message(failure));
        log.debug("task " + task.id() + " failed", failure);
        log.error(Failures.code(failure), message);
        return message;
    }

    void cancel() {
        cancelled = true;
    }

    void stop() {
        log.stopping();
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        } else {
            end.countDown();
        }
    }

    void awaitEnd(Duration time) {
        try {
            if (!end.await(Math.max(0, time.toMillis()), TimeUnit.MILLISECONDS)) {
                LOG.log(System.Logger.Level.WARNING, "task " + task.id() + " did not stop in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public long id() {
        return task.id();
    }

    @Override
    public Map<String, Object> payload() {
        return task.payload();
    }

    @Override
    public @Nullable String deployment() {
        return task.deployment();
    }

    @Override
    public String user() {
        return task.user();
    }

    @Override
    public TaskLog log() {
        return log;
    }

    @Override
    public void checkCancelled() {
        if (tasks.closing()) {
            throw new DirectorStopping();
        }
        if (cancelled) {
            throw new TaskCancelled(task.id());
        }
    }

    @Override
    public boolean cancelled() {
        return cancelled;
    }

    @Override
    public boolean resumed() {
        return resumed;
    }

    @Override
    public Locks.Held lock(String name, List<String> resource) throws InterruptedException {
        return tasks.locks()
                .request(new Locks.Name(name, resource), task.id(), task.description())
                .await();
    }
}
