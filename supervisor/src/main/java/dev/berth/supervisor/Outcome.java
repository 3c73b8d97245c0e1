package dev.berth.supervisor;

/** What became of a step. */
sealed interface Outcome {
    record Done() implements Outcome {}

    /**
     * A create was done.
     *
     * @param id of the container
     * @param checked by a health check, its own or the image's
     * @param note what of its spec this engine does not do; empty: nothing
     */
    record Created(String id, boolean checked, String note) implements Outcome {
        Created(String id, boolean checked) {
            this(id, checked, "");
        }
    }

    /**
     * Refused.
     *
     * @param needsChange trying again without a change is hopeless, so it is tried rarely
     * @param imageMissing the engine does not have the image after all
     */
    record Failed(String reason, boolean needsChange, boolean imageMissing) implements Outcome {}

    /** It may or may not have happened: only a look can tell. */
    record Unknown(String reason) implements Outcome {}
}
