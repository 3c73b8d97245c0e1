package dev.berth.agent;

import java.util.List;

/** Decides how often a tree that changes is copied before its users are stopped. Pure. */
final class CopyPasses {
    /** However busy the disk is, one copy ends. */
    static final int MOST = 8;

    /** Copied in well under a second: another pass would save nothing. */
    static final long SMALL = 32L * 1024 * 1024;

    private CopyPasses() {}

    /**
     * Whether one more pass is worth it.
     *
     * @param bytes that each pass copied, the first one first
     */
    static boolean another(List<Long> bytes) {
        int passes = bytes.size();
        if (passes == 0) {
            return true;
        }
        long last = bytes.getLast();
        if (last <= SMALL || passes >= MOST) {
            return false;
        }
        // The difference is what was written during the pass before: where that no longer shrinks
        // by a fifth, the users write as fast as we copy.
        return passes == 1 || last < bytes.get(passes - 2) * 0.8;
    }
}
