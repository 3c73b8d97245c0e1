package dev.berth.supervisor;

/** What became of a step. */
sealed interface Outcome {
    /**
     * @param id of the container made by a create; empty otherwise
     */
    record Done(String id) implements Outcome {}

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
