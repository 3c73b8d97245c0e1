package dev.berth.director;

/** Ends a task's turn because the process stops; the next process resumes the task. */
public final class DirectorStopping extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DirectorStopping() {
        super("the director is stopping");
    }
}
