package dev.berth.director;

/** Ends a task that was cancelled, at a point its job has chosen as safe. */
public final class TaskCancelled extends RuntimeException {
    private static final long serialVersionUID = 1;

    public TaskCancelled(long task) {
        super("Task " + task + " cancelled");
    }
}
