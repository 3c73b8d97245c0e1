package dev.berth.director;

/**
 * The work of one task. Made anew from the task's payload each time the task is run, also when a
 * later director process takes it up again, so it may keep state in fields.
 */
@FunctionalInterface
public interface TaskJob {
    /**
     * Does the work and returns the result text of the task.
     *
     * @throws dev.berth.model.ProblemException expected trouble: its first code and all its
     *     messages reach the user
     * @throws TaskCancelled from {@link TaskContext#checkCancelled}
     * @throws InterruptedException the director stops; the task stays as it is and is resumed by
     *     the next process
     */
    String run(TaskContext task) throws Exception;
}
