package dev.berth.director;

/** Where work that may block is run. A simulation runs it on its own thread, when it likes. */
@FunctionalInterface
public interface Threads {
    /** Returns at once. */
    void start(String name, Runnable work);

    /** A virtual thread each. */
    Threads VIRTUAL = (name, work) -> Thread.ofVirtual().name(name).start(work);
}
