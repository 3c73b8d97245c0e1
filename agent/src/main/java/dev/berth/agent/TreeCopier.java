package dev.berth.agent;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * Copies all that is below one directory to another one: owners, modes, times, links, holes, access
 * lists and extended attributes; not what {@link DiskMarks#OWN} names at the root, and nothing of
 * file systems mounted below. Failures are {@link ActionException}s. Blocking; thread-safe.
 */
interface TreeCopier {
    /**
     * Makes {@code to} like {@code from}, moving only what differs by size or time, or has changed
     * since a moment: a file that is written through memory may keep its time while it changes.
     *
     * @param since the source was synced then, and what {@code to} has was copied after that
     * @param live whether files may change or vanish meanwhile
     */
    Passed pass(Path from, Path to, Instant since, boolean live, Watch watch);

    /**
     * Compares both, which nobody changes meanwhile: type, size, owner, mode, time, links and
     * extended attributes of everything, and each byte of what was written to {@code to} since.
     */
    Compared compare(Path from, Path to, Instant since);

    /**
     * What one pass did.
     *
     * @param files there are in {@code from}
     * @param bytes of the files that were copied
     */
    record Passed(long files, long bytes) {}

    /**
     * @param files compared, directories and links among them
     * @param differences the first few, in words; empty: none at all
     */
    record Compared(long files, List<String> differences) {}

    /** Who waits for a pass. Its methods are called on another thread, many times. */
    interface Watch {
        void bytes(long sofar);

        boolean isCancelled();
    }
}
